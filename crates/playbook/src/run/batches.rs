//! `serial`: the hosts of a play in batches (`PlaybookExecutor._get_serialized_batches`, 2.19).

use super::templates::text;
use super::variables::Host;
use std::sync::Arc;
use template::Value;

/// The hosts in batches: of the sizes in `serial`, the last of which holds for all that is left.
pub(crate) fn batches(hosts: &[Arc<Host>], serial: Option<&Value>) -> Vec<Vec<Arc<Host>>> {
    let sizes: Vec<usize> = match serial {
        None => Vec::new(),
        Some(Value::List(sizes) | Value::Tuple(sizes)) => sizes.iter().map(|size| count(size, hosts.len())).collect(),
        Some(size) => vec![count(size, hosts.len())],
    };
    let mut batches = Vec::new();
    let mut left = hosts;
    let mut sizes = sizes.into_iter();
    let mut size = 0;
    while !left.is_empty() {
        size = sizes.next().unwrap_or(size);
        let (batch, rest) = left.split_at(if size == 0 { left.len() } else { size.min(left.len()) });
        batches.push(batch.to_vec());
        left = rest;
    }
    batches
}

/// A number of hosts, or a percentage of all, at least one (`pct_to_int`). Zero stands for all.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "hosts are few"
)]
fn count(size: &Value, all: usize) -> usize {
    let text = text(size);
    match text.trim().strip_suffix('%') {
        Some(percent) => {
            let percent: f64 = percent.trim().parse().unwrap_or(0.0);
            if percent <= 0.0 { 0 } else { ((percent / 100.0 * all as f64) as usize).max(1) }
        }
        None => text.trim().parse().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(None, &[5])]
    #[case(Some(Value::Int(2)), &[2, 2, 1])]
    #[case(Some(Value::from("40%")), &[2, 2, 1])]
    #[case(Some(Value::from("1%")), &[1, 1, 1, 1, 1])]
    #[case(Some(Value::list(vec![Value::Int(1), Value::Int(3)])), &[1, 3, 1])]
    #[case(Some(Value::Int(0)), &[5])]
    fn hosts_come_in_batches(#[case] serial: Option<Value>, #[case] expected: &[usize]) {
        let hosts: Vec<_> = (0..5).map(|n| Arc::new(Host::new(&n.to_string(), Value::None))).collect();
        let sizes: Vec<_> = batches(&hosts, serial.as_ref()).iter().map(Vec::len).collect();
        assert_eq!(sizes, expected);
    }
}
