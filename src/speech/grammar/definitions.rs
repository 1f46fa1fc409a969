//! From the file to expressions whose names are known to be there, to hold no circle and to mean one thing.

use std::collections::{BTreeMap, HashMap, HashSet};

use toml::Spanned;

use super::expression::{AnyOrder, Expression, NAME_RULE, ROUNDS_MAX, is_name};
use super::format::{AnyOrderEntry, GrammarFile, Line, Lines, Ordered, PhraseEntry, SentenceEntry, SlotEntry};
use super::{Grammar, GrammarError};

/// Names within names.
const DEPTH_MAX: usize = 16;
/// Parts that may come in any order: each doubles the automaton.
const MEMBERS_MAX: usize = 8;
/// Sentences and slots.
const ENTRIES_MAX: usize = 1_000;
/// Names of grammars and intents, and canonical values, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// Something that has a name.
#[derive(Debug)]
pub(super) struct Definition {
    /// Its number in [`Contents::slots`], if it is one.
    pub slot: Option<u16>,
    pub body: Expression,
    may_be_empty: bool,
}

/// All that has a name; what a definition holds comes before it.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    all: Vec<Definition>,
    by_name: HashMap<String, usize>,
}

/// A slot as it is shown and read.
#[derive(Debug)]
pub(super) struct Slot {
    pub name: String,
    /// What stands between the parts of its value.
    pub join: String,
}

/// A file that was understood.
#[derive(Debug)]
pub(super) struct Contents {
    pub name: String,
    pub sentences: Vec<Expression>,
    /// An intent for each sentence.
    pub intents: Vec<String>,
    pub slots: Vec<Slot>,
    pub definitions: Definitions,
    /// Names that no sentence leads to.
    pub unused: Vec<String>,
}

impl Definitions {
    pub fn get(&self, name: &str) -> Option<(usize, &Definition)> {
        let index = *self.by_name.get(name)?;
        Some((index, self.all.get(index)?))
    }

    /// Whether nothing at all may be said for it.
    pub fn may_be_empty(&self, expression: &Expression) -> bool {
        match expression {
            Expression::Word(_) => false,
            Expression::Name(name) => self.get(name).is_some_and(|(_, definition)| definition.may_be_empty),
            Expression::Optional(_) => true,
            Expression::Either(alternatives) => alternatives.iter().any(|a| self.may_be_empty(a)),
            Expression::Sequence(items) => items.iter().all(|item| self.may_be_empty(&item.of)),
            Expression::Repeated(repeated) => repeated.at_least == 0,
            Expression::AnyOrder(any_order) => any_order.at_least == 0,
            Expression::Values(_) => false,
        }
    }
}

impl Contents {
    /// Reads a file and checks all that can be checked before the automaton is built.
    pub fn of(text: &str) -> Result<Self, GrammarError> {
        let place = Places { text };
        if text.len() > Grammar::FILE_BYTES_MAX {
            let reason = format!("it has more than {} bytes, the most that is read; make it smaller", Grammar::FILE_BYTES_MAX);
            return Err(place.wrong("the file", None, reason));
        }
        let file: GrammarFile = toml::from_str(text).map_err(|e| {
            let what = e.message().trim().replace('\n', "; ");
            place.wrong("the file", e.span().map(|span| span.start), what)
        })?;
        if file.sentence.is_empty() {
            return Err(place.wrong("the file", None, "it has no [[sentence]]; without one nothing can be said"));
        }
        let name = checked_name("name", &file.name, place)?;
        let (drafts, slots) = drafts(file.phrases, file.values, file.slots, place)?;
        let mut intents = Vec::new();
        let mut bodies = Vec::new();
        for (index, sentence) in file.sentence.into_iter().enumerate() {
            let SentenceEntry { intent, say } = sentence.into_inner();
            intents.push(checked_name("intent", &intent, place)?);
            let at = say.span().start;
            bodies.push(Draft::new(format!("sentence {}", index + 1), None, at, lines(say.into_inner(), "say", at, place)?));
        }
        if intents.len() > ENTRIES_MAX || slots.len() > ENTRIES_MAX {
            return Err(place.wrong("the file", None, format!("it has more than {ENTRIES_MAX} sentences or slots")));
        }
        let names: Vec<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
        let places = names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        let mut checker =
            Checker { place, slots: &slots, drafts, places, facts: HashMap::new(), definitions: Definitions::default(), open: Vec::new() };
        for body in &bodies {
            let facts = checker.facts(&body.body, &body.name, body.at)?;
            if checker.definitions.may_be_empty(&body.body) {
                return Err(place.wrong(&body.name, Some(body.at), "all of it may be left out; something must be said"));
            }
            if let Some((&slot, _)) = facts.fills.iter().find(|(_, times)| **times > 1) {
                let slot = &slots[usize::from(slot)].name;
                let reason =
                    format!("slot {slot:?} may be filled more than once in it, and only one value could be kept; make a second slot");
                return Err(place.wrong(&body.name, Some(body.at), reason));
            }
        }
        let unused = names.iter().filter(|name| checker.definitions.get(name).is_none()).cloned().collect();
        // What no sentence leads to is checked all the same: it is meant to be used.
        for name in &names {
            checker.named(name, "the file", 0)?;
        }
        let definitions = checker.definitions;
        Ok(Self { name, sentences: bodies.into_iter().map(|body| body.body).collect(), intents, slots, definitions, unused })
    }
}

/// Makes errors that name the line.
#[derive(Clone, Copy)]
struct Places<'a> {
    text: &'a str,
}

impl Places<'_> {
    fn wrong(self, place: &str, at: Option<usize>, reason: impl Into<String>) -> GrammarError {
        let before = at.and_then(|at| self.text.as_bytes().get(..at));
        let line = before.map(|before| 1 + before.iter().filter(|&&byte| byte == b'\n').count());
        GrammarError { line, place: place.to_owned(), reason: reason.into() }
    }
}

/// A definition before the names in it are looked up.
struct Draft {
    name: String,
    slot: Option<u16>,
    at: usize,
    body: Expression,
}

impl Draft {
    fn new(name: impl Into<String>, slot: Option<u16>, at: usize, body: Expression) -> Self {
        Self { name: name.into(), slot, at, body }
    }
}

fn checked_name(what: &str, name: &Spanned<String>, place: Places) -> Result<String, GrammarError> {
    let text = name.get_ref().trim();
    if text.is_empty() || text.len() > NAME_BYTES_MAX || text.chars().any(char::is_control) {
        let reason = format!("{text:?} cannot be used; expected 1 to {NAME_BYTES_MAX} characters");
        return Err(place.wrong(what, Some(name.span().start), reason));
    }
    Ok(text.to_owned())
}

/// Phrases, lists of values and slots share their names, so that `{size}` can mean one thing only.
fn drafts(
    phrases: Ordered<PhraseEntry>,
    values: Ordered<Ordered<Lines>>,
    slots: Ordered<SlotEntry>,
    place: Places,
) -> Result<(Vec<Draft>, Vec<Slot>), GrammarError> {
    let mut drafts = Vec::new();
    for (key, phrase) in phrases.0 {
        let (name, at) = (format!("phrases.{}", key.get_ref()), key.span().start);
        let body = match phrase {
            PhraseEntry::Either(entries) => lines(entries, &name, at, place)?,
            PhraseEntry::AnyOrder(entry) => any_order(entry, &name, at, place)?,
        };
        drafts.push(Draft::new(key.into_inner(), None, at, body));
    }
    for (key, rows) in values.0 {
        let body = value_list(rows, &format!("values.{}", key.get_ref()), key.span().start, place)?;
        drafts.push(Draft::new(key.get_ref(), None, key.span().start, body));
    }
    let mut known = Vec::new();
    for (key, slot) in slots.0 {
        let (name, at) = (format!("slots.{}", key.get_ref()), key.span().start);
        let body = match (slot.values, slot.say) {
            (Some(rows), None) => value_list(rows, &name, at, place)?,
            (None, Some(say)) => {
                let at = say.span().start;
                lines(say.into_inner(), &name, at, place)?
            }
            _ => return Err(place.wrong(&name, Some(at), "expected either values = {..} or say = \"..\"")),
        };
        drafts.push(Draft::new(key.get_ref(), Some(known.len() as u16), at, body));
        known.push(Slot { name: key.into_inner(), join: slot.join.unwrap_or_else(|| " ".to_owned()) });
    }
    let mut names = HashSet::new();
    for draft in &drafts {
        if !is_name(&draft.name) || draft.name.len() > NAME_BYTES_MAX {
            return Err(place.wrong(&format!("{:?}", draft.name), Some(draft.at), NAME_RULE));
        }
        if !names.insert(&draft.name) {
            let reason = "this name stands twice; phrases, values and slots share their names, so give one of the two another";
            return Err(place.wrong(&draft.name, Some(draft.at), reason));
        }
    }
    Ok((drafts, known))
}

fn lines(lines: Lines, name: &str, at: usize, place: Places) -> Result<Expression, GrammarError> {
    let mut alternatives: Vec<Expression> = Vec::new();
    let mut seen = HashSet::new();
    for Line { text, at: own } in lines.0 {
        let at = own.unwrap_or(at);
        let expression = parsed(&text, name, at, place)?;
        if !seen.insert(text.split_whitespace().collect::<Vec<_>>().join(" ").to_ascii_lowercase()) {
            return Err(place.wrong(name, Some(at), format!("{text:?} stands twice; leave one out")));
        }
        alternatives.push(expression);
    }
    match alternatives.len() {
        0 => Err(place.wrong(name, Some(at), "the list is empty; expected at least one thing to say")),
        1 => Ok(alternatives.remove(0)),
        _ => Ok(Expression::Either(alternatives)),
    }
}

fn parsed(text: &str, name: &str, at: usize, place: Places) -> Result<Expression, GrammarError> {
    match Expression::parse(text) {
        Ok(Expression::Sequence(items)) if items.is_empty() => {
            Err(place.wrong(name, Some(at), "there is an empty string; expected something to say"))
        }
        Ok(expression) => Ok(expression),
        Err(reason) => Err(place.wrong(name, Some(at), format!("in {text:?} {reason}"))),
    }
}

/// A value with an empty list of spellings is spelt as it is written.
fn value_list(rows: Ordered<Lines>, name: &str, at: usize, place: Places) -> Result<Expression, GrammarError> {
    let mut values = Vec::new();
    for (key, spellings) in rows.0 {
        let at = key.span().start;
        let value = checked_name(name, &key, place)?;
        let spelling = match spellings.0.len() {
            0 => parsed(&value, name, at, place)?,
            _ => lines(spellings, &format!("{name}.{value:?}"), at, place)?,
        };
        values.push((value, spelling));
    }
    if values.is_empty() {
        Err(place.wrong(name, Some(at), "it has no values; expected at least one"))
    } else {
        Ok(Expression::Values(values))
    }
}

fn any_order(entry: AnyOrderEntry, name: &str, at: usize, place: Places) -> Result<Expression, GrammarError> {
    let count = entry.any_order.len();
    if !(1..=MEMBERS_MAX).contains(&count) {
        return Err(place.wrong(name, Some(at), format!("any_order has {count} parts; expected 1 to {MEMBERS_MAX}")));
    }
    let members = entry.any_order.into_iter().map(|member| {
        let line = Line::of(member);
        parsed(&line.text, name, line.at.unwrap_or(at), place)
    });
    let members = members.collect::<Result<Vec<_>, _>>()?;
    let between = entry.between.map(|text| parsed(text.get_ref(), name, text.span().start, place)).transpose()?;
    let (at_least, at_most) = (entry.at_least.unwrap_or(1), entry.at_most.unwrap_or(count));
    if at_least > at_most || at_most == 0 || at_most > count {
        let reason =
            format!("at_least is {at_least} and at_most {at_most}; expected 0 <= at_least <= at_most <= {count}, the number of parts");
        return Err(place.wrong(name, Some(at), reason));
    }
    Ok(Expression::AnyOrder(Box::new(AnyOrder { members, between, at_least, at_most })))
}

/// What an expression holds.
#[derive(Debug, Clone, Default)]
struct Facts {
    /// How often each slot may be filled on one way through it.
    fills: BTreeMap<u16, usize>,
    /// The fewest values met on a way through it.
    values_min: usize,
}

impl Facts {
    /// One after the other.
    fn then(&mut self, other: &Facts) {
        for (&slot, times) in &other.fills {
            let own = self.fills.entry(slot).or_default();
            *own = own.saturating_add(*times);
        }
        self.values_min = self.values_min.saturating_add(other.values_min);
    }

    /// One or the other.
    fn or(&mut self, other: &Facts) {
        for (&slot, &times) in &other.fills {
            let own = self.fills.entry(slot).or_default();
            *own = (*own).max(times);
        }
        self.values_min = self.values_min.min(other.values_min);
    }
}

/// Looks names up, the inner ones first.
struct Checker<'a> {
    place: Places<'a>,
    slots: &'a [Slot],
    drafts: Vec<Draft>,
    /// Where in `drafts` a name stands.
    places: HashMap<String, usize>,
    facts: HashMap<String, Facts>,
    definitions: Definitions,
    /// The names that are being looked at, outermost first.
    open: Vec<String>,
}

impl Checker<'_> {
    fn named(&mut self, name: &str, from: &str, at: usize) -> Result<Facts, GrammarError> {
        if let Some(known) = self.facts.get(name) {
            return Ok(known.clone());
        }
        if let Some(first) = self.open.iter().position(|open| open == name) {
            let circle = self.open[first..].iter().map(|name| format!("{{{name}}} -> ")).collect::<String>();
            return Err(self.place.wrong(from, Some(at), format!("names lead back to themselves: {circle}{{{name}}}")));
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(self.place.wrong(from, Some(at), format!("more than {DEPTH_MAX} names hold each other, down to {{{name}}}")));
        }
        let Some(&index) = self.places.get(name) else {
            return Err(self.place.wrong(from, Some(at), self.unknown(name)));
        };
        // Taken out while it is looked at; a circle is seen by `open` before it would be missed here.
        let draft = std::mem::replace(&mut self.drafts[index], Draft::new("", None, 0, Expression::Sequence(Vec::new())));
        self.open.push(name.to_owned());
        let mut facts = self.facts(&draft.body, &draft.name, draft.at)?;
        self.open.pop();
        let may_be_empty = self.definitions.may_be_empty(&draft.body);
        if let Some(slot) = draft.slot {
            facts = self.slot_facts(slot, &facts, &draft, may_be_empty)?;
        }
        self.facts.insert(name.to_owned(), facts.clone());
        self.definitions.by_name.insert(name.to_owned(), self.definitions.all.len());
        self.definitions.all.push(Definition { slot: draft.slot, body: draft.body, may_be_empty });
        Ok(facts)
    }

    fn slot_facts(&self, slot: u16, inside: &Facts, draft: &Draft, may_be_empty: bool) -> Result<Facts, GrammarError> {
        let wrong = |reason: String| Err(self.place.wrong(&format!("slots.{}", draft.name), Some(draft.at), reason));
        if let Some(inner) = inside.fills.keys().next() {
            return wrong(format!("it holds the slot {:?}; name a list of [values] instead", self.slots[usize::from(*inner)].name));
        }
        if may_be_empty {
            return wrong("all of it may be left out; put the brackets where the slot is used".to_owned());
        }
        if inside.values_min == 0 {
            return wrong("it may be said without a value; each way through it must name a list of [values]".to_owned());
        }
        Ok(Facts { fills: BTreeMap::from([(slot, 1)]), values_min: inside.values_min })
    }

    fn unknown(&self, name: &str) -> String {
        let close =
            self.places.keys().map(|known| (strsim::damerau_levenshtein(known, name), known)).min().filter(|(distance, _)| *distance <= 2);
        match close {
            Some((_, close)) => format!("{{{name}}} is described nowhere; is {{{close}}} meant?"),
            None => format!("{{{name}}} is described nowhere; expected a phrase, slot or list of values of this file"),
        }
    }

    fn facts(&mut self, expression: &Expression, from: &str, at: usize) -> Result<Facts, GrammarError> {
        match expression {
            Expression::Word(_) => Ok(Facts::default()),
            Expression::Name(name) => self.named(name, from, at),
            Expression::Optional(inside) => {
                let mut facts = self.facts(inside, from, at)?;
                facts.values_min = 0;
                Ok(facts)
            }
            Expression::Either(alternatives) => self.either(alternatives.iter(), from, at),
            Expression::Sequence(items) => {
                let mut facts = Facts::default();
                for item in items {
                    facts.then(&self.facts(&item.of, from, at)?);
                }
                Ok(facts)
            }
            Expression::Repeated(repeated) => {
                let mut facts = self.facts(&repeated.of, from, at)?;
                self.must_be_said(&repeated.of, "what is repeated", from, at)?;
                facts.fills.values_mut().for_each(|times| *times = times.saturating_mul(usize::from(repeated.at_most.min(ROUNDS_MAX))));
                facts.values_min = facts.values_min.saturating_mul(usize::from(repeated.at_least));
                Ok(facts)
            }
            Expression::AnyOrder(any_order) => self.any_order(any_order, from, at),
            Expression::Values(values) => {
                for (_, spelling) in values {
                    let inside = self.facts(spelling, from, at)?;
                    self.must_be_said(spelling, "the spelling of a value", from, at)?;
                    if inside.values_min > 0 || !inside.fills.is_empty() {
                        let reason = "the spelling of a value holds another value; say only words and phrases there";
                        return Err(self.place.wrong(from, Some(at), reason));
                    }
                }
                Ok(Facts { fills: BTreeMap::new(), values_min: 1 })
            }
        }
    }

    fn either<'e>(&mut self, alternatives: impl Iterator<Item = &'e Expression>, from: &str, at: usize) -> Result<Facts, GrammarError> {
        let mut all = Facts { values_min: usize::MAX, ..Facts::default() };
        for alternative in alternatives {
            all.or(&self.facts(alternative, from, at)?);
        }
        Ok(all)
    }

    /// Each member may be said once, and what stands between them once less than there are members.
    fn any_order(&mut self, any_order: &AnyOrder, from: &str, at: usize) -> Result<Facts, GrammarError> {
        let mut all = Facts::default();
        let mut each_min = Vec::new();
        for member in &any_order.members {
            let facts = self.facts(member, from, at)?;
            self.must_be_said(member, "a part of any_order", from, at)?;
            each_min.push(facts.values_min);
            all.then(&facts);
        }
        if let Some(between) = &any_order.between {
            let facts = self.facts(between, from, at)?;
            (1..any_order.at_most).for_each(|_| all.then(&facts));
        }
        each_min.sort_unstable();
        all.values_min = each_min.iter().take(any_order.at_least).sum();
        Ok(all)
    }

    fn must_be_said(&self, expression: &Expression, what: &str, from: &str, at: usize) -> Result<(), GrammarError> {
        if self.definitions.may_be_empty(expression) {
            return Err(self.place.wrong(from, Some(at), format!("{what} may be left out altogether; take its outer brackets away")));
        }
        Ok(())
    }
}

/// The distinct values of a slot, in the order of the file; `None` where there are more than `most`, or too many ways to them.
pub(super) fn values_of(slot: &Slot, definitions: &Definitions, most: usize) -> Option<Vec<String>> {
    /// Expressions looked at: names that hold each other often are looked at often.
    const STEPS_MAX: usize = 10_000;
    let (_, definition) = definitions.get(&slot.name)?;
    Listing { definitions, join: &slot.join, most, steps_left: STEPS_MAX }.of(&definition.body)
}

struct Listing<'a> {
    definitions: &'a Definitions,
    join: &'a str,
    most: usize,
    steps_left: usize,
}

impl Listing<'_> {
    fn of(&mut self, expression: &Expression) -> Option<Vec<String>> {
        self.steps_left = self.steps_left.checked_sub(1)?;
        let nothing = || vec![String::new()];
        match expression {
            Expression::Word(_) => Some(nothing()),
            Expression::Name(name) => self.of(&self.definitions.get(name)?.1.body),
            Expression::Optional(inside) => {
                let inside = self.of(inside)?;
                self.distinct(inside.into_iter().chain(nothing()))
            }
            Expression::Either(alternatives) => {
                let each = alternatives.iter().map(|a| self.of(a)).collect::<Option<Vec<_>>>()?;
                self.distinct(each.into_iter().flatten())
            }
            Expression::Sequence(items) => items.iter().try_fold(nothing(), |before, item| {
                let next = self.of(&item.of)?;
                self.after(&before, &next)
            }),
            Expression::Repeated(repeated) => {
                let round = self.of(&repeated.of)?;
                let mut rounds = nothing();
                let mut all = Vec::new();
                for done in 0..=repeated.at_most {
                    if done >= repeated.at_least {
                        all.extend(rounds.iter().cloned());
                    }
                    if done < repeated.at_most {
                        rounds = self.after(&rounds, &round)?;
                    }
                }
                self.distinct(all.into_iter())
            }
            // Values in any order are too many to be worth a list.
            Expression::AnyOrder(_) => None,
            Expression::Values(values) => self.distinct(values.iter().map(|(value, _)| value.clone())),
        }
    }

    fn after(&self, before: &[String], next: &[String]) -> Option<Vec<String>> {
        self.distinct(before.iter().flat_map(|a| next.iter().map(|b| joined(a, b, self.join))))
    }

    fn distinct(&self, values: impl Iterator<Item = String>) -> Option<Vec<String>> {
        let mut seen = HashSet::new();
        let mut kept = Vec::new();
        for value in values {
            if seen.insert(value.clone()) {
                kept.push(value);
            }
            if kept.len() > self.most {
                return None;
            }
        }
        Some(kept)
    }
}

/// Two parts of a value, of which one may be empty.
fn joined(a: &str, b: &str, join: &str) -> String {
    if a.is_empty() || b.is_empty() { format!("{a}{b}") } else { format!("{a}{join}{b}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(text: &str, line: Option<usize>, told: &str) {
        let error = Contents::of(text).expect_err("accepted");
        assert_eq!(error.line, line, "{error}");
        assert!(error.to_string().contains(told), "{error}");
    }

    /// A file whose only sentence is the first argument, on line 4.
    fn file(say: &str, rest: &str) -> String {
        format!("name = \"x\"\n[[sentence]]\nintent = \"i\"\nsay = \"{say}\"\n{rest}")
    }

    #[test]
    fn what_is_missing_or_misspelt_is_named_with_its_line() {
        refused("name = \"x\"", None, "no [[sentence]]");
        refused(&file("a", "colour = 1"), Some(5), "colour");
        refused(&file("a {drnk}", "[phrases]\ndrink = \"tea\""), Some(4), "is {drink} meant?");
        refused(&file("a {b}", ""), Some(4), "described nowhere");
        refused(&file("{b}", "[phrases]\nb = []"), Some(6), "the list is empty");
        refused(&file("{b}", "[phrases]\nb = [\"x\",\n\" \"]"), Some(7), "empty string");
        refused(&file("{b}", "[phrases]\nb = [\"x\",\n\"(y\"]"), Some(7), "not closed");
        refused(&file("{b}", "[phrases]\nb = 7"), Some(6), "a string, a list of strings, or a table");
        refused(&file("{s}", "[slots.s]\nvalues = {}"), Some(5), "no values");
        refused(&file("{s}", "[slots.s]\njoin = \"\""), Some(5), "either values");
        refused("name = \"x\"\n[[sentence]]\nsay = \"a\"", Some(2), "intent");
        refused("name = ", Some(1), "the file");
    }

    #[test]
    fn what_stands_twice_is_refused() {
        refused(&file("{b}", "[phrases]\nb = [\"x  Y\", \"X y\"]"), Some(6), "stands twice");
        refused(&file("{b}", "[phrases]\nb = \"x\"\n[slots.b]\nvalues = {x = []}"), Some(7), "stands twice");
        refused(&file("{b}", "[phrases]\nb = \"x\"\nb = \"y\""), Some(7), "duplicate key");
        refused(&file("{s} and {s}", "[slots.s]\nvalues = {x = []}"), Some(4), "more than once");
        refused(&file("{s}*1..2", "[slots.s]\nvalues = {x = []}"), Some(4), "more than once");
    }

    #[test]
    fn circles_are_refused_and_shown() {
        refused(&file("{a}", "[phrases]\na = \"{b}\"\nb = \"x [{a}]\""), Some(7), "{a} -> {b} -> {a}");
        refused(&file("x", "[phrases]\na = \"{a}\""), Some(6), "{a} -> {a}");
        let chain: String = (0..40).map(|i| format!("n{i} = \"{{n{}}}\"\n", i + 1)).collect();
        refused(&file("{n0}", &format!("[phrases]\n{chain}n40 = \"x\"")), Some(21), "more than 16 names");
    }

    #[test]
    fn what_may_be_empty_is_refused_where_something_must_be_said() {
        refused(&file("[a] [b]", ""), Some(4), "left out");
        refused(&file("x ([a])*2", ""), Some(4), "left out");
        refused(&file("x [{s}]", "[slots.s]\nsay = \"[{v}]\"\n[values.v]\na = []"), Some(5), "left out");
        refused(&file("x [{s}]", "[slots.s]\nsay = \"no|{v}\"\n[values.v]\na = []"), Some(5), "without a value");
        refused(&file("{a}", "[phrases]\na = { any_order = [\"x\", \"[y]\"] }"), Some(6), "left out");
        refused(&file("{a}", "[phrases]\na = { any_order = [] }"), Some(6), "0 parts");
        refused(&file("{a}", "[phrases]\na = { any_order = [\"x\"], at_least = 2 }"), Some(6), "at_least is 2");
    }

    #[test]
    fn slots_hold_values_and_no_slots() {
        refused(&file("{a}", "[slots.a]\nsay = \"{b}\"\n[slots.b]\nvalues = {x = []}"), Some(5), "holds the slot");
        refused(&file("{a}", "[slots.a]\nvalues = {x = \"{v}\"}\n[values.v]\ny = []"), Some(5), "holds another value");
    }

    #[test]
    fn values_keep_the_order_of_the_file_and_join_in_all_ways() {
        let text =
            file("{s}", "[slots.s]\nsay = \"[{zeal}] {milk}\"\n[values.zeal]\nsome = []\nmuch = []\n[values.milk]\nsoy = []\noat = []");
        let contents = Contents::of(&text).expect("a grammar");
        let values = values_of(&contents.slots[0], &contents.definitions, 10).expect("few");
        assert_eq!(values, ["some soy", "some oat", "much soy", "much oat", "soy", "oat"]);
        assert_eq!(values_of(&contents.slots[0], &contents.definitions, 5), None);
    }
}
