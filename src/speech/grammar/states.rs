//! The automaton as it is walked: deterministic, with as few states as there can be.

use std::collections::HashMap;

use super::program::{Node, NodeId, Program};

/// A larger automaton is refused. The coffee bar has 856 states after equal ones are put together.
const STATES_MAX: usize = 300_000;
/// Nodes in all states together.
const MEMBERS_MAX: usize = 16 << 20;
/// Nobody says more in one breath, in characters.
pub(super) const TEXT_BYTES_MAX: usize = 2_000;

/// A place in a grammar: what was said so far, as far as it matters for what may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateId(u32);

/// Every state leads to the end of a sentence. Texts are in normal form: they begin with a blank, and no blank stands at the end or
/// beside another. A state's followers have smaller numbers.
#[derive(Debug)]
pub(super) struct States {
    /// Where the arcs of a state begin, and where the last one's end.
    first_arc: Vec<u32>,
    /// Sorted by character within a state.
    arcs: Vec<(u8, StateId)>,
    is_final: Vec<bool>,
    start: StateId,
}

impl States {
    /// Makes the program deterministic. The error is half a sentence.
    pub fn of(program: &Program) -> Result<Self, String> {
        let states = Subsets::of(program)?.minimal().ok_or("nothing can be said: no sentence begins with a word")?;
        let longest = states.longest();
        if longest > TEXT_BYTES_MAX {
            return Err(format!("the longest sentence has {longest} characters; at most {TEXT_BYTES_MAX} are heard, so repeat less"));
        }
        Ok(states)
    }

    pub fn start(&self) -> StateId {
        self.start
    }

    pub fn is_final(&self, state: StateId) -> bool {
        self.is_final.get(state.0 as usize).copied().unwrap_or(false)
    }

    /// What may follow, sorted by character.
    pub fn arcs(&self, state: StateId) -> &[(u8, StateId)] {
        let at = state.0 as usize;
        match (self.first_arc.get(at), self.first_arc.get(at + 1)) {
            (Some(&from), Some(&to)) => &self.arcs[from as usize..to as usize],
            _ => &[],
        }
    }

    /// Where a text leads to.
    pub fn walk(&self, text: &[u8]) -> Option<StateId> {
        text.iter().try_fold(self.start, |state, &byte| {
            let arcs = self.arcs(state);
            arcs.binary_search_by_key(&byte, |arc| arc.0).ok().map(|at| arcs[at].1)
        })
    }

    pub fn len(&self) -> usize {
        self.is_final.len()
    }

    pub fn arcs_len(&self) -> usize {
        self.arcs.len()
    }

    /// How many texts lead from each state to an end; more than 2^53 are counted roughly.
    pub fn texts(&self) -> f64 {
        let counts =
            self.fold(|is_final, arcs: &mut dyn Iterator<Item = (u8, f64)>| f64::from(u8::from(is_final)) + arcs.map(|a| a.1).sum::<f64>());
        counts[self.start.0 as usize]
    }

    /// Characters of the longest text.
    pub fn longest(&self) -> usize {
        let lengths = self.fold(|_, arcs: &mut dyn Iterator<Item = (u8, usize)>| arcs.map(|a| a.1 + 1).max().unwrap_or(0));
        lengths[self.start.0 as usize]
    }

    /// For each state, whether another word may follow.
    pub fn words_follow(&self) -> Vec<bool> {
        self.fold(|_, arcs: &mut dyn Iterator<Item = (u8, bool)>| arcs.fold(false, |any, (byte, later)| any || byte == b' ' || later))
    }

    /// A figure for each state, from those of its followers.
    fn fold<T: Copy>(&self, figure: impl Fn(bool, &mut dyn Iterator<Item = (u8, T)>) -> T) -> Vec<T> {
        let mut figures: Vec<T> = Vec::with_capacity(self.len());
        for at in 0..self.len() {
            let state = StateId(at as u32);
            let mut arcs = self.arcs(state).iter().map(|&(byte, to)| (byte, figures[to.0 as usize]));
            let of_state = figure(self.is_final(state), &mut arcs);
            figures.push(of_state);
        }
        figures
    }

    /// The place of a state in what [`States::words_follow`] returns.
    pub fn index(state: StateId) -> usize {
        state.0 as usize
    }
}

/// A state before equal ones are put together: the nodes one may be at, and whether the last character was a blank.
type Subset = (Box<[NodeId]>, bool);

/// All of them, the first being the start.
#[derive(Default)]
struct Subsets {
    arcs: Vec<Vec<(u8, u32)>>,
    is_final: Vec<bool>,
}

impl Subsets {
    fn of(program: &Program) -> Result<Self, String> {
        let mut closure = Closure::new(program);
        let mut known: HashMap<Subset, u32> = HashMap::new();
        let mut sets: Vec<Subset> = Vec::new();
        let mut members = 0;
        let mut intern = |set: Subset, sets: &mut Vec<Subset>| {
            if let Some(&known) = known.get(&set) {
                return Ok(known);
            }
            members += set.0.len();
            if sets.len() >= STATES_MAX || members > MEMBERS_MAX {
                return Err(format!("the grammar is too large: it needs more than {STATES_MAX} states; use fewer parts in any order"));
            }
            let id = sets.len() as u32;
            sets.push(set.clone());
            known.insert(set, id);
            Ok(id)
        };
        intern((closure.of([program.start].into_iter()), false), &mut sets)?;
        let mut subsets = Self::default();
        while let Some((nodes, after_blank)) = sets.get(subsets.arcs.len()).cloned() {
            let is_start = subsets.arcs.is_empty();
            let mut steps: Vec<(u8, NodeId)> = Vec::new();
            let mut accepts = false;
            for &node in &nodes {
                match *program.node(node) {
                    Node::Byte(byte, next) => steps.push((byte, next)),
                    _ => accepts = true,
                }
            }
            // Texts in normal form only: a blank at the start, and never two.
            steps.retain(|&(byte, _)| if byte == b' ' { !after_blank } else { !is_start });
            steps.sort_unstable();
            let mut arcs = Vec::new();
            for group in steps.chunk_by(|a, b| a.0 == b.0) {
                let byte = group[0].0;
                let set = closure.of(group.iter().map(|step| step.1));
                arcs.push((byte, intern((set, byte == b' '), &mut sets)?));
            }
            subsets.arcs.push(arcs);
            subsets.is_final.push(accepts && !after_blank && !is_start);
        }
        Ok(subsets)
    }

    /// Puts states together from which the same texts lead to an end, and leaves out those from which none does: from the ends back,
    /// which is possible as there are no circles. `None` where nothing is left.
    fn minimal(&self) -> Option<States> {
        let mut known: HashMap<(bool, Vec<(u8, StateId)>), StateId> = HashMap::new();
        let mut merged: Vec<Option<StateId>> = vec![None; self.arcs.len()];
        let mut states = States { first_arc: vec![0], arcs: Vec::new(), is_final: Vec::new(), start: StateId(0) };
        for at in self.followers_first() {
            let arcs: Vec<_> = self.arcs[at].iter().filter_map(|&(byte, to)| merged[to as usize].map(|to| (byte, to))).collect();
            if arcs.is_empty() && !self.is_final[at] {
                continue;
            }
            let key = (self.is_final[at], arcs);
            merged[at] = Some(match known.get(&key) {
                Some(&id) => id,
                None => {
                    let id = StateId(states.is_final.len() as u32);
                    states.arcs.extend(&key.1);
                    states.first_arc.push(states.arcs.len() as u32);
                    states.is_final.push(key.0);
                    known.insert(key, id);
                    id
                }
            });
        }
        states.start = (*merged.first()?)?;
        Some(states)
    }

    fn followers_first(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.arcs.len());
        let mut is_seen = vec![false; self.arcs.len()];
        let mut open = vec![(0, 0)];
        is_seen[0] = true;
        while let Some((at, arc)) = open.last_mut() {
            match self.arcs[*at].get(*arc) {
                Some(&(_, to)) => {
                    *arc += 1;
                    if !std::mem::replace(&mut is_seen[to as usize], true) {
                        open.push((to as usize, 0));
                    }
                }
                None => {
                    order.push(*at);
                    open.pop();
                }
            }
        }
        order
    }
}

/// Nodes that are reached without a character.
struct Closure<'a> {
    program: &'a Program,
    /// The round in which a node was seen last.
    seen: Vec<u32>,
    round: u32,
    open: Vec<NodeId>,
}

impl<'a> Closure<'a> {
    fn new(program: &'a Program) -> Self {
        Self { program, seen: vec![0; program.nodes.len()], round: 0, open: Vec::new() }
    }

    /// The characters and ends among them, sorted.
    fn of(&mut self, from: impl Iterator<Item = NodeId>) -> Box<[NodeId]> {
        self.round += 1;
        self.open.extend(from);
        let mut found = Vec::new();
        while let Some(node) = self.open.pop() {
            if std::mem::replace(&mut self.seen[node as usize], self.round) == self.round {
                continue;
            }
            match self.program.node(node) {
                Node::Byte(..) | Node::Accept(_) => found.push(node),
                Node::Split(ways) => self.open.extend(ways.iter()),
                Node::Tag(_, next) => self.open.push(*next),
            }
        }
        found.sort_unstable();
        found.into()
    }
}
