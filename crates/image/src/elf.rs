//! What a binary is for, and whether it needs libraries: an image without a loader starts no other.

use crate::error::Error;
use std::path::Path;

/// What the binary runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Architecture {
    /// x86_64.
    Amd64,
    /// aarch64.
    Arm64,
}

impl Architecture {
    /// As of OCI (and Go): `amd64`, `arm64`.
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "amd64" => Some(Self::Amd64),
            "arm64" => Some(Self::Arm64),
            _ => None,
        }
    }

    /// The name that [`Architecture::of`] reads.
    pub fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

/// `PT_INTERP`: the program asks for a loader (System V ABI, "Program Header").
const INTERPRETER: u32 = 3;

/// Checks a binary.
///
/// # Errors
/// [`Error::Binary`]: it is none, for another machine, or needs a loader.
pub fn check(path: &Path, bytes: &[u8], wanted: Architecture) -> Result<(), Error> {
    let found = match read(bytes) {
        Some((architecture, false)) if architecture == Some(wanted) => return Ok(()),
        None => "no 64-bit ELF program",
        Some((Some(Architecture::Amd64), false)) => "one for amd64",
        Some((Some(Architecture::Arm64), false)) => "one for arm64",
        Some((None, _)) => "one for another machine",
        Some((Some(_), true)) => "dynamically linked",
    };
    Err(Error::Binary { path: path.to_owned(), found, wanted: wanted.name() })
}

/// Its architecture, and whether it asks for a loader.
fn read(bytes: &[u8]) -> Option<(Option<Architecture>, bool)> {
    // Magic, 64 bits, little-endian.
    if bytes.get(..6)? != [0x7f, b'E', b'L', b'F', 2, 1] {
        return None;
    }
    let architecture = match half(bytes, 18)? {
        62 => Some(Architecture::Amd64),
        183 => Some(Architecture::Arm64),
        _ => None,
    };
    let table = usize::try_from(u64::from_le_bytes(bytes.get(32..40)?.try_into().ok()?)).ok()?;
    let (size, count) = (usize::from(half(bytes, 54)?), usize::from(half(bytes, 56)?));
    let mut loader = false;
    for number in 0..count {
        let at = table.checked_add(number * size)?;
        let kind = u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?);
        loader |= kind == INTERPRETER;
    }
    Some((architecture, loader))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use rstest::rstest;

    /// The smallest head that counts: one program header of this kind.
    pub(crate) fn program(machine: u16, kind: u32) -> Vec<u8> {
        let mut bytes = vec![0; 120];
        bytes[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1]);
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[32..40].copy_from_slice(&64u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&1u16.to_le_bytes());
        bytes[64..68].copy_from_slice(&kind.to_le_bytes());
        bytes
    }

    #[rstest]
    #[case(program(62, 1), Architecture::Amd64, None)]
    #[case(program(183, 1), Architecture::Arm64, None)]
    #[case(program(62, 1), Architecture::Arm64, Some("one for amd64"))]
    #[case(program(40, 1), Architecture::Arm64, Some("one for another machine"))]
    #[case(program(62, 3), Architecture::Amd64, Some("dynamically linked"))]
    #[case(b"#!/bin/sh\n".to_vec(), Architecture::Amd64, Some("no 64-bit ELF program"))]
    #[case(program(62, 1)[..70].to_vec(), Architecture::Amd64, None)]
    #[case(program(62, 1)[..60].to_vec(), Architecture::Amd64, Some("no 64-bit ELF program"))]
    fn programs(#[case] bytes: Vec<u8>, #[case] wanted: Architecture, #[case] expected: Option<&str>) {
        let found = match check(Path::new("x"), &bytes, wanted) {
            Ok(()) => None,
            Err(Error::Binary { found, .. }) => Some(found),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn this_test_is_dynamically_linked_or_static_but_read() {
        let path = std::env::current_exe().unwrap();
        assert!(read(&std::fs::read(path).unwrap()).is_some());
    }
}
