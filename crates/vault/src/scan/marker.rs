//! `# not a secret: a certificate of the tests`: said on the line, or above it.

use super::lines::Lines;

const MARK: &str = "not a secret:";

/// What comments begin with.
const COMMENTS: [&str; 6] = ["#", "//", ";", "--", "/*", "*"];

/// Whether a line is marked. A reason must be given.
pub(super) fn is_marked(lines: &Lines<'_>, line: usize) -> bool {
    let above = line.checked_sub(1).map(|above| lines.get(above).trim());
    says(lines.get(line))
        || above.is_some_and(|above| COMMENTS.iter().any(|comment| above.starts_with(comment)) && says(above))
}

fn says(line: &str) -> bool {
    line.match_indices(MARK).any(|(at, _)| {
        let before = line[..at].trim_end();
        let reason = line[at + MARK.len()..].trim();
        COMMENTS.iter().any(|comment| before.ends_with(comment))
            && reason.chars().filter(|c| c.is_alphabetic()).count() > 2
    })
}
