use std::collections::HashSet;
use std::sync::Arc;

use crate::domain::{Probability, Reply, SpokenOrder};
use crate::speech::grammar::{Grammar, Standing};
use crate::speech::{Closed, Transcriber};

/// So many words of the menu make a sentence worth hearing again as an order.
const WORDS_MIN: usize = 2;

/// Hears orders by a closed grammar, on one recogniser.
pub struct OrderEar {
    pub(super) closed: Closed,
    pub(super) words: MenuWords,
}

impl OrderEar {
    /// `words` are those of the menu, in lower case: only a sentence with some of them is searched for an order, which takes longer than
    /// writing down its words did.
    pub fn new(grammar: Arc<Grammar>, words: Arc<HashSet<String>>, transcriber: &Transcriber) -> Self {
        Self { closed: Closed::new(grammar, transcriber), words: MenuWords(words) }
    }
}

/// Words by which an order is known.
pub(super) struct MenuWords(Arc<HashSet<String>>);

impl MenuWords {
    /// Whether open words sound like an order.
    pub(super) fn are_in(&self, text: &str) -> bool {
        let words = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
        words.filter(|word| self.0.contains(word)).collect::<HashSet<_>>().len() >= WORDS_MIN
    }
}

/// Grammars of the desk that read written words.
#[derive(Debug, Clone, Default)]
pub struct Grammars {
    /// What can be ordered.
    pub orders: Option<Arc<Grammar>>,
    /// Yes, no, that's all.
    pub replies: Option<Arc<Grammar>>,
}

impl Grammars {
    /// A sentence as an order. `confidence` is how sure it is that these are the words.
    pub fn order(&self, text: &str, confidence: Probability) -> Option<SpokenOrder> {
        let reading = self.orders.as_ref()?.read(text)?;
        Some(SpokenOrder { text: text.trim().to_owned(), intent: reading.intent, slots: reading.slots, confidence })
    }

    /// Where words stand, heard at a pause: whether an order is only begun. A reply is whole, though "yes" may open an order as well.
    pub fn standing(&self, text: &str) -> Option<Standing> {
        let is_reply = self.replies.as_ref().is_some_and(|replies| replies.is_complete(text));
        if is_reply { Some(Standing::Whole { slots_open: 0 }) } else { self.orders.as_ref().map(|orders| orders.standing(text)) }
    }

    /// What a few fixed words mean, by the shop's list of the grammar's intents.
    pub fn reply(&self, text: &str, replies: &std::collections::BTreeMap<String, Reply>) -> Option<Reply> {
        let reading = self.replies.as_ref()?.read(text)?;
        replies.get(&reading.intent).copied()
    }
}
