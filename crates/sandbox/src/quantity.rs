//! Amounts of memory as people write them.

/// Bytes of `8Gi`, `8GiB`, `8G`, `8GB`, `8 GB` or `512Mi`. `None` without a unit: nobody means 8 bytes, and whether
/// `8192` are megabytes is a guess.
pub(crate) fn memory_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().trim_end_matches('B') {
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        "k" | "K" => 1_000,
        "M" => 1_000_000,
        "G" => 1_000_000_000,
        "T" => 1_000_000_000_000_u64,
        _ => return None,
    };
    exact(number, factor)
}

/// `number` (with at most a few decimals) times `factor`.
fn exact(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || fraction.len() > 3 || (number.contains('.') && fraction.is_empty()) {
        return None;
    }
    let thousandths: u64 = format!("{fraction:0<3}").parse().ok()?;
    let bytes = whole.parse::<u64>().ok()?.checked_mul(factor)?;
    bytes.checked_add(factor.checked_mul(thousandths)? / 1000).filter(|bytes| *bytes > 0)
}

/// The canonical form (`apimachinery/pkg/api/resource.Quantity`): the largest unit that leaves no fraction. What is written
/// otherwise comes back changed, and would look like a difference each time. Whole KiB only, as kubelets report.
pub(crate) fn canonical(bytes: u64) -> String {
    let mut amount = bytes / 1024;
    let mut units = ["Ki", "Mi", "Gi", "Ti"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    while amount > 0 && amount.is_multiple_of(1024) {
        let Some(larger) = units.next() else { break };
        (amount, unit) = (amount / 1024, larger);
    }
    format!("{amount}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("8Gi", Some(8 << 30))]
    #[case("8GiB", Some(8 << 30))]
    #[case("8 GB", Some(8_000_000_000))]
    #[case("0.5Gi", Some(1 << 29))]
    #[case("512Mi", Some(512 << 20))]
    #[case("8192", None)]
    #[case("8 bananas", None)]
    #[case("-8Gi", None)]
    #[case("Gi", None)]
    #[case("0Gi", None)]
    #[case("1.Gi", None)]
    #[case("1.2.3Gi", None)]
    #[case("99999999999999999999Gi", None)]
    #[case("18446744073709551615Ti", None)]
    #[case("", None)]
    fn memory(#[case] text: &str, #[case] expected: Option<u64>) {
        assert_eq!(memory_bytes(text), expected);
    }

    #[rstest]
    #[case(8 << 30, "8Gi")]
    #[case(8_000_000_000, "7812500Ki")]
    #[case(512 << 20, "512Mi")]
    #[case(3 << 50, "3072Ti")]
    #[case(1023, "0Ki")]
    fn canonical_forms(#[case] bytes: u64, #[case] expected: &str) {
        assert_eq!(canonical(bytes), expected);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in ".{0,12}") {
            let _ = memory_bytes(&text);
        }
    }
}
