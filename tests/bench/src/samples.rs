//! Durations of the same thing, measured several times.

use std::time::Duration;

/// What was measured, in the order in which it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Adds one.
    pub fn add(&mut self, duration: Duration) {
        self.0.push(duration);
    }

    /// The one in the middle, or between the two in the middle: a busy moment does not move it. `None` for nothing.
    pub fn median(&self) -> Option<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort();
        let upper = sorted.get(sorted.len() / 2)?;
        let lower = sorted.get((sorted.len() - 1) / 2)?;
        Some((*lower + *upper) / 2)
    }

    /// The shortest.
    pub fn best(&self) -> Option<Duration> {
        self.0.iter().min().copied()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<Duration> for Samples {
    fn from_iter<T: IntoIterator<Item = Duration>>(durations: T) -> Self {
        Self(durations.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let of = |seconds: &[u64]| {
            let samples: Samples = seconds.iter().map(|seconds| Duration::from_secs(*seconds)).collect();
            samples.median().map(|median| median.as_secs_f64())
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[9]), Some(9.0));
        assert_eq!(of(&[5, 1, 100]), Some(5.0));
        assert_eq!(of(&[4, 100, 1, 2]), Some(3.0));
    }
}
