//! Text files that can not be read, in words.

use crate::{Mistake, Position};
use std::io;

/// The text of a file that was read. `what` names the thing in messages (`values file`), `path` as the user would write it.
///
/// # Errors
/// It is not there, a folder, not UTF-8, or can't be read for another reason: each with what to do about it.
pub fn text(what: &str, path: &str, read: io::Result<Vec<u8>>) -> Result<String, Mistake> {
    let bytes = read.map_err(|error| unreadable(what, path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let right = error.utf8_error().valid_up_to();
        not_utf8(what, path, &String::from_utf8_lossy(&error.as_bytes()[..right]))
    })
}

fn unreadable(what: &str, path: &str, error: &io::Error) -> Mistake {
    match error.kind() {
        io::ErrorKind::NotFound => Mistake::new(format!("{what} `{path}` does not exist"))
            .hinted("check the path; a relative one begins in the current folder"),
        io::ErrorKind::IsADirectory => {
            Mistake::new(format!("{what} `{path}` is a folder")).hinted("name a file in this folder")
        }
        io::ErrorKind::PermissionDenied => Mistake::new(format!("{what} `{path}` can not be read: permission denied"))
            .hinted(format!("run `chmod u+r {path}`, or run this as the user that owns it")),
        _ => Mistake::new(format!("{what} `{path}` can not be read: {error}")),
    }
}

/// `before`: the text up to the first byte that is wrong.
fn not_utf8(what: &str, path: &str, before: &str) -> Mistake {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Mistake::at(Position::new(path, number(line), number(column)), format!("{what} `{path}` is not UTF-8"))
        .labelled("this byte is of another encoding")
        .hinted("save the file as UTF-8 in your editor, or convert it with `iconv`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(io::ErrorKind::NotFound, "file `a.yml` does not exist")]
    #[case(io::ErrorKind::IsADirectory, "file `a.yml` is a folder")]
    #[case(io::ErrorKind::PermissionDenied, "file `a.yml` can not be read: permission denied")]
    fn what_stands_in_the_way_is_told_with_a_next_step(#[case] kind: io::ErrorKind, #[case] expected: &str) {
        let mistake = text("file", "a.yml", Err(kind.into())).unwrap_err();
        assert_eq!(mistake.message, expected);
        assert!(mistake.hint.is_some());
    }

    #[test]
    fn the_first_foreign_byte_is_pointed_at() {
        let mistake = text("file", "a.yml", Ok(b"a: 1\nb: \xc3\xa4\xff".to_vec())).unwrap_err();
        assert_eq!(mistake.message, "file `a.yml` is not UTF-8");
        assert_eq!(mistake.position.unwrap().to_string(), "a.yml:2:5");
    }
}
