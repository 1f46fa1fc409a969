use std::path::Path;

use serde::Deserialize;

use super::{line_of, optional_file};
use crate::dialogue::{Saying, Sayings, Talk};
use crate::domain::{IntentDefinition, PointingWords, Rule};

/// How people point at things, as it ships, for a shop that does not say it otherwise.
const SHIPPED: &str = include_str!("../../../config/talk.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TalkFile {
    bare_intent: Option<String>,
    shown_intent: Option<String>,
    pointing: PointingEntry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PointingEntry {
    other: Vec<String>,
    places: Vec<Vec<String>>,
    last: Vec<String>,
    cheapest: Vec<String>,
    dearest: Vec<String>,
    one: Vec<String>,
    again: Vec<String>,
    same: Vec<String>,
    filler: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RulesFile {
    #[serde(default)]
    rule: Vec<toml::Spanned<RuleEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleEntry {
    name: String,
    words: Vec<String>,
    #[serde(default = "one")]
    at_least: usize,
    #[serde(default)]
    unless: Vec<String>,
    say: Vec<String>,
    #[serde(default)]
    after_faq: bool,
    #[serde(default)]
    fetches_staff: bool,
}

fn one() -> usize {
    1
}

/// Reads `talk.toml` and `rules.toml`; the words of the rules go among the sayings, as `rules.NAME`.
pub(super) fn read(folder: &Path, intents: &[IntentDefinition], sayings: &mut Sayings, problems: &mut Vec<String>) -> Talk {
    let path = folder.join("talk.toml");
    let own = optional_file::<TalkFile>(&path, problems);
    let is_own = own.is_some();
    let Some(talk) = own.or_else(|| toml::from_str(SHIPPED).map_err(|e| problems.push(format!("talk.toml as it ships: {e}"))).ok()) else {
        return Talk::default();
    };
    let mut known = |name: Option<String>, key: &str| {
        let name = name?;
        let is_known = intents.iter().any(|intent| intent.name == name);
        if !is_known && is_own {
            problems.push(format!("{}: {key} is {name:?}, which is no intent of intents/", path.display()));
        }
        is_known.then_some(name)
    };
    let (bare_intent, shown_intent) = (known(talk.bare_intent, "bare_intent"), known(talk.shown_intent, "shown_intent"));
    let p = talk.pointing;
    Talk {
        pointing: PointingWords {
            other: p.other,
            places: p.places,
            last: p.last,
            cheapest: p.cheapest,
            dearest: p.dearest,
            one: p.one,
            again: p.again,
            same: p.same,
            filler: p.filler,
        },
        rules: rules(&folder.join("rules.toml"), sayings, problems),
        bare_intent,
        shown_intent,
    }
}

fn rules(path: &Path, sayings: &mut Sayings, problems: &mut Vec<String>) -> Vec<Rule> {
    let entries = optional_file::<RulesFile>(path, problems).map_or(Vec::new(), |file| file.rule);
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let mut rules: Vec<Rule> = Vec::new();
    for entry in entries {
        let line = line_of(&text, entry.span().start);
        let entry = entry.into_inner();
        let mut complain = |what: &str| problems.push(format!("{}, line {line}: the rule {:?} {what}", path.display(), entry.name));
        if rules.iter().any(|rule| rule.name == entry.name) {
            complain("is there twice; keep one");
        }
        if entry.at_least == 0 || entry.at_least > entry.words.len() {
            complain("can never hold as it should: at_least is expected to be 1 to the number of its words");
        }
        if entry.say.is_empty() {
            complain("says nothing; at least one way to say it is needed");
        }
        sayings.insert(format!("rules.{}", entry.name), Saying { say: entry.say, show: None });
        let RuleEntry { name, words, at_least, unless, after_faq, fetches_staff, .. } = entry;
        rules.push(Rule { name, words, at_least, unless, after_faq, fetches_staff });
    }
    rules
}
