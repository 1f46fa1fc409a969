//! What can be said here, as data: a closed grammar, its automaton, and what an accepted sentence means.
//!
//! A shop writes a TOML file with sentences, the phrases in them, and slots with their values (`docs/grammar.md`). [`Grammar::parse`]
//! makes an automaton over lower-case characters of it: names are written out, parts in any order get a place for each set of those
//! said, and the whole is made deterministic and minimal. [`TokenMask`] tells, for each state, which of a recogniser's tokens may come
//! next, so that a search over them can only spell what the grammar allows. The slots of the result are read off the way through the
//! automaton itself ([`Grammar::read`]); no second parser has to agree with it.
//!
//! Nothing here reads a file, hears a sound or knows a tokenizer. There is no unbounded repetition, so a grammar is a finite set of
//! sentences; file, nesting, rounds, nodes, states and the longest sentence have bounds, and what goes beyond is refused with a reason.

mod ambiguity;
mod check;
mod definitions;
mod expression;
mod format;
#[cfg(test)]
mod laws;
mod nearest;
mod program;
mod reading;
mod states;
mod tokens;

pub use check::{Ambiguity, Report, Sample, SlotValues, TokenSize, token_size};
pub use nearest::Standing;
pub use reading::Reading;
pub use states::StateId;
pub use tokens::{Allowed, TokenMask};

use std::collections::BTreeMap;

use definitions::{Contents, Slot};
use nearest::Ahead;
use program::Program;
use reading::Path;
use states::{States, TEXT_BYTES_MAX};

/// A closed grammar, ready to be asked. It is never changed and may be shared.
#[derive(Debug)]
pub struct Grammar {
    name: String,
    /// An intent for each sentence of the file.
    intents: Vec<String>,
    slots: Vec<Slot>,
    /// What each slot may be, as far as that can be listed.
    slot_values: Vec<Option<Vec<String>>>,
    unused: Vec<String>,
    program: Program,
    states: States,
    /// For each state, whether another word may follow.
    words_follow: Vec<bool>,
    /// For each node, what may come behind it.
    ahead: Ahead,
}

/// How far a text has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// No sentence begins like this.
    Impossible,
    /// Something must follow.
    Partial,
    /// It is a sentence. More may follow all the same: [`Grammar::may_go_on`].
    Final,
}

/// A grammar file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{place}: {reason}", line.map_or(String::new(), |line| format!("line {line}, ")))]
pub struct GrammarError {
    /// Counted from 1, where it is known.
    pub line: Option<usize>,
    /// Which part of the file.
    pub place: String,
    /// What was found, and what is expected.
    pub reason: String,
}

/// Values listed for a slot; one with more is described by a few.
const VALUES_LISTED_MAX: usize = 100;

impl Grammar {
    /// A larger file is refused, in bytes; nobody needs to read more of it.
    pub const FILE_BYTES_MAX: usize = 1 << 20;

    /// Reads a grammar file and builds the automaton.
    ///
    /// # Errors
    /// The first thing that is wrong, with the line where it stands.
    pub fn parse(toml: &str) -> Result<Self, GrammarError> {
        let contents = Contents::of(toml)?;
        let whole = |reason| GrammarError { line: None, place: "the file".to_owned(), reason };
        let program = Program::of(&contents.sentences, &contents.definitions).map_err(whole)?;
        let states = States::of(&program).map_err(whole)?;
        let values = |slot| definitions::values_of(slot, &contents.definitions, VALUES_LISTED_MAX);
        Ok(Self {
            slot_values: contents.slots.iter().map(values).collect(),
            words_follow: states.words_follow(),
            ahead: Ahead::of(&program),
            name: contents.name,
            intents: contents.intents,
            slots: contents.slots,
            unused: contents.unused,
            program,
            states,
        })
    }

    /// Its name, as the file gives it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a text means; `None` where it is not accepted. Case, blanks around it and marks at its end do not matter. Where the grammar
    /// is ambiguous, the reading of what stands first in the file is taken.
    pub fn read(&self, text: &str) -> Option<Reading> {
        let text = self.accepted_form(text)?;
        reading::paths(&self.program, &text, 1).first().map(|path| self.reading(path))
    }

    /// Whether a text is a whole sentence.
    pub fn is_complete(&self, text: &str) -> bool {
        self.progress(text) == Progress::Final
    }

    /// Whether a text is a sentence, or could become one. A mark at its end, as a recogniser puts it after half a sentence, does not
    /// matter.
    pub fn progress(&self, text: &str) -> Progress {
        match self.state_after(text) {
            Some(state) if self.states.is_final(state) => Progress::Final,
            Some(_) => Progress::Partial,
            None => Progress::Impossible,
        }
    }

    /// Whether another word may follow. Who has said a sentence that cannot go on need not be waited for.
    pub fn may_go_on(&self, text: &str) -> bool {
        self.state_after(text).is_some_and(|state| self.words_follow[States::index(state)])
    }

    /// The text as it stands, or without its last marks where it leads nowhere with them.
    fn state_after(&self, text: &str) -> Option<StateId> {
        let text = normal_form(text)?;
        self.states.walk(&text).or_else(|| self.states.walk(without_last_marks(&text)))
    }

    fn accepted_form(&self, text: &str) -> Option<Vec<u8>> {
        let text = normal_form(text)?;
        let is_accepted = |text: &[u8]| self.states.walk(text).is_some_and(|state| self.states.is_final(state));
        if is_accepted(&text) {
            return Some(text);
        }
        let bare = without_last_marks(&text);
        is_accepted(bare).then(|| bare.to_vec())
    }

    fn reading(&self, path: &Path) -> Reading {
        let mut slots: BTreeMap<String, String> = BTreeMap::new();
        for tag in &path.tags {
            let Slot { name, join } = &self.slots[usize::from(tag.slot)];
            let value = &self.program.values[tag.value as usize];
            match slots.get_mut(name) {
                Some(begun) => {
                    begun.push_str(join);
                    begun.push_str(value);
                }
                None => {
                    slots.insert(name.clone(), value.clone());
                }
            }
        }
        Reading { intent: self.intents[usize::from(path.sentence)].clone(), slots }
    }

    /// All that a text may mean, up to a bound; more than one makes it ambiguous.
    fn readings(&self, text: &[u8]) -> Vec<Reading> {
        /// Ways looked at for one text.
        const PATHS_MAX: usize = 16;
        let mut readings: Vec<Reading> = Vec::new();
        for path in reading::paths(&self.program, text, PATHS_MAX) {
            let reading = self.reading(&path);
            if !readings.contains(&reading) {
                readings.push(reading);
            }
        }
        readings
    }
}

/// Lower case, each word after one blank. `None` for what no grammar accepts: other alphabets, and more than can be said.
fn normal_form(text: &str) -> Option<Vec<u8>> {
    let mut normal = Vec::with_capacity(text.len().min(TEXT_BYTES_MAX) + 1);
    for word in text.split_whitespace() {
        normal.push(b' ');
        for c in word.chars() {
            match c {
                '\u{2018}' | '\u{2019}' => normal.push(b'\''),
                '\u{2026}' => normal.extend(b"..."),
                _ if c.is_ascii() => normal.push(c.to_ascii_lowercase() as u8),
                _ => return None,
            }
            // Some more than the longest sentence, for marks that are taken away again.
            if normal.len() > TEXT_BYTES_MAX + 16 {
                return None;
            }
        }
    }
    Some(normal)
}

/// "latte..." is "latte", and a cut "medium -" is "medium".
fn without_last_marks(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !b" .,;:!?-".contains(byte)).map_or(0, |last| last + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(name: &str) -> Grammar {
        let path = format!("{}/config/grammars/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).expect("a grammar of config/grammars");
        Grammar::parse(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    #[track_caller]
    fn check(grammar: &Grammar, text: &str, intent: &str, slots: &[(&str, &str)]) {
        let slots = slots.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(grammar.read(text), Some(Reading { intent: intent.to_owned(), slots }), "{text}");
    }

    #[test]
    fn orders_are_read_as_they_are_heard() {
        let coffee = shipped("coffee");
        let order = |text: &str, slots: &[(&str, &str)]| check(&coffee, text, "orderDrink", slots);
        order(
            " Can I get a medium, dark roast, double-shot iced coffee with a lot of brown sugar and some skim milk?",
            &[
                ("size", "medium"),
                ("roast", "dark roast"),
                ("numberOfShots", "double shot"),
                ("coffeeDrink", "iced coffee"),
                ("milkAmount", "some skim milk"),
                ("sugarAmount", "a lot of brown sugar"),
            ],
        );
        order(
            " I'd like a 16 oz. double-shot light roasted latte.",
            &[("size", "sixteen ounce"), ("numberOfShots", "double shot"), ("roast", "light roast"), ("coffeeDrink", "latte")],
        );
        order(
            " Please, make me a large medium roast triple shot house coffee with milk.",
            &[
                ("size", "large"),
                ("roast", "medium roast"),
                ("numberOfShots", "triple shot"),
                ("coffeeDrink", "house coffee"),
                ("milkAmount", "milk"),
            ],
        );
        order(
            " Brew a small medium roast americano with little bit of sweetener and cream",
            &[
                ("size", "small"),
                ("roast", "medium roast"),
                ("coffeeDrink", "americano"),
                ("milkAmount", "cream"),
                ("sugarAmount", "a little bit of sweetener"),
            ],
        );
        order("Um, hi. Espresso, please!", &[("coffeeDrink", "espresso")]);
        order("I\u{2019}d like the Latte...", &[("coffeeDrink", "latte")]);
    }

    #[test]
    fn every_value_is_read_back_as_the_file_writes_it() {
        let coffee = shipped("coffee");
        let values: BTreeMap<_, _> = coffee.report(0).slots.into_iter().map(|slot| (slot.name, slot.values.expect("few"))).collect();
        assert_eq!(values.keys().collect::<Vec<_>>(), ["coffeeDrink", "milkAmount", "numberOfShots", "roast", "size", "sugarAmount"]);
        // A different mix in each round.
        for round in 0..1_000_usize {
            let pick = |slot: &str, step: usize| values[slot][round / step % values[slot].len()].as_str();
            let (size, roast, shots) = (pick("size", 1), pick("roast", 7), pick("numberOfShots", 3));
            let (drink, milk, sugar) = (pick("coffeeDrink", 5), pick("milkAmount", 2), pick("sugarAmount", 11));
            let slots = [
                ("size", size),
                ("roast", roast),
                ("numberOfShots", shots),
                ("coffeeDrink", drink),
                ("milkAmount", milk),
                ("sugarAmount", sugar),
            ];
            check(&coffee, &format!("Brew a {size} {roast} {shots} {drink} with {milk} and {sugar}."), "orderDrink", &slots);
            check(&coffee, &format!("May I have {shots}, {size}, {roast} {drink} with {sugar}, {milk}"), "orderDrink", &slots);
        }
    }

    #[test]
    fn what_is_no_order_is_not_accepted() {
        let coffee = shipped("coffee");
        for text in [
            "a dark roast is nice",
            "I want a large",
            "latte art is pretty",
            "with milk",
            "coffee break",
            "a large latte and a small mocha",
            "I want a large small latte",
            "a light roast dark roast coffee",
            "latte with milk and cream",
            "latte with sugar and sweetener",
            "a latte with",
            "a medium- latte",
            "um um um a latte",
            "",
            "?",
            "\u{1f600}",
        ] {
            assert_eq!(coffee.read(text), None, "{text}");
        }
    }

    #[test]
    fn a_half_said_order_is_waited_for() {
        let coffee = shipped("coffee");
        for (text, progress) in [
            ("", Progress::Partial),
            ("Can I get a", Progress::Partial),
            ("Can I get a medium, dark", Progress::Partial),
            ("Can I get a medium...", Progress::Partial),
            ("Can I get a medium latte", Progress::Final),
            ("Can I get a medium latte with", Progress::Partial),
            ("How much is", Progress::Impossible),
        ] {
            assert_eq!(coffee.progress(text), progress, "{text}");
        }
        assert!(coffee.may_go_on("a latte."), "with milk");
        assert!(!coffee.may_go_on("a latte with milk and sugar, thanks"));
        let confirm = shipped("confirm");
        assert!(confirm.is_complete("yes") && confirm.may_go_on("yes") && !confirm.may_go_on("That's all, thanks."));
    }

    #[test]
    fn a_second_grammar_with_other_intents_is_only_a_file() {
        let confirm = shipped("confirm");
        for (text, intent) in [
            ("Yes, please.", "confirm"),
            ("That's right.", "confirm"),
            ("Nope.", "deny"),
            ("No, that's not right.", "deny"),
            ("That's all, thanks.", "done"),
            ("No, that's it.", "done"),
            ("Forget it.", "cancel"),
            ("Sorry, can you say that again?", "repeat"),
        ] {
            check(&confirm, text, intent, &[]);
        }
        for text in ["My stamp card number is four one seven two.", "4172", "It's 4-1-7-2.", "Um, 4, 1, 7, 2", "My card is 41 72, please"] {
            check(&confirm, text, "stampCard", &[("cardNumber", "4172")]);
        }
        check(&confirm, "oh four one seven", "stampCard", &[("cardNumber", "0417")]);
        for text in ["four one seven", "417", "1 2 3 4 5 6 7 8 9", "yes no", "fouroneseventwo"] {
            assert_eq!(confirm.read(text), None, "{text}");
        }
    }

    #[test]
    fn the_page_for_operators_tells_the_truth() {
        let page = include_str!("../../../docs/grammar.md");
        let first = page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).expect("a grammar on the page");
        let tea = Grammar::parse(first).unwrap_or_else(|e| panic!("{e}"));
        check(&tea, "Can I have a big green tea, please?", "orderTea", &[("size", "large"), ("kind", "green")]);
        assert_eq!(tea.read("I want a tea"), None);
    }

    #[test]
    fn the_grammars_that_ship_mean_one_thing() {
        for name in ["coffee", "confirm"] {
            let report = shipped(name).report(0);
            assert_eq!((report.ambiguities, report.ambiguities_are_all, report.unused), (vec![], true, vec![]), "{name}");
        }
    }

    #[test]
    fn where_two_things_can_be_meant_the_first_of_the_file_is_taken_and_the_check_tells() {
        let text = |first: &str, second: &str| {
            let sentence = "name = \"x\"\n[[sentence]]\nintent = \"sell\"\nsay = \"a {size} tea\"";
            format!("{sentence}\n[slots.size.values]\n{first} = [\"big\"]\n{second} = [\"big\", \"huge\"]")
        };
        for (first, second) in [("large", "giant"), ("giant", "large")] {
            let grammar = Grammar::parse(&text(first, second)).expect("a grammar");
            check(&grammar, "A big tea.", "sell", &[("size", first)]);
            let report = grammar.report(0);
            assert!(report.ambiguities_are_all);
            let found: Vec<_> = report.ambiguities.iter().map(|found| (found.text.as_str(), found.readings.len())).collect();
            assert_eq!(found, [("a big tea", 2)]);
        }
        let two = "name = \"x\"\n[[sentence]]\nintent = \"stop\"\nsay = \"no\"\n[[sentence]]\nintent = \"deny\"\nsay = \"no [no]\"";
        let grammar = Grammar::parse(two).expect("a grammar");
        check(&grammar, "no", "stop", &[]);
        check(&grammar, "no no", "deny", &[]);
        assert!(grammar.is_ambiguous("no") && !grammar.is_ambiguous("no no"));
    }

    #[test]
    fn a_list_of_a_thousand_words_is_searched_to_its_end() {
        // Three letters each, so that many begin alike.
        let letter = |number: usize| char::from(b'a' + (number % 11) as u8);
        let words: String = (0..1_331).map(|n| format!("{}{}{} = []\n", letter(n), letter(n / 11), letter(n / 121))).collect();
        let text = |more: &str| {
            let sentence = "name = \"x\"\n[[sentence]]\nintent = \"i\"\nsay = \"a {w} [and {v}]\"";
            format!("{sentence}\n[slots.w.values]\n{words}{more}\n[slots.v.values]\n{words}")
        };
        let report = Grammar::parse(&text("")).expect("a grammar").report(0);
        assert_eq!((report.ambiguities.len(), report.ambiguities_are_all), (0, true));
        let report = Grammar::parse(&text("last = [\"abc\"]")).expect("a grammar").report(0);
        assert_eq!(report.ambiguities[0].text, "a abc");
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let file = |say: &str, rest: &str| format!("name = \"x\"\n[[sentence]]\nintent = \"i\"\nsay = \"{say}\"\n{rest}");
        let told = |text: &str| Grammar::parse(text).expect_err("accepted").reason;
        assert!(told(&file("((longword)*32)*32", "")).contains("longest sentence"));
        assert!(told(&format!("{}# {}", file("a", ""), "x".repeat(1 << 20))).contains("the most that is read"));
        let words: String = (0..120).map(|word| format!("w{word:x}q{} = []\n", word * word)).collect();
        let slots: String = (0..8).map(|slot| format!("[slots.s{slot}]\nsay = \"z{slot} {{w}}*1..4 y\"\n")).collect();
        let members = (0..8).map(|slot| format!("\"{{s{slot}}}\"")).collect::<Vec<_>>().join(", ");
        let rest = format!("[phrases]\nm = {{ any_order = [{members}] }}\n[values.w]\n{words}{slots}");
        assert!(told(&file("{m}", &rest)).contains("too large"));
    }
}
