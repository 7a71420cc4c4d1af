//! What a process has used so far, as the kernel counts it.

use anyhow::{Context, Result};
use std::time::Duration;

/// Processor time and memory of a process with all its threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// In user and in kernel mode.
    pub processor: Duration,
    /// Memory that is resident now.
    pub resident_bytes: u64,
    /// The most that was resident at once.
    pub peak_bytes: u64,
}

impl Usage {
    /// Of a running process.
    ///
    /// # Errors
    /// It has ended.
    pub fn of(process: u32) -> Result<Self> {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}"));
        Ok(Self {
            processor: processor(&read("stat")?).context("proc(5) has the times in `stat`")?,
            resident_bytes: kilobytes(&read("status")?, "VmRSS:").context("proc(5) has VmRSS in `status`")? * 1024,
            peak_bytes: kilobytes(&read("status")?, "VmHWM:").context("proc(5) has VmHWM in `status`")? * 1024,
        })
    }

    /// What was used since an earlier look.
    pub fn since(self, before: Self) -> Self {
        Self { processor: self.processor.saturating_sub(before.processor), ..self }
    }
}

/// Fields 14 and 15, counted from behind the name, which may hold anything.
fn processor(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut next = || fields.next()?.parse::<u64>().ok();
    let ticks = next()? + next()?;
    Some(Duration::from_secs(ticks) / u32::try_from(rustix::param::clock_ticks_per_second()).ok()?)
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 3 0 100 1 1";
        assert_eq!(processor(stat), Some(Duration::from_secs(3)));
    }

    #[test]
    fn this_process_uses_some() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.resident_bytes > 100_000 && usage.peak_bytes >= usage.resident_bytes, "{usage:?}");
    }
}
