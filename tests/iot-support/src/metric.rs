//! Values out of what `/metrics` answers.

/// The value of the metric of this name, with its labels as they stand there; 0 when it is not there, as before its first count.
pub fn metric(text: &str, name: &str) -> f64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    value.unwrap_or_default()
}
