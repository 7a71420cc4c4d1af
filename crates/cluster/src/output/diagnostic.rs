//! Errors and warnings for people, in rustc's form: the place with its line when there is one, the causes, the hint last.

use ::diagnostic::{Diagnose, Mistake, Position};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use std::error::Error;

/// An error with all its parts.
pub(crate) fn render(error: &dyn Diagnose, styled: bool) -> String {
    let parts = error.parts();
    if parts.is_empty() {
        return one(&Level::ERROR, error, styled);
    }
    let rendered: Vec<_> = parts.into_iter().map(|part| one(&Level::ERROR, part, styled)).collect();
    rendered.join("\n")
}

/// A warning.
pub(crate) fn render_warning(warning: &Mistake, styled: bool) -> String {
    one(&Level::WARNING, warning, styled)
}

/// The causes of an error, outermost first, each said once.
pub(crate) fn causes(error: &dyn Diagnose) -> Vec<String> {
    let mut causes = Vec::new();
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !said.contains(&text) {
            causes.push(text.clone());
            said = text;
        }
        next = Error::source(cause);
    }
    causes
}

fn one(level: &Level<'static>, error: &dyn Diagnose, styled: bool) -> String {
    let title = error.to_string();
    let label = error.label().unwrap_or_default();
    let causes: Vec<_> = causes(error).into_iter().map(|cause| format!("because {cause}")).collect();
    let hint = error.hint();
    let position = error.position();
    let line = position.as_ref().and_then(source_line);
    let Some((position, line)) = position.as_ref().zip(line.as_ref()) else {
        return without_snippet(level, &title, position.as_ref(), &causes, hint.as_deref(), styled);
    };
    let span = marked(line, position);
    let annotation = AnnotationKind::Primary.span(span);
    let annotation = if label.is_empty() { annotation } else { annotation.label(label.as_str()) };
    let snippet = Snippet::source(line.as_str())
        .line_start(usize::try_from(position.line).unwrap_or(1))
        .path(position.file.as_ref())
        .annotation(annotation);
    let mut group: Group<'_> = level.clone().primary_title(title.as_str()).element(snippet);
    for cause in &causes {
        group = group.element(Level::NOTE.message(cause.as_str()));
    }
    if let Some(hint) = &hint {
        group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
    }
    renderer(styled).render(&[group])
}

fn renderer(styled: bool) -> Renderer {
    if styled { Renderer::styled() } else { Renderer::plain() }
}

/// `error: …`, the causes and the hint each on a line of their own.
fn without_snippet(
    level: &Level<'static>,
    title: &str,
    position: Option<&Position>,
    causes: &[String],
    hint: Option<&str>,
    styled: bool,
) -> String {
    let mut lines = title.split('\n');
    let first = level.clone().primary_title(lines.next().unwrap_or_default());
    let mut text = renderer(styled).render(&[Group::with_title(first)]);
    for line in lines {
        text.push('\n');
        text.push_str(line);
    }
    if let Some(position) = position {
        text.push_str(&format!("\n --> {position}"));
    }
    for cause in causes {
        text.push_str(&format!("\n  {}", cause.replace('\n', "\n  ")));
    }
    if let Some(hint) = hint {
        text.push_str(&format!("\nhint: {hint}"));
    }
    text
}

/// The line that a position names, read again from its file.
fn source_line(position: &Position) -> Option<String> {
    if !position.in_file() {
        return None;
    }
    let text = std::fs::read(position.file.as_ref()).ok()?;
    let text = String::from_utf8_lossy(&text).replace('\u{feff}', "");
    let index = usize::try_from(position.line).ok()?.checked_sub(1)?;
    text.lines().nth(index).map(str::to_owned)
}

/// The bytes of the line that are marked; at the end of the line, its last character.
fn marked(line: &str, position: &Position) -> std::ops::Range<usize> {
    let offset = |characters: usize| line.char_indices().nth(characters).map_or(line.len(), |(offset, _)| offset);
    let first = usize::try_from(position.column).unwrap_or(1).saturating_sub(1);
    let length = usize::try_from(position.length).unwrap_or(1).max(1);
    let start = offset(first);
    start..offset(first.saturating_add(length)).max(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_place_is_shown_with_its_line_and_the_hint_last() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "- hosts: all\n  taks: []").unwrap();
        let name = file.path().to_str().unwrap().to_owned();
        let mistake = Mistake::at(Position::new(name.as_str(), 2, 3).with_length(4), "unknown keyword `taks`")
            .labelled("no such keyword")
            .hinted("did you mean `tasks`?");
        let text = render(&mistake, false).replace(&name, "site.yml");
        let expected = "error: unknown keyword `taks`\n --> site.yml:2:3\n  |\n2 |   taks: []\n  |   ^^^^ no such keyword\n  |\n  = hint: did you mean `tasks`?";
        assert_eq!(text, expected);
    }

    #[test]
    fn without_a_place_the_hint_has_its_own_line() {
        let mistake = Mistake::new("unknown service `olama`").hinted("did you mean `ollama`?");
        assert_eq!(render(&mistake, false), "error: unknown service `olama`\nhint: did you mean `ollama`?");
    }

    #[test]
    fn a_position_past_the_file_is_no_panic() {
        let mistake = Mistake::at(Position::new("/dev/null", 7, 9), "gone");
        assert_eq!(render(&mistake, false), "error: gone\n --> /dev/null:7:9");
    }
}
