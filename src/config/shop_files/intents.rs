use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::{file, line_of};
use crate::domain::{Act, IntentDefinition, IntentKind, IntentManner, Needs};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IntentFile {
    intent: String,
    #[serde(default)]
    title: String,
    kind: String,
    needs: String,
    examples: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    answers: Vec<String>,
    #[serde(default)]
    missing: Vec<String>,
    #[serde(default)]
    several: Vec<String>,
    details: Option<String>,
    act: Option<String>,
    after_order: Option<String>,
    #[serde(default)]
    faq_first: bool,
}

/// An intent with the places of its examples, to be checked against the others.
pub(super) struct IntentRead {
    definition: IntentDefinition,
    manner: IntentManner,
    path: PathBuf,
    /// The line of each example.
    lines: Vec<usize>,
}

/// All intents of the folder, by file name, so that their order does not depend on the disk.
pub(super) fn read(folder: &Path, problems: &mut Vec<String>) -> Vec<IntentRead> {
    let listing = std::fs::read_dir(folder).map(|entries| entries.filter_map(Result::ok).map(|e| e.path()).collect::<Vec<PathBuf>>());
    let mut paths = listing.unwrap_or_else(|e| {
        problems.push(format!("{}: {e}; this folder holds a file for each intent", folder.display()));
        Vec::new()
    });
    paths.retain(|path| path.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    paths.iter().filter_map(|path| file::<IntentFile>(path, problems).and_then(|f| f.build(path, problems))).collect()
}

impl IntentFile {
    fn build(self, path: &Path, problems: &mut Vec<String>) -> Option<IntentRead> {
        let before = problems.len();
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let mut complain = |what: String| problems.push(format!("{}: {what}", path.display()));
        let kind = kind_of(&self.kind).unwrap_or_else(|| {
            let kinds = "fact, faq, recommend, handoff, order, smalltalk or out_of_scope";
            complain(format!("kind is {:?}; expected {kinds}", self.kind));
            IntentKind::Fact
        });
        let needs = match self.needs.as_str() {
            "product" => Needs::Product,
            "nothing" => Needs::Nothing,
            other => {
                complain(format!("needs is {other:?}; expected \"product\" or \"nothing\""));
                Needs::Nothing
            }
        };
        let act = self.act.as_deref().and_then(|name| {
            let act = ACTS.iter().find(|(known, _)| *known == name).map(|(_, act)| *act);
            if act.is_none() {
                let known = ACTS.map(|(known, _)| known).join(", ");
                complain(format!("act is {name:?}; expected {known}, or no such line"));
            }
            act
        });
        if self.answers.is_empty() {
            complain("no answers; at least one is needed".to_owned());
        }
        if needs == Needs::Product && self.missing.is_empty() {
            complain("needs a product, but `missing` does not say what to ask where none is known".to_owned());
        }
        let line = line_of(&text, self.examples.span().start);
        let count = self.examples.get_ref().len();
        if count < 2 {
            problems.push(format!("{}, line {line}: {count} examples; at least two are needed, ten are good", path.display()));
        }
        let lines = self.examples.get_ref().iter().map(|example| line_of(&text, example.span().start)).collect();
        let examples = self.examples.into_inner().into_iter().map(Spanned::into_inner).collect();
        let title = if self.title.is_empty() { self.intent.replace('_', " ") } else { self.title };
        let Self { intent: name, answers, missing, several, details, after_order, faq_first, .. } = self;
        let definition = IntentDefinition { name, title, kind, needs, examples, answers, missing };
        let manner = IntentManner { act, after_order, faq_first, several, details };
        (problems.len() == before).then_some(IntentRead { definition, manner, path: path.to_owned(), lines })
    }
}

fn kind_of(name: &str) -> Option<IntentKind> {
    Some(match name {
        "fact" => IntentKind::Fact,
        "faq" => IntentKind::Faq,
        "recommend" => IntentKind::Recommend,
        "handoff" => IntentKind::Handoff,
        "order" => IntentKind::Order,
        "smalltalk" => IntentKind::Smalltalk,
        "out_of_scope" => IntentKind::OutOfScope,
        _ => return None,
    })
}

const ACTS: [(&str, Act); 9] = [
    ("order_remove", Act::OrderRemove),
    ("order_total", Act::OrderTotal),
    ("order_review", Act::OrderReview),
    ("order_confirm", Act::OrderConfirm),
    ("order_cancel", Act::OrderCancel),
    ("repeat", Act::Repeat),
    ("start_over", Act::StartOver),
    ("compare", Act::Compare),
    ("go_with", Act::GoWith),
];

/// What only shows when all are known: the same sentence under two intents teaches nothing, and every name needs its own file.
pub(super) fn check(intents: Vec<IntentRead>, problems: &mut Vec<String>) -> (Vec<IntentDefinition>, BTreeMap<String, IntentManner>) {
    let place = |of: &IntentRead, at: usize| format!("{}, line {}", of.path.display(), of.lines.get(at).copied().unwrap_or(1));
    let mut seen: BTreeMap<String, (&IntentRead, usize)> = BTreeMap::new();
    for intent in &intents {
        for (at, example) in intent.definition.examples.iter().enumerate() {
            if let Some((other, first)) = seen.insert(same_sentence(example), (intent, at))
                && other.definition.name != intent.definition.name
            {
                let (here, there) = (place(intent, at), place(other, first));
                problems.push(format!("{here}: the example {example:?} stands in {there} too; keep one"));
            }
        }
    }
    for (at, intent) in intents.iter().enumerate() {
        let name = &intent.definition.name;
        if let Some(other) = intents[..at].iter().find(|other| other.definition.name == *name) {
            problems.push(format!("{} and {} define the intent {name:?}; keep one", other.path.display(), intent.path.display()));
        }
        if let Some(other) = &intent.manner.after_order
            && !intents.iter().any(|i| i.definition.name == *other)
        {
            problems.push(format!("{}: after_order is {other:?}, which is no intent", intent.path.display()));
        }
    }
    let manners = intents.iter().map(|i| (i.definition.name.clone(), i.manner.clone())).collect();
    (intents.into_iter().map(|i| i.definition).collect(), manners)
}

/// Case, marks and blanks make no other sentence.
fn same_sentence(example: &str) -> String {
    let words = example.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}
