//! Kubernetes quantities as numbers. Grammar: `k8s.io/apimachinery/pkg/api/resource.Quantity`, Kubernetes 1.35 API reference.

/// CPU in thousandths of a core: `250m` is 250, `2` is 2000. `None` when it is no quantity.
pub fn cpu_millis(quantity: &str) -> Option<i64> {
    scaled(quantity, 1000.0)
}

/// Memory or storage in bytes: `8Gi` is 8589934592. `None` when it is no quantity.
pub fn memory_bytes(quantity: &str) -> Option<i64> {
    scaled(quantity, 1.0)
}

const SUFFIXES: [(&str, f64); 14] = [
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
];

/// The number times its suffix times `scale`, rounded up as Kubernetes does.
fn scaled(quantity: &str, scale: f64) -> Option<i64> {
    let (digits, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| quantity.strip_suffix(suffix).map(|digits| (digits, *factor)))
        .unwrap_or((quantity, 1.0));
    let number: f64 = digits.parse().ok()?;
    let value = (number * factor * scale).ceil();
    #[expect(clippy::cast_possible_truncation, reason = "checked to be in range just before")]
    (value.is_finite() && value.abs() < 9.2e18).then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("250m", Some(250))]
    #[case("2", Some(2000))]
    #[case("0.5", Some(500))]
    #[case("1e1", Some(10_000))]
    #[case("many", None)]
    fn cpu(#[case] quantity: &str, #[case] expected: Option<i64>) {
        assert_eq!(cpu_millis(quantity), expected);
    }

    #[rstest]
    #[case("8Gi", Some(8_589_934_592))]
    #[case("512Mi", Some(536_870_912))]
    #[case("1G", Some(1_000_000_000))]
    #[case("1e3", Some(1000))]
    #[case("", None)]
    fn memory(#[case] quantity: &str, #[case] expected: Option<i64>) {
        assert_eq!(memory_bytes(quantity), expected);
    }
}
