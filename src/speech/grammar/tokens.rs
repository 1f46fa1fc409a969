use std::collections::HashMap;
use std::sync::Arc;

use super::Grammar;
use super::states::StateId;

/// Arcs kept for states that were asked for, together, 8 bytes each. The whole coffee bar has 19,057 with the tokens of tiny.en.
const CACHED_ARCS_MAX: usize = 1 << 20;

/// Which tokens of a recogniser may come next, for each state of a grammar.
///
/// Trie and automaton are walked together. A token may end within a word, so a text may be spelt by any row of tokens that make it
/// up; upper and lower case are one. Tokens that are empty or no ASCII text are never allowed.
#[derive(Debug)]
pub struct TokenMask {
    grammar: Arc<Grammar>,
    trie: Trie,
    cache: HashMap<StateId, Arc<Allowed>>,
    cached_arcs: usize,
}

/// What may come next in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Tokens by number, and the state that each leads to.
    pub tokens: Vec<(u32, StateId)>,
    /// Whether the text may end here.
    pub is_final: bool,
}

impl TokenMask {
    /// `tokens[i]` is the text of token `i`, of text tokens only.
    pub fn new(grammar: Arc<Grammar>, tokens: &[Vec<u8>]) -> Self {
        Self { grammar, trie: Trie::of(tokens), cache: HashMap::new(), cached_arcs: 0 }
    }

    /// Where every text begins.
    pub fn start(&self) -> StateId {
        self.grammar.states.start()
    }

    /// The grammar behind it.
    pub fn grammar(&self) -> &Arc<Grammar> {
        &self.grammar
    }

    /// What may come next. A state is looked at once, unless the cache was emptied since.
    pub fn allowed(&mut self, state: StateId) -> Arc<Allowed> {
        if let Some(known) = self.cache.get(&state) {
            return Arc::clone(known);
        }
        let allowed = Arc::new(self.look(state));
        if self.cached_arcs + allowed.tokens.len() > CACHED_ARCS_MAX {
            self.cache.clear();
            self.cached_arcs = 0;
        }
        self.cached_arcs += allowed.tokens.len();
        self.cache.insert(state, Arc::clone(&allowed));
        allowed
    }

    fn look(&self, state: StateId) -> Allowed {
        let states = &self.grammar.states;
        let mut tokens = Vec::new();
        let mut open = vec![(0, state)];
        while let Some((node, at)) = open.pop() {
            tokens.extend(self.trie.tokens(node).iter().map(|&token| (token, at)));
            let (mut edges, mut arcs) = (self.trie.edges(node), states.arcs(at));
            while let (Some(edge), Some(arc)) = (edges.first(), arcs.first()) {
                match edge.0.cmp(&arc.0) {
                    std::cmp::Ordering::Less => edges = &edges[1..],
                    std::cmp::Ordering::Greater => arcs = &arcs[1..],
                    std::cmp::Ordering::Equal => {
                        open.push((edge.1, arc.1));
                        (edges, arcs) = (&edges[1..], &arcs[1..]);
                    }
                }
            }
        }
        tokens.sort_unstable();
        Allowed { tokens, is_final: states.is_final(state) }
    }
}

/// The lower-cased texts of all tokens, by their beginnings. Node 0 is the empty beginning.
#[derive(Debug)]
struct Trie {
    /// Of each node, where its edges and its tokens begin; one more entry says where the last one's end.
    first: Vec<(u32, u32)>,
    /// Sorted by character within a node.
    edges: Vec<(u8, u32)>,
    tokens: Vec<u32>,
}

impl Trie {
    fn of(tokens: &[Vec<u8>]) -> Self {
        let is_heard = |text: &[u8]| !text.is_empty() && text.is_ascii();
        let mut texts: Vec<(Vec<u8>, u32)> =
            tokens.iter().enumerate().filter(|(_, text)| is_heard(text)).map(|(id, text)| (text.to_ascii_lowercase(), id as u32)).collect();
        texts.sort_unstable();
        let mut trie = Self { first: Vec::new(), edges: Vec::new(), tokens: Vec::new() };
        // A node is the stretch of sorted texts that begin in the same way, and the length of that beginning. Nodes are numbered in
        // the order in which they are found, level by level, so that those below one lie side by side.
        let mut nodes = std::collections::VecDeque::from([(0, texts.len(), 0)]);
        let mut found = 1;
        while let Some((from, to, length)) = nodes.pop_front() {
            trie.first.push((trie.edges.len() as u32, trie.tokens.len() as u32));
            let whole = texts[from..to].iter().take_while(|(text, _)| text.len() == length).count();
            trie.tokens.extend(texts[from..from + whole].iter().map(|(_, id)| id));
            let mut at = from + whole;
            for group in texts[from + whole..to].chunk_by(|a, b| a.0[length] == b.0[length]) {
                trie.edges.push((group[0].0[length], found));
                found += 1;
                nodes.push_back((at, at + group.len(), length + 1));
                at += group.len();
            }
        }
        trie.first.push((trie.edges.len() as u32, trie.tokens.len() as u32));
        trie
    }

    fn edges(&self, node: u32) -> &[(u8, u32)] {
        let at = node as usize;
        &self.edges[self.first[at].0 as usize..self.first[at + 1].0 as usize]
    }

    fn tokens(&self, node: u32) -> &[u32] {
        let at = node as usize;
        &self.tokens[self.first[at].1 as usize..self.first[at + 1].1 as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Instant;

    use super::*;
    use crate::speech::grammar::token_size;

    fn coffee() -> Arc<Grammar> {
        Arc::new(Grammar::parse(include_str!("../../../config/grammars/coffee.toml")).unwrap_or_else(|e| panic!("{e}")))
    }

    /// The text tokens of a Whisper in ggml's format; `None` where it was not fetched.
    fn whisper_tokens() -> Option<Vec<Vec<u8>>> {
        /// Of the English models; those above are no text.
        const TEXT_TOKENS: usize = 50_256;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/fetched/whisper/ggml-tiny.en-short.bin");
        let bytes = std::fs::read(path).ok()?;
        let word = |at: usize| bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize);
        let mut at = 48 + 8 + 4 * word(48)? * word(52)? + 4;
        let mut tokens = Vec::new();
        for _ in 0..TEXT_TOKENS {
            let length = word(at)?;
            tokens.push(bytes.get(at + 4..at + 4 + length)?.to_vec());
            at += 4 + length;
        }
        Some(tokens)
    }

    #[test]
    fn a_token_may_end_within_a_word_and_case_does_not_matter() {
        let texts = [" Can", " c", "an", " latte", " la", "tte", "LATTE", " house", " medium", " roast", "", "\u{e9}", "."];
        let tokens: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
        let mut mask = TokenMask::new(coffee(), &tokens);
        let texts_of = |allowed: &Allowed| allowed.tokens.iter().map(|(id, _)| texts[*id as usize]).collect::<Vec<_>>();
        let first = mask.allowed(mask.start());
        assert_eq!(texts_of(&first), [" Can", " c", " latte", " la", " house", " medium"]);
        assert!(!first.is_final);
        let after_la = first.tokens.iter().find(|(id, _)| *id == 4).expect("allowed").1;
        let second = mask.allowed(after_la);
        assert_eq!(texts_of(&second), ["tte"]);
        let third = mask.allowed(second.tokens[0].1);
        assert_eq!((texts_of(&third), third.is_final), (vec!["."], true));
    }

    #[test]
    fn the_whole_coffee_bar_is_small_in_tokens() {
        let Some(tokens) = whisper_tokens() else {
            eprintln!("SKIPPED the_whole_coffee_bar_is_small_in_tokens: models/fetched/whisper is not there; run `make setup`");
            return;
        };
        let begun = Instant::now();
        let grammar = coffee();
        let parsed = begun.elapsed();
        let mut mask = TokenMask::new(grammar, &tokens);
        let trie = begun.elapsed();
        let size = token_size(&mut mask);
        let looked = begun.elapsed();
        println!("{size:?}; grammar {parsed:?}, trie {:?}, all states {:?}", trie - parsed, looked - trie);
        assert_eq!(size.dead_ends, 0, "every sentence can be spelt");
        // Counted work instead of time, which a busy machine stretches: 856 states and 19,057 arcs take 10 ms.
        assert!((100..2_000).contains(&size.states) && (1_000..50_000).contains(&size.arcs), "{size:?}");
    }
}
