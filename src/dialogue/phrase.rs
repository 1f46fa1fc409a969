use std::collections::BTreeMap;

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value, context};

use super::facts::{self, UNKNOWN};
use crate::domain::{Act, Answer, AnswerKind, IntentDefinition, IntentKind, IntentManner, Shop};

/// A template that loops is stopped after so many steps.
const FUEL: u64 = 50_000;

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the words {name:?} cannot be used: {reason}; correct {file}")]
pub struct TemplateError {
    /// Whose.
    pub name: String,
    /// The file, below the shop's folder.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// What the desk says that is no answer of an intent: some ways to say it, and a longer text for a screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saying {
    /// Templates; they take turns.
    pub say: Vec<String>,
    /// For a screen.
    pub show: Option<String>,
}

/// Sayings by file and name: `order.added` is `added` of `answers/order.toml`.
pub type Sayings = BTreeMap<String, Saying>;

/// The shop's own words: templates of answers and the facts they draw on.
pub struct Phrasebook {
    environment: Environment<'static>,
    intents: Vec<IntentDefinition>,
    manners: BTreeMap<String, IntentManner>,
    sayings: Sayings,
    shop: Shop,
}

impl Phrasebook {
    /// Compiles all templates; a misspelt one, or one that is missing, is found here and not before a customer.
    pub fn new(
        shop: Shop,
        intents: Vec<IntentDefinition>,
        manners: BTreeMap<String, IntentManner>,
        sayings: Sayings,
    ) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        // `product.offer` of a product without offer is nothing, not an error.
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.add_filter("listed", facts::listed);
        environment.add_filter("shortened", facts::shortened);
        let mut book = Self { environment, intents, manners, sayings, shop };
        for (name, file, template) in book.templates() {
            let fail = |e: minijinja::Error| TemplateError { name: name.clone(), file: file.clone(), reason: e.to_string() };
            book.environment.add_template_owned(name.clone(), template).map_err(&fail)?;
            // A filter that does not exist only shows when it is used.
            let misspelt = [ErrorKind::UnknownFilter, ErrorKind::UnknownFunction, ErrorKind::UnknownTest, ErrorKind::UnknownMethod];
            match book.environment.get_template(&name).and_then(|template| template.render(context! {})) {
                Err(error) if misspelt.contains(&error.kind()) => return Err(fail(error)),
                _ => {}
            }
        }
        match super::sayings::needed().find(|name| book.sayings.get(name).is_none_or(|saying| saying.say.is_empty())) {
            Some(name) => Err(TemplateError { file: file_of(&name), name, reason: "they are missing".to_owned() }),
            None => Ok(book),
        }
    }

    /// Name, file and text of each.
    fn templates(&self) -> Vec<(String, String, String)> {
        let mut all = Vec::new();
        for intent in &self.intents {
            let file = format!("intents/{}.toml", intent.name);
            let manner = self.manners.get(&intent.name);
            let mut add = |part: &str, texts: &[String]| {
                all.extend(texts.iter().enumerate().map(|(at, text)| (format!("{}/{part}/{at}", intent.name), file.clone(), text.clone())));
            };
            add("answers", &intent.answers);
            add("missing", &intent.missing);
            add("several", manner.map_or(&[], |m| &m.several[..]));
            add("details", manner.and_then(|m| m.details.as_ref()).map_or(&[], std::slice::from_ref));
        }
        for (name, saying) in &self.sayings {
            all.extend(saying.say.iter().enumerate().map(|(at, text)| (format!("{name}/{at}"), file_of(name), text.clone())));
            all.extend(saying.show.iter().map(|text| (format!("{name}/show"), file_of(name), text.clone())));
        }
        all
    }

    /// The shop.
    pub fn shop(&self) -> &Shop {
        &self.shop
    }

    /// All intents.
    pub fn intents(&self) -> &[IntentDefinition] {
        &self.intents
    }

    /// Whether an intent asks for a person.
    pub fn is_handoff(&self, intent: &str) -> bool {
        self.definition(intent).is_some_and(|d| d.kind == IntentKind::Handoff)
    }

    /// The definition of an intent.
    pub fn definition(&self, intent: &str) -> Option<&IntentDefinition> {
        self.intents.iter().find(|d| d.name == intent)
    }

    /// What an intent does beside being answered.
    pub fn manner(&self, intent: &str) -> Option<&IntentManner> {
        self.manners.get(intent)
    }

    /// The first intent that does this.
    pub fn intent_that(&self, act: Act) -> Option<&str> {
        self.intents.iter().map(|d| d.name.as_str()).find(|name| self.manner(name).is_some_and(|m| m.act == Some(act)))
    }

    /// The name of an intent in a question back.
    pub fn title(&self, intent: &str) -> String {
        self.definition(intent).map_or_else(|| intent.replace('_', " "), |d| d.title.clone())
    }

    /// An intent's answer, or its answer for several products. `turn` decides which of the ways to say it: answers take turns, so that
    /// nobody hears the same words twice in a row and a replay hears the same ones.
    pub(super) fn answer(&self, intent: &str, part: &str, turn: u32, facts: &Value) -> Result<Answer, TemplateError> {
        let Some(definition) = self.definition(intent) else { return Ok(Answer::new(AnswerKind::Unknown, "")) };
        let manner = self.manner(intent);
        let count = match part {
            "several" => manner.map_or(0, |m| m.several.len()),
            "missing" => definition.missing.len(),
            _ => definition.answers.len(),
        };
        let text = self.render(&format!("{intent}/{part}/{}", turn as usize % count.max(1)), facts)?;
        let details = match manner.filter(|m| m.details.is_some()) {
            Some(_) if part != "missing" => Some(self.render(&format!("{intent}/details/0"), facts)?),
            _ => None,
        };
        Ok(finished(kind_of(definition.kind), text, details))
    }

    /// What the desk says of itself.
    pub(super) fn say(&self, name: &str, kind: AnswerKind, turn: u32, facts: &Value) -> Result<Answer, TemplateError> {
        let Some(saying) = self.sayings.get(name) else { return Ok(Answer::new(kind, "")) };
        let text = self.render(&format!("{name}/{}", turn as usize % saying.say.len().max(1)), facts)?;
        let details = saying.show.as_ref().map(|_| self.render(&format!("{name}/show"), facts)).transpose()?;
        Ok(finished(kind, text, details))
    }

    fn render(&self, name: &str, facts: &Value) -> Result<String, TemplateError> {
        let file = || if name.contains('.') { file_of(name) } else { format!("intents/{}.toml", name.split('/').next().unwrap_or(name)) };
        let fail = |e: minijinja::Error| TemplateError { name: name.to_owned(), file: file(), reason: e.to_string() };
        let text = self.environment.get_template(name).and_then(|template| template.render(facts)).map_err(fail)?;
        Ok(in_one_line(&text))
    }

    /// One line of an order in words.
    pub(super) fn line(&self, line: &Value) -> Result<String, TemplateError> {
        self.render("order.line/0", &context! { line })
    }
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The mark by which a template says that the shop's data did not have it is taken out, and remembered.
fn finished(kind: AnswerKind, text: String, details: Option<String>) -> Answer {
    let is_answered = kind != AnswerKind::Unknown && !text.contains(UNKNOWN);
    let clean = |text: String| in_one_line(&text.replace(UNKNOWN, " "));
    let text = clean(text);
    let details = details.map(clean).filter(|details| !details.is_empty() && *details != text);
    Answer { kind, text, details, product: None, is_answered }
}

fn file_of(name: &str) -> String {
    match name.split('.').next().unwrap_or(name) {
        "rules" => "rules.toml".to_owned(),
        file => format!("answers/{file}.toml"),
    }
}

fn kind_of(kind: IntentKind) -> AnswerKind {
    match kind {
        IntentKind::Fact => AnswerKind::Fact,
        IntentKind::Faq => AnswerKind::Faq,
        IntentKind::Recommend => AnswerKind::Recommendation,
        IntentKind::Handoff => AnswerKind::Handoff,
        IntentKind::Order => AnswerKind::Order,
        IntentKind::Smalltalk => AnswerKind::Smalltalk,
        IntentKind::OutOfScope => AnswerKind::Unknown,
    }
}
