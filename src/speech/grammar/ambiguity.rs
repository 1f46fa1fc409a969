//! Looks for texts that can be read in two ways: two ways through the automaton at once, along the same characters.

use std::collections::{HashSet, VecDeque};

use super::program::{Node, NodeId, Program, Tag};

/// Pairs looked at before the search gives up.
const PAIRS_MAX: usize = 1_000_000;
/// Pairs tried, most of which are seen at once to agree in nothing. Ten thousand words in one list are more.
const TRIED_MAX: usize = 20_000_000;
/// Tags that one way may be ahead of the other; further apart they are taken to differ.
const AHEAD_MAX: usize = 8;

/// Characters looked ahead to see that two ways cannot agree. Without it a list of a thousand words is half a million pairs.
const LEAD_MAX: usize = 8;

/// What was found.
pub(super) struct Found {
    /// Texts on which two ways tell different tags, the shortest first. They may still mean the same.
    pub texts: Vec<Vec<u8>>,
    /// Whether all pairs were looked at, or there were too many.
    pub is_complete: bool,
}

/// How the tags of two ways compare.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Told {
    /// The same, but one way (`left` or not) has told these already and the other has not.
    Same {
        left: bool,
        ahead: Vec<Tag>,
    },
    Different,
}

/// Two ways at the same character.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Pair {
    left: NodeId,
    right: NodeId,
    told: Told,
}

/// A pair and how it was reached.
struct Step {
    from: usize,
    byte: Option<u8>,
    pair: Pair,
}

/// At most `most` candidates. `intents` are those of the sentences by number.
pub(super) fn search(program: &Program, intents: &[String], most: usize) -> Found {
    let lengths = lengths_to_end(program);
    let leads = leads(program);
    let first = Pair { left: program.start, right: program.start, told: Told::none_ahead() };
    let mut seen: HashSet<Pair> = HashSet::from([first.clone()]);
    let mut steps = vec![Step { from: 0, byte: None, pair: first }];
    // What costs no character goes before what does, so the shortest texts come first.
    let mut open = VecDeque::from([0]);
    let mut texts: Vec<Vec<u8>> = Vec::new();
    let mut tried = 0;
    while let Some(at) = open.pop_front() {
        let pair = steps[at].pair.clone();
        if let Some(end) = pair.proven(program, intents, &lengths) {
            let mut text = text_of(&steps, at);
            text.extend(end);
            if !texts.contains(&text) {
                texts.push(text);
            }
            if texts.len() >= most {
                return Found::sorted(texts, false);
            }
            continue;
        }
        for (byte, next) in pair.followers(program) {
            tried += 1;
            if steps.len() >= PAIRS_MAX || tried >= TRIED_MAX {
                return Found::sorted(texts, false);
            }
            let (left, right) = (&leads[next.left as usize], &leads[next.right as usize]);
            if !left.agrees_with(right) || seen.contains(&next) {
                continue;
            }
            seen.insert(next.clone());
            let id = steps.len();
            steps.push(Step { from: at, byte, pair: next });
            if byte.is_some() { open.push_back(id) } else { open.push_front(id) }
        }
    }
    Found::sorted(texts, true)
}

impl Found {
    fn sorted(mut texts: Vec<Vec<u8>>, is_complete: bool) -> Self {
        texts.sort_by_key(Vec::len);
        Self { texts, is_complete }
    }
}

impl Told {
    fn none_ahead() -> Self {
        Told::Same { left: true, ahead: Vec::new() }
    }

    /// One way tells a tag.
    fn and(&self, by_left: bool, tag: Tag) -> Self {
        let Told::Same { left, ahead } = self else { return Told::Different };
        if ahead.is_empty() || *left == by_left {
            let ahead: Vec<Tag> = ahead.iter().copied().chain([tag]).collect();
            return if ahead.len() > AHEAD_MAX { Told::Different } else { Told::Same { left: by_left, ahead } };
        }
        match ahead[..] {
            [first] if first == tag => Told::none_ahead(),
            [first, ref rest @ ..] if first == tag => Told::Same { left: *left, ahead: rest.to_vec() },
            _ => Told::Different,
        }
    }

    fn is_same(&self) -> bool {
        *self == Told::none_ahead()
    }
}

impl Pair {
    /// The rest of a text that this pair proves to be read in two ways: the ways have met after telling different things, or both are
    /// at an end.
    fn proven(&self, program: &Program, intents: &[String], lengths: &[usize]) -> Option<Vec<u8>> {
        if self.left == self.right {
            return (!self.told.is_same()).then(|| shortest_end(program, lengths, self.left));
        }
        let (Node::Accept(left), Node::Accept(right)) = (program.node(self.left), program.node(self.right)) else { return None };
        let is_one_intent = intents.get(usize::from(*left)) == intents.get(usize::from(*right));
        (!is_one_intent || !self.told.is_same()).then(Vec::new)
    }

    fn followers<'a>(&'a self, program: &'a Program) -> Box<dyn Iterator<Item = (Option<u8>, Pair)> + 'a> {
        let Pair { left, right, told } = self;
        let on = |byte, left, right| (byte, Pair::new(left, right, told.clone()));
        let (left_node, right_node) = (program.node(*left), program.node(*right));
        if left == right {
            // Still one way: it may go on as one, or part here.
            return match left_node {
                Node::Byte(byte, next) => Box::new(std::iter::once(on(Some(*byte), *next, *next))),
                Node::Tag(_, next) => Box::new(std::iter::once(on(None, *next, *next))),
                Node::Accept(_) => Box::new(std::iter::empty()),
                Node::Split(ways) => {
                    let pairs = ways.iter().enumerate().flat_map(|(index, a)| ways[index..].iter().map(move |b| (*a, *b)));
                    Box::new(pairs.map(move |(a, b)| on(None, a, b)))
                }
            };
        }
        match (left_node, right_node) {
            (Node::Split(ways), _) => Box::new(ways.iter().map(move |way| on(None, *way, *right))),
            (_, Node::Split(ways)) => Box::new(ways.iter().map(move |way| on(None, *left, *way))),
            (Node::Tag(tag, next), _) => Box::new(std::iter::once((None, Pair::new(*next, *right, told.and(true, *tag))))),
            (_, Node::Tag(tag, next)) => Box::new(std::iter::once((None, Pair::new(*left, *next, told.and(false, *tag))))),
            (Node::Byte(a, left), Node::Byte(b, right)) if a == b => Box::new(std::iter::once(on(Some(*a), *left, *right))),
            _ => Box::new(std::iter::empty()),
        }
    }

    /// Which way is called left does not matter, so the smaller one is.
    fn new(left: NodeId, right: NodeId, told: Told) -> Self {
        if left <= right {
            return Self { left, right, told };
        }
        let told = match told {
            Told::Same { left, ahead } if !ahead.is_empty() => Told::Same { left: !left, ahead },
            told => told,
        };
        Self { left: right, right: left, told }
    }
}

/// The characters that every text from a node on begins with, as far as they are looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Lead {
    bytes: [u8; LEAD_MAX],
    length: usize,
}

impl Lead {
    /// The same after one more character.
    fn behind(&self, byte: u8) -> Self {
        let mut bytes = [byte; LEAD_MAX];
        bytes[1..].copy_from_slice(&self.bytes[..LEAD_MAX - 1]);
        Self { bytes, length: LEAD_MAX.min(self.length + 1) }
    }

    fn common(&self, other: &Lead) -> usize {
        let length = self.length.min(other.length);
        (0..length).take_while(|&at| self.bytes[at] == other.bytes[at]).count()
    }

    fn agrees_with(&self, other: &Lead) -> bool {
        self.common(other) == self.length.min(other.length)
    }
}

fn leads(program: &Program) -> Vec<Lead> {
    let mut leads: Vec<Lead> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        let lead = match node {
            Node::Byte(byte, next) => leads[*next as usize].behind(*byte),
            Node::Tag(_, next) => leads[*next as usize],
            Node::Split(ways) => {
                let each = ways.iter().map(|way| leads[*way as usize]);
                each.reduce(|all, lead| Lead { length: all.common(&lead), ..all }).unwrap_or_default()
            }
            Node::Accept(_) => Lead::default(),
        };
        leads.push(lead);
    }
    leads
}

/// How few characters there are from each node to an end.
fn lengths_to_end(program: &Program) -> Vec<usize> {
    let mut lengths: Vec<usize> = Vec::with_capacity(program.nodes.len());
    for node in &program.nodes {
        lengths.push(match node {
            Node::Byte(_, next) => 1 + lengths[*next as usize],
            Node::Split(ways) => ways.iter().map(|way| lengths[*way as usize]).min().unwrap_or(0),
            Node::Tag(_, next) => lengths[*next as usize],
            Node::Accept(_) => 0,
        });
    }
    lengths
}

/// The shortest way from a node to an end.
fn shortest_end(program: &Program, lengths: &[usize], mut at: NodeId) -> Vec<u8> {
    let mut text = Vec::new();
    loop {
        at = match program.node(at) {
            Node::Byte(byte, next) => {
                text.push(*byte);
                *next
            }
            Node::Tag(_, next) => *next,
            Node::Split(ways) => match ways.iter().min_by_key(|way| lengths[**way as usize]) {
                Some(way) => *way,
                None => return text,
            },
            Node::Accept(_) => return text,
        };
    }
}

fn text_of(steps: &[Step], mut at: usize) -> Vec<u8> {
    let mut text = Vec::new();
    while at != 0 {
        text.extend(steps[at].byte);
        at = steps[at].from;
    }
    text.reverse();
    text
}
