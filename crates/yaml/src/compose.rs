//! From the parser's events to nodes. The open collections are a list, not calls, so depth costs no stack.

use crate::anchor::{Anchors, DEEPEST, MOST_ALIASED_NODES, Refusal};
use crate::merge::{self, Entry};
use crate::place::Source;
use crate::scalar::Rules;
use crate::tag::{self, Kind};
use crate::{Error, Mapping, Node, Parsed, Value, syntax};
use diagnostic::{Mistake, Mistakes, Position, closest};
use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

/// All documents of `text`.
pub(crate) fn documents(file: &str, text: &str) -> Result<Parsed, Error> {
    let mut composer = Composer::new(Source::new(file, text));
    composer.read();
    composer.mistakes.into_result().map_err(Error::Invalid)?;
    Ok(composer.parsed)
}

struct Composer<'a> {
    source: Source<'a>,
    rules: Rules,
    parsed: Parsed,
    mistakes: Mistakes,
    open: Vec<Collection>,
    anchors: Anchors,
    anchor_names: Vec<String>,
    /// How many open collections are tagged `!unsafe`.
    unsafe_depth: usize,
}

/// A collection whose end has not come yet.
struct Collection {
    position: Position,
    anchor: usize,
    kind: Kind,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, key: Option<Key> },
}

struct Key {
    node: Node,
    merges: bool,
}

impl<'a> Composer<'a> {
    fn new(source: Source<'a>) -> Self {
        let is_json = source.text.trim_start().starts_with(['{', '[', '"'])
            && serde_json::from_str::<serde_json::Value>(source.text).is_ok();
        Self {
            source,
            rules: if is_json { Rules::Json } else { Rules::Yaml },
            parsed: Parsed::default(),
            mistakes: Mistakes::new(),
            open: Vec::new(),
            anchors: Anchors::default(),
            anchor_names: Vec::new(),
            unsafe_depth: 0,
        }
    }

    fn read(&mut self) {
        let mut options = granit_parser::options! { emit_unresolved_aliases: true, emit_anchor_events: true };
        options.set_emit_comments(false);
        // A byte offset from which on the text is not yet understood.
        let mut reached = 0;
        for event in Parser::new_from_str_with_options(self.source.text, options) {
            match event {
                Ok((event, span)) => {
                    reached = span.end.byte_offset().unwrap_or(reached).max(reached);
                    self.take(event, &span);
                }
                Err(error) => {
                    self.mistakes.push(syntax::explain(&self.source, &error, reached));
                    return;
                }
            }
            if self.anchors.is_exhausted() {
                return;
            }
        }
    }

    fn take(&mut self, event: Event<'_>, span: &Span) {
        match event {
            Event::DocumentStart(..) => {
                self.anchors = Anchors::default();
                self.anchor_names.clear();
            }
            Event::Anchor(_, name) => self.anchor_names.push(name.into_owned()),
            Event::Alias(number) => self.alias(number, span),
            Event::UnresolvedAlias(name) => self.unknown_alias(&name, span),
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), span),
            Event::SequenceStart(_, anchor, tag) => {
                let position = self.source.of_sequence(span);
                self.begin(position, anchor, tag.as_deref(), span, Content::Sequence(Vec::new()));
            }
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Mapping { entries: Vec::new(), key: None };
                self.begin(self.source.at(&span.start), anchor, tag.as_deref(), span, content);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            _ => {}
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, tag: Option<&Tag>, span: &Span) {
        // The parser writes a node that is not there as a `~` of no length; tagged `!!str` it is the empty string.
        let text = if span.is_empty() && text == "~" { "" } else { text };
        let text = self.without_invented_newline(text, style, span);
        let plain = style == ScalarStyle::Plain;
        let kind = self.kind(tag, span, false);
        let position = self.source.over(span);
        let value = kind.scalar(text, plain, self.rules).unwrap_or_else(|expected| {
            let written = tag.map(Tag::original).unwrap_or_default();
            self.mistakes.push(
                Mistake::at(position.clone(), format!("`{written}` takes {expected}"))
                    .labelled(format!("not {expected}")),
            );
            Value::String(text.to_owned())
        });
        let merges = (plain && tag.is_none() && text == "<<") || kind == Kind::Core("merge".to_owned());
        let is_unsafe = self.unsafe_depth > 0 || kind == Kind::Unsafe;
        let node = Node { is_unsafe, ..Node::new(value, position) };
        self.anchors.define(anchor, &node);
        self.place(node, merges);
    }

    /// The parser ends a block scalar at the end of the text with a newline, also where the text has none; libyaml, and with
    /// it Ansible, does not.
    fn without_invented_newline<'t>(&self, text: &'t str, style: ScalarStyle, span: &Span) -> &'t str {
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        let is_last = span.end.byte_offset() == Some(self.source.text.len());
        let invented = is_block && is_last && !self.source.text.ends_with(['\n', '\r']);
        if invented { text.strip_suffix('\n').unwrap_or(text) } else { text }
    }

    fn begin(&mut self, position: Position, anchor: usize, tag: Option<&Tag>, span: &Span, content: Content) {
        let kind = self.kind(tag, span, true);
        if kind == Kind::Unsafe {
            self.unsafe_depth += 1;
        }
        self.open.push(Collection { position, anchor, kind, content });
    }

    fn end(&mut self) {
        let Some(Collection { position, anchor, kind, content }) = self.open.pop() else { return };
        let value = match content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping { entries, .. } => {
                Value::Mapping(merge::join(entries, &mut self.mistakes, &mut self.parsed.warnings))
            }
        };
        let node = Node { is_unsafe: self.unsafe_depth > 0, ..Node::new(value, position) };
        if kind == Kind::Unsafe {
            self.unsafe_depth -= 1;
        }
        self.check_collection(&kind, &node);
        self.anchors.define(anchor, &node);
        self.place(node, false);
    }

    fn check_collection(&mut self, kind: &Kind, node: &Node) {
        let fits = match kind {
            Kind::Vault { .. } => false,
            Kind::Core(name) => {
                matches!((name.as_str(), &node.value), ("seq", Value::Sequence(_)) | ("map", Value::Mapping(_)))
            }
            _ => true,
        };
        if !fits {
            let what =
                if matches!(kind, Kind::Vault { .. }) { "`!vault` takes a string" } else { "the tag does not fit" };
            self.mistakes.push(
                Mistake::at(node.position.clone(), format!("{what}, and this is {}", node.kind()))
                    .labelled(node.kind()),
            );
        }
    }

    fn alias(&mut self, number: usize, span: &Span) {
        let position = self.source.over(span);
        let node = match self.anchors.expand(number, self.open.len()) {
            Ok(node) if self.unsafe_depth > 0 => node.into_unsafe(),
            Ok(node) => node,
            Err(refusal) => {
                let message = match refusal {
                    Refusal::Cyclic => "this alias stands inside the node that it repeats".to_owned(),
                    Refusal::TooMany => format!("aliases repeat more than {MOST_ALIASED_NODES} nodes"),
                    Refusal::TooDeep => format!("aliases nest more than {DEEPEST} levels deep"),
                };
                self.mistakes.push(Mistake::at(position.clone(), message).labelled("expands here"));
                Node::new(Value::Null, position)
            }
        };
        self.place(node, false);
    }

    fn unknown_alias(&mut self, name: &str, span: &Span) {
        let position = self.source.over(span);
        let mistake =
            Mistake::at(position.clone(), format!("unknown anchor `{name}`")).labelled("no `&` defines it above");
        let hint = match closest(name, self.anchor_names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `*{near}`?"),
            None => format!("quote the value if it is text that begins with `*`: `\"*{name}\"`"),
        };
        self.mistakes.push(mistake.hinted(hint));
        self.place(Node::new(Value::Null, position), false);
    }

    /// Puts a complete node where it belongs.
    fn place(&mut self, node: Node, merges: bool) {
        let Some(collection) = self.open.last_mut() else {
            self.parsed.documents.push(node);
            return;
        };
        match &mut collection.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { entries, key } => match key.take() {
                Some(Key { node: key, merges }) => entries.push(Entry { key, value: node, merges }),
                None => {
                    if matches!(node.value, Value::Sequence(_) | Value::Mapping(Mapping { .. })) {
                        self.mistakes.push(syntax::collection_as_key(&self.source, &node));
                    }
                    *key = Some(Key { node, merges });
                }
            },
        }
    }

    fn kind(&mut self, tag: Option<&Tag>, span: &Span, collection: bool) -> Kind {
        let kind = Kind::of(tag);
        let place = span.tag_span().map_or_else(|| self.source.over(span), |tag| self.source.over(&tag));
        match &kind {
            Kind::Unknown(written) => self.mistakes.push(unknown_tag(written, place, collection)),
            Kind::Vault { deprecated: true } => self.parsed.warnings.push(
                Mistake::at(place, "`!vault-encrypted` is deprecated").labelled("old name").hinted("write `!vault`"),
            ),
            _ => {}
        }
        kind
    }
}

fn unknown_tag(written: &str, place: Position, collection: bool) -> Mistake {
    let hint = match closest(written, tag::KNOWN) {
        Some(near) => format!("did you mean `{near}`?"),
        None if collection => format!("remove it; the tags are {}", listed()),
        None => format!("quote the value if it is text that begins with `!`; the tags are {}", listed()),
    };
    Mistake::at(place, format!("unknown tag `{written}`")).labelled("no such tag").hinted(hint)
}

fn listed() -> String {
    tag::KNOWN[..3].iter().map(|tag| format!("`{tag}`")).collect::<Vec<_>>().join(", ")
}
