//! Anchors and what aliases may do with them: expansion is bounded, so that a few lines can not fill the memory.

use crate::{Node, Value};
use std::collections::HashMap;

/// How many nodes all aliases of a text may stand for together. Ansible has no bound, since Python shares the nodes; the
/// largest hand-written files stay a hundred times below this.
pub(crate) const MOST_ALIASED_NODES: usize = 200_000;

/// How deep nodes may lie, aliases expanded. The parser itself takes 255 levels of each style.
pub(crate) const DEEPEST: usize = 512;

/// An anchored node and what it costs to repeat it.
struct Anchored {
    node: Node,
    nodes: usize,
    height: usize,
}

/// Why an alias stands for nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It stands inside the node that it names.
    Cyclic,
    /// [`MOST_ALIASED_NODES`].
    TooMany,
    /// [`DEEPEST`].
    TooDeep,
}

/// The anchors of a text by the parser's numbers.
#[derive(Default)]
pub(crate) struct Anchors {
    known: HashMap<usize, Anchored>,
    expanded: usize,
}

impl Anchors {
    /// Remembers a complete node; number 0 means that it has no anchor.
    pub fn define(&mut self, number: usize, node: &Node) {
        if number != 0 {
            let (nodes, height) = measure(node);
            self.known.insert(number, Anchored { node: node.clone(), nodes, height });
        }
    }

    /// Whether the bound is passed, and reading on would only report it again.
    pub fn is_exhausted(&self) -> bool {
        self.expanded > MOST_ALIASED_NODES
    }

    /// A copy of the node, for an alias that lies `depth` levels deep.
    pub fn expand(&mut self, number: usize, depth: usize) -> Result<Node, Refusal> {
        let anchored = self.known.get(&number).ok_or(Refusal::Cyclic)?;
        self.expanded = self.expanded.saturating_add(anchored.nodes);
        if self.expanded > MOST_ALIASED_NODES {
            return Err(Refusal::TooMany);
        }
        if depth + anchored.height > DEEPEST {
            return Err(Refusal::TooDeep);
        }
        Ok(anchored.node.clone())
    }
}

/// Number of nodes and levels. Recursion is bounded by [`DEEPEST`], which every composed node keeps.
fn measure(node: &Node) -> (usize, usize) {
    let add = |sum: (usize, usize), child: &Node| {
        let (nodes, height) = measure(child);
        (sum.0 + nodes, sum.1.max(height + 1))
    };
    match &node.value {
        Value::Sequence(items) => items.iter().fold((1, 1), add),
        Value::Mapping(mapping) => mapping.iter().fold((1, 1), |sum, (key, value)| add(add(sum, key), value)),
        _ => (1, 1),
    }
}
