//! What an accepted text means, by the way it takes through the automaton.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::program::{Node, NodeId, Program, Tag};

/// What was understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading {
    /// What the person wants.
    pub intent: String,
    /// The slots that were filled, with the values as the grammar file writes them.
    pub slots: BTreeMap<String, String>,
}

/// A way through the automaton: which sentence, and the tags on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    pub sentence: u16,
    /// In the order of the text.
    pub tags: Vec<Tag>,
}

/// What can be told from a node on; shared, as most nodes only pass on what their follower tells.
type Told = Rc<Vec<Path>>;

/// The ways that spell a text in normal form, at most `most` that differ in what they tell, first those of the first alternatives.
///
/// Forward it is found which nodes can be reached at each character; then, from the end back, what can be told from there on. So the
/// work is text times nodes, however many ways there are.
pub(super) fn paths(program: &Program, text: &[u8], most: usize) -> Vec<Path> {
    let mut after: Vec<(NodeId, Told)> = Vec::new();
    for (at, nodes) in reached(program, text).iter().enumerate().rev() {
        let mut here: Vec<(NodeId, Told)> = Vec::new();
        // A node's followers have smaller numbers, so those without a character between come first.
        for &node in nodes {
            let told = match program.node(node) {
                Node::Byte(byte, next) if text.get(at) == Some(byte) => told_by(&after, *next).cloned(),
                Node::Byte(..) => None,
                Node::Split(ways) => first_distinct(ways.iter().filter_map(|way| told_by(&here, *way)), most),
                Node::Tag(tag, next) => told_by(&here, *next).map(|told| Rc::new(told.iter().map(|path| path.with(*tag)).collect())),
                Node::Accept(sentence) => (at == text.len()).then(|| Rc::new(vec![Path { sentence: *sentence, tags: Vec::new() }])),
            };
            here.extend(told.map(|told| (node, told)));
        }
        after = here;
    }
    let mut paths = told_by(&after, program.start).map_or(Vec::new(), |told| told.to_vec());
    paths.iter_mut().for_each(|path| path.tags.reverse());
    paths
}

fn told_by(known: &[(NodeId, Told)], node: NodeId) -> Option<&Told> {
    known.binary_search_by_key(&node, |(node, _)| *node).ok().map(|at| &known[at].1)
}

impl Path {
    /// While they are found tags stand last first, as they are met from the end.
    fn with(&self, tag: Tag) -> Self {
        Self { sentence: self.sentence, tags: self.tags.iter().copied().chain([tag]).collect() }
    }
}

fn first_distinct<'a>(mut each: impl Iterator<Item = &'a Told>, most: usize) -> Option<Told> {
    let mut kept = Rc::clone(each.next()?);
    for told in each {
        for path in told.iter() {
            if kept.len() >= most {
                return Some(kept);
            }
            if !kept.contains(path) {
                Rc::make_mut(&mut kept).push(path.clone());
            }
        }
    }
    Some(kept)
}

/// The nodes that can be reached before each character and at the end, sorted.
fn reached(program: &Program, text: &[u8]) -> Vec<Vec<NodeId>> {
    let mut all = Vec::with_capacity(text.len() + 1);
    // The round in which a node was seen last; rounds are counted from 1.
    let mut seen = vec![0; program.nodes.len()];
    let mut open = vec![program.start];
    for at in 0..=text.len() {
        let (mut nodes, mut next) = (Vec::new(), Vec::new());
        while let Some(node) = open.pop() {
            if std::mem::replace(&mut seen[node as usize], at + 1) == at + 1 {
                continue;
            }
            match program.node(node) {
                Node::Byte(byte, to) if text.get(at) == Some(byte) => next.push(*to),
                // It leads nowhere on this text.
                Node::Byte(..) => continue,
                Node::Accept(_) => {}
                Node::Split(ways) => open.extend(ways.iter()),
                Node::Tag(_, to) => open.push(*to),
            }
            nodes.push(node);
        }
        nodes.sort_unstable();
        all.push(nodes);
        open = next;
    }
    all
}
