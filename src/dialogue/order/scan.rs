use crate::dialogue::wording::{PhraseTable, Word, words};
use crate::domain::{Catalog, Menu, MenuPart, PartChoice, ProductId, SpokenOrder};

/// What a sentence says of an order, in the menu's terms.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Said {
    /// The things named, in order of speech; what belongs to none of them stands in `loose`.
    pub items: Vec<Wish>,
    /// Said of no thing in particular: "large", "with oat milk", "two".
    pub loose: Wish,
    /// "another", "and", "also".
    pub adds: bool,
    /// "take off".
    pub removes: bool,
    /// "no", "make it".
    pub changes: bool,
    /// Whether every word belongs to the order or says nothing.
    pub is_all: bool,
}

/// A thing as it is wanted.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wish {
    /// What; `None` where only how was said.
    pub product: Option<ProductId>,
    /// How often, where that was said.
    pub quantity: Option<u32>,
    /// How.
    pub parts: Vec<PartWish>,
    /// It is what was wanted before and is no more: "instead of a latte".
    pub is_old: bool,
    /// Whether it is wanted: "no croissant".
    pub refusal: Refusal,
}

/// What was said of one part.
#[derive(Debug, Clone, PartialEq)]
pub struct PartWish {
    /// The part's name.
    pub part: String,
    /// What is wanted of it.
    pub choice: PartChoice,
    /// Whether it is wanted.
    pub refusal: Refusal,
}

/// Whether something is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refusal {
    /// It is.
    #[default]
    None,
    /// It is not: "without sugar".
    Certain,
    /// "Take the sugar out of the latte": not wanted where something is taken out. "The latte with sugar" and "the oat milk latte" only
    /// say which one.
    IfTakenOut,
    /// "No oat milk": not wanted where it was ordered, else wanted instead.
    IfOrdered,
}

impl Said {
    /// Whether nothing of an order was said.
    pub(super) fn is_nothing(&self) -> bool {
        self.items.is_empty() && self.loose == Wish::default()
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Meaning {
    Item(ProductId),
    Choice { part: usize, value: String },
    Amount,
    Number(u32),
    Cue(Cue),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Cue {
    adds: bool,
    removes: bool,
    changes: bool,
    is_old: bool,
    without: bool,
    joins: bool,
}

/// A stretch of the sentence; `None` where it means nothing here.
struct Token {
    meaning: Option<Meaning>,
    text: String,
    after_mark: bool,
}

/// Finds what a sentence says of an order, by the words of the menu and the catalog.
#[derive(Debug, Clone, Default)]
pub(super) struct Scanner {
    table: PhraseTable<Meaning>,
}

impl Scanner {
    pub(super) fn new(menu: &Menu, catalog: &Catalog) -> Self {
        let mut table = PhraseTable::default();
        let choices: Vec<String> = menu.parts.iter().flat_map(|p| &p.choices).flat_map(|c| &c.said).cloned().collect();
        for product in catalog.products().iter().filter(|p| menu.categories.contains(&p.category)) {
            let names: Vec<&String> = std::iter::once(&product.name).chain([&product.plural]).chain(&product.synonyms).collect();
            for name in &names {
                if !is_choice_and_name(name, &choices, &names) {
                    table.add(name, Meaning::Item(product.id.clone()));
                    // "Two teas": a name in the list is told once, and said of one or many.
                    table.add(&format!("{name}s"), Meaning::Item(product.id.clone()));
                }
            }
        }
        for (part, of_part) in menu.parts.iter().enumerate() {
            for choice in &of_part.choices {
                choice.said.iter().for_each(|said| table.add(said, Meaning::Choice { part, value: choice.value.clone() }));
            }
        }
        menu.amounts.iter().for_each(|amount| table.add(amount, Meaning::Amount));
        menu.numbers.iter().for_each(|(said, number)| table.add(said, Meaning::Number(*number)));
        for (phrase, cue) in cues(menu) {
            table.add(&phrase, Meaning::Cue(cue));
        }
        Self { table }
    }

    /// Reads a sentence.
    pub(super) fn read(&self, text: &str, menu: &Menu) -> Said {
        let words = words(text);
        let tokens = self.tokens(&words);
        let mut said = Said { is_all: tokens.iter().all(|t| t.meaning.is_some()) && !tokens.is_empty(), ..Said::default() };
        for (at, token) in tokens.iter().enumerate() {
            if let Some(Meaning::Cue(cue)) = &token.meaning {
                said.adds |= cue.adds || (cue.joins && at == 0);
                said.removes |= cue.removes;
                // "A latte, no sugar" takes nothing back; "no, a latte" and "no sugar" do.
                said.changes |= cue.changes && (!cue.without || at == 0 || tokens.get(at + 1).is_some_and(|next| next.after_mark));
            }
        }
        let places: Vec<usize> = (0..tokens.len()).filter(|&at| matches!(tokens[at].meaning, Some(Meaning::Item(_)))).collect();
        for &at in &places {
            if let Some(Meaning::Item(product)) = &tokens[at].meaning {
                let (cue, place) = cue_before(&tokens, at);
                let refusal = refusal(cue, place, tokens[at].after_mark);
                said.items.push(Wish { product: Some(product.clone()), is_old: cue.is_old, refusal, ..Wish::default() });
            }
        }
        for at in 0..tokens.len() {
            match &tokens[at].meaning {
                Some(Meaning::Choice { part, value }) => {
                    if let Some(mut wish) = part_wish(&tokens, at, &menu.parts[*part], value) {
                        let item = owner(&tokens, &places, at);
                        let stands_apart = item.is_some_and(|item| places[item] > at + 1) && !menu.parts[*part].stands_before;
                        if stands_apart && wish.refusal == Refusal::None {
                            wish.refusal = Refusal::IfTakenOut;
                        }
                        item.map_or(&mut said.loose, |item| &mut said.items[item]).parts.push(wish);
                    }
                }
                Some(Meaning::Number(number)) if !is_amount(&tokens, at, menu) => {
                    let counted = places.iter().position(|&place| place > at && !tokens[at + 1..place].iter().any(parts_things));
                    match counted {
                        Some(item) => said.items[item].quantity = Some(*number),
                        // "The large one" counts nothing.
                        None if *number > 1 => said.loose.quantity = Some(*number),
                        None => {}
                    }
                }
                _ => {}
            }
        }
        said
    }

    /// Reads the slots of a grammar: each holds what its part of the menu is to be.
    pub(super) fn read_slots(&self, order: &SpokenOrder, menu: &Menu) -> Said {
        let mut said = Said { is_all: true, ..Said::default() };
        let mut wish = Wish::default();
        for (slot, value) in &order.slots {
            let read = self.read(value, menu);
            if *slot == menu.item_slot {
                wish.product = read.items.into_iter().next().and_then(|item| item.product);
            } else {
                let fits = |p: &PartWish| menu.part(&p.part).is_some_and(|part| part.slot.as_ref() == Some(slot));
                wish.parts.extend(read.loose.parts.into_iter().chain(read.items.into_iter().flat_map(|i| i.parts)).filter(fits));
            }
        }
        if wish.product.is_some() {
            said.items.push(wish)
        } else {
            said.loose = wish
        }
        said
    }

    fn tokens(&self, words: &[Word]) -> Vec<Token> {
        let mut tokens = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let (length, meaning) = self.table.at(&words[at..]).map_or((1, None), |(length, meaning)| (length, Some(meaning.clone())));
            let text = words[at..at + length].iter().map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ");
            let digits = meaning.is_none().then(|| text.parse::<u32>().ok()).flatten();
            tokens.push(Token { meaning: meaning.or(digits.map(Meaning::Number)), text, after_mark: words[at].after_mark });
            at += length;
        }
        tokens
    }
}

/// "Double espresso" is a choice and another name of the same thing: it is read as the two of them.
fn is_choice_and_name(name: &str, choices: &[String], names: &[&String]) -> bool {
    choices.iter().any(|choice| {
        let rest = name.strip_prefix(choice.as_str()).and_then(|rest| rest.strip_prefix(' '));
        rest.is_some_and(|rest| names.iter().any(|other| other.as_str() == rest))
    })
}

/// Each phrase once, with all that it may mean.
fn cues(menu: &Menu) -> std::collections::BTreeMap<String, Cue> {
    let mut cues: std::collections::BTreeMap<String, Cue> = std::collections::BTreeMap::new();
    let said = &menu.said;
    type Mark = fn(&mut Cue);
    let lists: [(&[String], Mark); 7] = [
        (&said.add, |cue| cue.adds = true),
        (&said.remove, |cue| cue.removes = true),
        (&said.change, |cue| cue.changes = true),
        (&said.old, |cue| cue.is_old = true),
        (&said.without, |cue| cue.without = true),
        (&said.join, |cue| cue.joins = true),
        (&said.filler, |_| ()),
    ];
    for (phrases, mark) in lists {
        phrases.iter().for_each(|phrase| mark(cues.entry(phrase.to_lowercase()).or_default()));
    }
    cues
}

/// Whether a token ends one thing and begins another.
fn parts_things(token: &Token) -> bool {
    let is_joint = matches!(&token.meaning, Some(Meaning::Cue(cue)) if cue.joins || cue.adds);
    is_joint || token.after_mark || matches!(token.meaning, Some(Meaning::Number(_)))
}

/// The thing that a choice belongs to: the next one, if nothing parts them; else the one before.
fn owner(tokens: &[Token], places: &[usize], at: usize) -> Option<usize> {
    let before = places.iter().rposition(|&place| place < at);
    let after = places.iter().position(|&place| place > at);
    let is_joined = |item: &usize| !tokens[at + 1..=places[*item]].iter().any(parts_things);
    match before {
        Some(before) => Some(after.filter(is_joined).unwrap_or(before)),
        None => after,
    }
}

/// The word that steers what follows it, over words that say nothing, and its place. None where something else stands between.
fn cue_before(tokens: &[Token], at: usize) -> (Cue, usize) {
    let says_nothing = |token: &Token| matches!(&token.meaning, Some(Meaning::Cue(cue)) if *cue == Cue::default());
    let place = tokens[..at].iter().rposition(|token| !says_nothing(token));
    match place.map(|place| (&tokens[place].meaning, place)) {
        Some((Some(Meaning::Cue(cue)), place)) => (*cue, place),
        _ => (Cue::default(), 0),
    }
}

/// "Two sugars" is an amount, "two large lattes" is a number of lattes.
fn is_amount(tokens: &[Token], at: usize, menu: &Menu) -> bool {
    matches!(tokens.get(at + 1).map(|t| &t.meaning), Some(Some(Meaning::Choice { part, .. })) if !menu.parts[*part].stands_before)
}

fn part_wish(tokens: &[Token], at: usize, part: &MenuPart, value: &str) -> Option<PartWish> {
    let amount_at = at.checked_sub(1).filter(|&before| match tokens[before].meaning {
        Some(Meaning::Amount) => true,
        Some(Meaning::Number(number)) => number > 1 && !part.stands_before,
        _ => false,
    });
    let (cue, place) = cue_before(tokens, amount_at.unwrap_or(at));
    if cue.is_old {
        return None;
    }
    let refusal = refusal(cue, place, tokens[at].after_mark || amount_at.is_some_and(|a| tokens[a].after_mark));
    let amount = amount_at.map(|a| tokens[a].text.clone());
    Some(PartWish { part: part.name.clone(), choice: PartChoice { value: value.to_owned(), amount }, refusal })
}

/// "Without oat milk" refuses it, "no, oat milk" corrects, and a sentence that begins with "no oat milk" may be either.
fn refusal(cue: Cue, place: usize, after_mark: bool) -> Refusal {
    match (cue.without, cue.changes && place == 0) {
        (false, _) => Refusal::None,
        (true, false) => Refusal::Certain,
        (true, true) if after_mark => Refusal::None,
        (true, true) => Refusal::IfOrdered,
    }
}
