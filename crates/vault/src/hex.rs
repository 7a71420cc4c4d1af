//! Hexadecimal digits, as Python's `hexlify` writes and `unhexlify` reads them: both cases, and nothing between the digits.

/// Why text is not hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Another character, at this offset.
    NotADigit(usize),
    /// The last byte has one digit only.
    Odd,
}

const NOT_A_DIGIT: u8 = 0xff;

/// What each byte stands for.
const VALUES: [u8; 256] = {
    let mut values = [NOT_A_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value as usize] as usize] = value;
        values[DIGITS[value as usize].to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    values
};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The bytes that the digits stand for.
pub(crate) fn decode(digits: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut bad = 0;
    let decode = |pair: &[u8; 2]| {
        let (high, low) = (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]);
        // Looked at once, after the loop: a branch for each digit would cost more than the rest.
        bad |= high | low;
        (high << 4) | (low & 0xf)
    };
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes = pairs.iter().map(decode).collect();
    if bad == NOT_A_DIGIT || rest.first().is_some_and(|digit| VALUES[usize::from(*digit)] == NOT_A_DIGIT) {
        let place = digits.iter().position(|digit| VALUES[usize::from(*digit)] == NOT_A_DIGIT);
        return Err(Fault::NotADigit(place.unwrap_or_default()));
    }
    if rest.is_empty() { Ok(bytes) } else { Err(Fault::Odd) }
}

/// Appends the digits of `bytes`, lower case.
pub(crate) fn encode(bytes: &[u8], digits: &mut Vec<u8>) {
    digits.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"", Ok(vec![]))]
    #[case(b"00fF10", Ok(vec![0, 255, 16]))]
    #[case(b"0", Err(Fault::Odd))]
    #[case(b"00g0", Err(Fault::NotADigit(2)))]
    #[case(b"0000 ", Err(Fault::NotADigit(4)))]
    #[case(b"00\xff0", Err(Fault::NotADigit(2)))]
    fn decoding(#[case] digits: &[u8], #[case] expected: Result<Vec<u8>, Fault>) {
        assert_eq!(decode(digits), expected);
    }

    #[test]
    fn every_byte_goes_there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        let mut digits = Vec::new();
        encode(&all, &mut digits);
        assert!(digits.starts_with(b"000102") && digits.ends_with(b"fdfeff"));
        assert_eq!(decode(&digits), Ok(all));
    }
}
