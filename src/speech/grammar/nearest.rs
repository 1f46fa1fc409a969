//! How near a text comes to what the grammar accepts, for words that were heard a little wrong.

use super::program::{Node, Program};
use super::{Grammar, normal_form, without_last_marks};

/// Longer texts are not compared, in characters: nobody orders as much in one breath, and the work is text times nodes.
const COMPARED_BYTES_MAX: usize = 240;

/// Nodes times characters beyond which a text is not compared: what takes some 5 ms. The coffee bar's longest order needs two thirds of it.
const COMPARED_STEPS_MAX: usize = 600_000;

/// What cannot be reached.
const FAR: u16 = u16::MAX / 2;

/// One edit in so many characters is taken for a word that was heard wrong; with more, it is another sentence. "Make me a light rose" for
/// "light roast" is two in twenty.
const CHARACTERS_PER_EDIT: u16 = 5;

/// Where words stand in a grammar, letters that were heard wrong forgiven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// They are none of its sentences, nor the beginning of one.
    Elsewhere,
    /// They are nearer to the beginning of a sentence than to a whole one.
    Begun,
    /// They are a sentence.
    Whole {
        /// Slots that could still be filled by more words; 0 where nothing but courtesies may follow.
        slots_open: u8,
    },
}

/// The sentence, or beginning of one, that a text is nearest to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Nearest {
    /// Characters of the text, in normal form.
    characters: u16,
    /// Least characters to put in, take out or exchange until some sentence begins like this.
    edits: u16,
    /// The same until it is a whole sentence: at least `edits`. Where it is as few, the sentence may be over.
    edits_whole: u16,
    /// Slots that could still be filled after that whole sentence.
    slots_open: u8,
}

/// What [`Nearest`] needs to know of each node of a program.
#[derive(Debug)]
pub(super) struct Ahead {
    /// Slots that get a value somewhere behind the node, a bit each; those from the 64th on share the last.
    slots: Vec<u64>,
    /// Whether a sentence may end here without another character.
    ends: Vec<bool>,
}

impl Ahead {
    pub fn of(program: &Program) -> Self {
        let (mut slots, mut ends): (Vec<u64>, Vec<bool>) = (Vec::new(), Vec::new());
        // A node's followers have smaller numbers.
        for node in &program.nodes {
            let (behind, end) = match node {
                Node::Byte(_, next) => (slots[*next as usize], false),
                Node::Tag(tag, next) => (slots[*next as usize] | 1 << tag.slot.min(63), ends[*next as usize]),
                Node::Split(ways) => {
                    (ways.iter().fold(0, |all, way| all | slots[*way as usize]), ways.iter().any(|way| ends[*way as usize]))
                }
                Node::Accept(_) => (0, true),
            };
            slots.push(behind);
            ends.push(end);
        }
        Self { slots, ends }
    }
}

impl Grammar {
    /// Where a text stands, letters that were heard wrong forgiven. Of one word it is not told that it is begun: "yes" and "hello" may open
    /// an order, and mostly do not. An order takes about a millisecond.
    pub fn standing(&self, text: &str) -> Standing {
        match self.nearest(text) {
            Some(near) if near.edits.saturating_mul(CHARACTERS_PER_EDIT) > near.characters => Standing::Elsewhere,
            Some(Nearest { edits, edits_whole, slots_open, .. }) if edits_whole == edits => Standing::Whole { slots_open },
            Some(_) if text.split_whitespace().nth(1).is_some() => Standing::Begun,
            _ => Standing::Elsewhere,
        }
    }

    /// The sentence, or beginning of one, that a text is nearest to by its letters (Levenshtein's distance to a set of texts, by dynamic
    /// programming over text and nodes). `None` for an empty text, one in another alphabet, one of more than 240 characters, and where
    /// the grammar is so large that it would take long.
    fn nearest(&self, text: &str) -> Option<Nearest> {
        // Behind a full stop nothing may follow, and a recogniser puts one behind half an order too.
        let normal = normal_form(text)?;
        let bare = without_last_marks(&normal);
        let is_final = |text: &[u8]| self.states.walk(text).is_some_and(|state| self.states.is_final(state));
        let text = if is_final(&normal) && !is_final(bare) { &normal } else { bare };
        let program = &self.program;
        if text.is_empty() || text.len() > COMPARED_BYTES_MAX || text.len() * program.nodes.len() > COMPARED_STEPS_MAX {
            return None;
        }
        let mut here = vec![FAR; program.nodes.len()];
        here[program.start as usize] = 0;
        spread(program, &mut here);
        for &byte in text {
            let mut next: Vec<u16> = here.iter().map(|cost| cost + 1).collect();
            for (node, &cost) in program.nodes.iter().zip(&here) {
                if let Node::Byte(expected, to) = node {
                    let to = &mut next[*to as usize];
                    *to = (*to).min(cost + u16::from(*expected != byte));
                }
            }
            next.iter_mut().for_each(|cost| *cost = (*cost).min(FAR));
            spread(program, &mut next);
            here = next;
        }
        let edits = here.iter().copied().min()?;
        let ends = || here.iter().zip(&self.ahead.ends).zip(&self.ahead.slots).filter(|((_, ends), _)| **ends);
        let edits_whole = ends().map(|((cost, _), _)| *cost).min()?;
        let slots = ends().filter(|((cost, _), _)| **cost == edits_whole).fold(0, |all, (_, slots)| all | slots);
        Some(Nearest { characters: text.len() as u16, edits, edits_whole, slots_open: slots.count_ones() as u8 })
    }
}

/// Goes on from each node without a character of the text: for nothing where the grammar has none there either, for one edit where it has.
fn spread(program: &Program, costs: &mut [u16]) {
    for (at, node) in program.nodes.iter().enumerate().rev() {
        let cost = costs[at];
        if cost >= FAR {
            continue;
        }
        let mut reach = |to: u32, cost: u16| {
            let to = &mut costs[to as usize];
            *to = (*to).min(cost);
        };
        match node {
            Node::Byte(_, next) => reach(*next, cost + 1),
            Node::Tag(_, next) => reach(*next, cost),
            Node::Split(ways) => ways.iter().for_each(|way| reach(*way, cost)),
            Node::Accept(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coffee() -> Grammar {
        Grammar::parse(include_str!("../../../config/grammars/coffee.toml")).expect("the shipped grammar")
    }

    fn nearest(text: &str) -> Nearest {
        coffee().nearest(text).expect("a text in this alphabet")
    }

    #[test]
    fn what_is_said_rightly_needs_no_edit() {
        let half = nearest("Can I get a medium, dark");
        assert!(half.edits == 0 && half.edits_whole > 0, "{half:?}");
        let whole = nearest("Can I get a medium latte.");
        assert_eq!((whole.edits, whole.edits_whole), (0, 0));
    }

    #[test]
    fn what_may_still_be_said_is_counted_in_slots() {
        let open = |text: &str| nearest(text).slots_open;
        assert_eq!([open("a latte"), open("a latte with milk"), open("a latte with milk and sugar"), open("a latte please")], [2, 1, 0, 0]);
    }

    #[test]
    fn words_that_were_heard_a_little_wrong_are_still_half_an_order_or_a_whole_one() {
        let coffee = coffee();
        let table = [
            ("Make me a light rose.", Standing::Begun),
            ("Can I have a small trip?", Standing::Begun),
            ("Get me a large, dark roast house coffee with...", Standing::Begun),
            ("Get me a dark rose moca.", Standing::Whole { slots_open: 2 }),
            ("Brew a coffee with some skin milk.", Standing::Whole { slots_open: 1 }),
            ("Get me a dark rose moca with hole milk and sugar.", Standing::Whole { slots_open: 0 }),
            ("Latte.", Standing::Whole { slots_open: 2 }),
            ("How far is it to the station from here?", Standing::Elsewhere),
            ("How much is this?", Standing::Elsewhere),
            ("Hello.", Standing::Elsewhere),
            ("", Standing::Elsewhere),
        ];
        for (text, expected) in table {
            assert_eq!(coffee.standing(text), expected, "{text:?}");
        }
    }

    #[test]
    fn nothing_and_too_much_are_not_compared() {
        assert_eq!([coffee().nearest("..."), coffee().nearest(&"latte ".repeat(100)), coffee().nearest("кофе")], [None; 3]);
    }
}
