use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{GrammarTexts, file};
use crate::domain::{Catalog, IntentDefinition, Menu, MenuChoice, MenuPart, OrderWords, ProductId, Reply};
use crate::speech::grammar::Grammar;

/// A choice may change a price by at most so many cents; more is a slip of the keyboard.
const CHOICE_CENTS_MAX: i32 = 100_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderFile {
    intent: String,
    categories: Vec<String>,
    #[serde(default = "twenty")]
    quantity_max: u32,
    #[serde(default = "twenty")]
    lines_max: u32,
    grammar: Option<GrammarEntry>,
    replies: Option<RepliesEntry>,
    #[serde(default)]
    amounts: Vec<String>,
    #[serde(default)]
    numbers: BTreeMap<String, u32>,
    said: SaidEntry,
    #[serde(default)]
    part: Vec<PartEntry>,
}

fn twenty() -> u32 {
    20
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrammarEntry {
    file: String,
    intent: String,
    item_slot: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RepliesEntry {
    file: String,
    yes: Option<String>,
    no: Option<String>,
    done: Option<String>,
    cancel: Option<String>,
    repeat: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct SaidEntry {
    add: Vec<String>,
    remove: Vec<String>,
    change: Vec<String>,
    old: Vec<String>,
    without: Vec<String>,
    join: Vec<String>,
    filler: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartEntry {
    name: String,
    slot: Option<String>,
    categories: Vec<String>,
    #[serde(default)]
    except: Vec<String>,
    stands: String,
    choices: BTreeMap<String, ChoiceEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChoiceEntry {
    said: Vec<String>,
    #[serde(default)]
    price_cents: i32,
}

/// Reads `order.toml` and the grammars it names; a shop without it takes no orders.
pub(super) fn read(folder: &Path, catalog: &Catalog, intents: &[IntentDefinition], problems: &mut Vec<String>) -> (Menu, GrammarTexts) {
    let path = folder.join("order.toml");
    if !path.exists() {
        return Default::default();
    }
    let Some(entry) = file::<OrderFile>(&path, problems) else { return Default::default() };
    let grammars = GrammarTexts {
        orders: entry.grammar.as_ref().and_then(|g| grammar(folder, &g.file, problems)),
        replies: entry.replies.as_ref().and_then(|r| grammar(folder, &r.file, problems)),
    };
    let mut complain = |what: String| problems.push(format!("{}: {what}", path.display()));
    if !intents.iter().any(|intent| intent.name == entry.intent) {
        complain(format!("intent is {:?}, which is no intent of intents/", entry.intent));
    }
    if !(1..=1_000).contains(&entry.quantity_max) || !(1..=1_000).contains(&entry.lines_max) {
        complain("quantity_max and lines_max are expected to be 1 to 1000".to_owned());
    }
    let has_category = |category: &String| catalog.products().iter().any(|p| p.category == *category);
    let of_parts = entry.part.iter().flat_map(|part| &part.categories);
    for category in entry.categories.iter().chain(of_parts).filter(|category| !has_category(category)) {
        complain(format!("{category:?} is no category of the catalog"));
    }
    for sku in entry.part.iter().flat_map(|part| &part.except).filter(|sku| catalog.get(&ProductId((*sku).clone())).is_none()) {
        complain(format!("{sku:?} is no product of the catalog"));
    }
    let parts = entry.part.into_iter().map(|part| part.build(&mut complain)).collect();
    let slots = entry.grammar.map(|g| (g.intent, g.item_slot)).unwrap_or_default();
    let said = entry.said;
    let menu = Menu {
        intent: entry.intent,
        grammar_intent: slots.0,
        item_slot: slots.1,
        categories: entry.categories,
        parts,
        amounts: entry.amounts,
        numbers: entry.numbers,
        said: OrderWords {
            add: said.add,
            remove: said.remove,
            change: said.change,
            old: said.old,
            without: said.without,
            join: said.join,
            filler: said.filler,
        },
        replies: entry.replies.map(RepliesEntry::build).unwrap_or_default(),
        quantity_max: entry.quantity_max,
        lines_max: entry.lines_max as usize,
    };
    (menu, grammars)
}

/// The text of a grammar that can be used.
fn grammar(folder: &Path, name: &str, problems: &mut Vec<String>) -> Option<String> {
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()));
    let checked = text.and_then(|text| Grammar::parse(&text).map(|_| text).map_err(|e| format!("{}, {e}", path.display())));
    checked.map_err(|problem| problems.push(problem)).ok()
}

impl RepliesEntry {
    fn build(self) -> BTreeMap<String, Reply> {
        let named = [
            (self.yes, Reply::Yes),
            (self.no, Reply::No),
            (self.done, Reply::Done),
            (self.cancel, Reply::Cancel),
            (self.repeat, Reply::Repeat),
        ];
        named.into_iter().filter_map(|(intent, reply)| intent.map(|intent| (intent, reply))).collect()
    }
}

impl PartEntry {
    fn build(self, complain: &mut impl FnMut(String)) -> MenuPart {
        let stands_before = match self.stands.as_str() {
            "before" => true,
            "after" => false,
            other => {
                complain(format!("part {:?} stands {other:?}; expected \"before\" or \"after\" the name", self.name));
                true
            }
        };
        for (value, choice) in &self.choices {
            if choice.said.is_empty() {
                complain(format!("{value:?} of part {:?} is never said; `said` lists how people say it", self.name));
            }
            if choice.price_cents.abs() > CHOICE_CENTS_MAX {
                let (cents, name) = (choice.price_cents, &self.name);
                complain(format!("{value:?} of part {name:?} has price_cents = {cents}; expected at most {CHOICE_CENTS_MAX} up or down"));
            }
        }
        let choice = |(value, c): (String, ChoiceEntry)| MenuChoice { value, said: c.said, price_cents: c.price_cents };
        MenuPart {
            name: self.name,
            slot: self.slot,
            categories: self.categories,
            except: self.except.into_iter().map(ProductId).collect(),
            stands_before,
            choices: self.choices.into_iter().map(choice).collect(),
        }
    }
}
