//! YAML as Ansible reads it: YAML 1.1 scalars, `!vault` and `!unsafe`, and the place of every node. Playbooks, inventories
//! and variable files all come through here; a [`Node`] is what a person wrote, and so may hold templates.
//!
//! The grammar is granit-parser's; what a scalar means follows PyYAML 6 (`resolver.py`, `constructor.py`) and
//! ansible-core 2.19 (`_internal/_yaml/_constructor.py`). Known differences: dates stay text (they render the same),
//! integers beyond 64 bits stay text, a lone `=` is text, and `!!set`, `!!omap`, `!!pairs`, `!!binary` are refused.
//!
//! ```
//! let node = yaml::load_one("site.yml", "become: yes\nmode: 0644\n")?;
//! let mapping = node.as_mapping().expect("a mapping");
//! assert_eq!(mapping.get("become").map(|node| &node.value), Some(&yaml::Value::Bool(true)));
//! assert_eq!(mapping.get("mode").map(|node| node.position.to_string()), Some("site.yml:2:7".to_owned()));
//! # Ok::<(), yaml::Error>(())
//! ```

mod anchor;
mod compose;
mod data;
mod error;
mod merge;
mod node;
mod place;
mod scalar;
mod syntax;
mod tag;

pub use error::Error;
pub use node::{Mapping, Node, Value};

use diagnostic::{Mistake, Mistakes};

/// What a text holds: its documents, and what is odd about it but no mistake.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Parsed {
    /// The roots of the documents; none for an empty text or one of comments only.
    pub documents: Vec<Node>,
    /// Duplicate keys (the last one counts, as with Ansible's `DUPLICATE_YAML_DICT_KEY=warn`) and deprecated tags.
    pub warnings: Vec<Mistake>,
}

/// Reads all documents of `text`. `file` is what positions will name.
///
/// # Errors
/// Everything wrong in the text: a syntax error ends the reading, but what was found before it is reported too.
pub fn parse(file: &str, text: &str) -> Result<Parsed, Error> {
    compose::documents(file, text)
}

/// The documents of `text`; see [`parse`], which also tells the warnings.
///
/// # Errors
/// Everything wrong in the text.
pub fn load(file: &str, text: &str) -> Result<Vec<Node>, Error> {
    parse(file, text).map(|parsed| parsed.documents)
}

/// The only document of `text`, a null node when there is none, as Ansible reads variable files and playbooks.
///
/// # Errors
/// Everything wrong in the text, and a second document.
pub fn load_one(file: &str, text: &str) -> Result<Node, Error> {
    parse(file, text).and_then(|parsed| parsed.into_one(file))
}

impl Parsed {
    /// The only document, a null node at the beginning of `file` when there is none.
    ///
    /// # Errors
    /// There is more than one document.
    pub fn into_one(self, file: &str) -> Result<Node, Error> {
        let mut documents = self.documents.into_iter();
        let first = documents.next().unwrap_or_else(|| Node::new(Value::Null, diagnostic::Position::new(file, 1, 1)));
        match documents.next() {
            None => Ok(first),
            Some(second) => Err(Error::Invalid(Mistakes::from(
                Mistake::at(second.position, "a second document, where one is expected")
                    .labelled("the second document begins here")
                    .hinted("remove the `---` above it, or move it to a file of its own"),
            ))),
        }
    }
}
