use minijinja::{Environment, UndefinedBehavior, Value, context};

use super::policy::Decision;
use crate::domain::{
    Answer, AnswerKind, Catalog, DialogueState, EntityKind, IntentDefinition, IntentKind, Product, ProductId, Recipe, Shop, Understanding,
};

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// A template that loops is stopped after so many steps.
const FUEL: u64 = 50_000;

/// The shop's local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// 0 is Monday.
    pub weekday: usize,
    /// Minutes since midnight.
    pub minutes: u16,
}

/// A template that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the answer of intent {intent:?} cannot be used: {reason}; correct config/intents/{intent}.toml")]
pub struct TemplateError {
    /// Whose.
    pub intent: String,
    /// Why.
    pub reason: String,
}

/// The shop's own words: templates of answers and the facts they draw on.
pub struct Phrasebook {
    environment: Environment<'static>,
    intents: Vec<IntentDefinition>,
    shop: Shop,
}

impl Phrasebook {
    /// Compiles all templates; a misspelt one is found here and not before a customer.
    pub fn new(shop: Shop, intents: Vec<IntentDefinition>) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_fuel(Some(FUEL));
        // `product.offer` of a product without offer is nothing, not an error.
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        for intent in &intents {
            for (at, template) in intent.answers.iter().enumerate() {
                let fail = |e: minijinja::Error| TemplateError { intent: intent.name.clone(), reason: e.to_string() };
                environment.add_template_owned(name_of(&intent.name, at), template.clone()).map_err(fail)?;
            }
        }
        Ok(Self { environment, intents, shop })
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

    /// Puts a decision into words. `others` are further products: those named for a comparison, or those recommended.
    pub fn answer(
        &self,
        decision: &Decision,
        understanding: Option<&Understanding>,
        others: &[ProductId],
        state: &DialogueState,
        catalog: &Catalog,
        moment: Moment,
    ) -> Result<Answer, TemplateError> {
        let plain = |kind, text: String| Ok(Answer { kind, text, product: None });
        match decision {
            Decision::NothingHeard => {
                plain(AnswerKind::NotHeard, "I did not hear anything. Please hold the button and speak, or type your question.".to_owned())
            }
            Decision::UnknownPhoto(advice) => {
                let hint = advice.map_or("Please turn the label to the camera, or tell me its name.", |a| a.sentence());
                plain(AnswerKind::Unknown, format!("I do not know this product. {hint}"))
            }
            Decision::AskWhich { intent, advice } => {
                let ask =
                    self.definition(intent).and_then(|d| turn_of(&d.missing, state.turns)).map_or("Which product do you mean?", |v| v);
                plain(AnswerKind::Clarify, advice.map_or(ask.to_owned(), |a| format!("{} {ask}", a.sentence())))
            }
            Decision::AskWhat { first, second } => {
                let title = |name: &str| self.definition(name).map_or(name.to_owned(), |d| d.title.clone());
                plain(AnswerKind::Clarify, format!("Did you mean {} or {}?", title(first), title(second)))
            }
            Decision::Faq { entry } => plain(AnswerKind::Faq, self.shop.faq.get(*entry).map_or_else(String::new, |faq| faq.answer.clone())),
            Decision::OutOfScope { offer_person } => self.out_of_scope(*offer_person, state, catalog, moment),
            Decision::Answer { intent, product, .. } => {
                let product = product.as_ref().and_then(|id| catalog.get(id));
                let text = self.render(intent, product, understanding, others, state, catalog, moment)?;
                let kind = self.definition(intent).map_or(AnswerKind::Unknown, |d| kind_of(d.kind));
                Ok(Answer { kind, text, product: product.map(|p| p.id.clone()) })
            }
        }
    }

    fn out_of_scope(&self, offer_person: bool, state: &DialogueState, catalog: &Catalog, moment: Moment) -> Result<Answer, TemplateError> {
        let definition = self.intents.iter().find(|d| d.kind == IntentKind::OutOfScope);
        let mut text = match definition {
            Some(d) => self.render(&d.name, None, None, &[], state, catalog, moment)?,
            None => "I can only help with this shop.".to_owned(),
        };
        if offer_person && !text.contains("person") {
            text.push_str(" Say \"a person, please\" and I tell you where to find one.");
        }
        Ok(Answer { kind: AnswerKind::Unknown, text, product: None })
    }

    #[expect(clippy::too_many_arguments, reason = "each is one thing that a template may name")]
    fn render(
        &self,
        intent: &str,
        product: Option<&Product>,
        understanding: Option<&Understanding>,
        others: &[ProductId],
        state: &DialogueState,
        catalog: &Catalog,
        moment: Moment,
    ) -> Result<String, TemplateError> {
        let fail = |e: minijinja::Error| TemplateError { intent: intent.to_owned(), reason: e.to_string() };
        let count = self.definition(intent).map_or(1, |d| d.answers.len().max(1));
        let template = self.environment.get_template(&name_of(intent, state.turns as usize % count)).map_err(fail)?;
        let fact = |p: &Product| self.fact(p, catalog);
        let hours = self.shop.opening_hours[moment.weekday % 7];
        let text = template
            .render(context! {
                product => product.map(fact),
                shop => context! { name => &self.shop.name, facts => &self.shop.facts, allergen_disclaimer => &self.shop.allergen_disclaimer },
                today => WEEKDAYS[moment.weekday % 7],
                hours_today => hours.map(|(from, to)| format!("{} to {}", spoken_time(from), spoken_time(to))),
                entities => ordered(understanding, catalog).into_iter().map(|value| context! { value }).collect::<Vec<_>>(),
                asked => asked(understanding).into_iter().map(str::to_owned).collect::<Vec<_>>(),
                offers => offers(catalog),
                others => others.iter().filter_map(|id| catalog.get(id)).map(fact).collect::<Vec<_>>(),
                recipe => recipe(&self.shop.recipes, product, state.turns).map(|r| context! { name => &r.name, text => &r.text }),
                last_answer => &state.last_answer,
            })
            .map_err(fail)?;
        Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn fact(&self, product: &Product, catalog: &Catalog) -> Value {
        let companions = product.goes_with.iter().filter_map(|id| catalog.get(id)).filter(|p| p.in_stock);
        context! {
            sku => product.id.as_str(),
            name => &product.name,
            plural => &product.plural,
            category => &product.category,
            brand => &product.brand,
            price_cents => product.price.map(|price| price.0),
            price_spoken => product.price.map(|price| price.spoken(&self.shop.currency_word)),
            unit => &product.unit,
            size => &product.size,
            aisle => &product.aisle,
            shelf => &product.shelf,
            in_stock => product.in_stock,
            stock_count => product.stock_count,
            origin => &product.origin,
            ingredients => &product.ingredients,
            allergens => &product.allergens,
            diet => &product.diet,
            kcal_per_100g => product.kcal_per_100g,
            goes_with_names => companions.map(|p| p.name.clone()).collect::<Vec<_>>(),
            offer => &product.offer,
            description => &product.description,
            facts => &product.facts,
        }
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

fn name_of(intent: &str, at: usize) -> String {
    format!("{intent}/{at}")
}

/// Answers take turns, so that nobody hears the same words twice in a row and a replay hears the same ones.
fn turn_of(texts: &[String], turns: u32) -> Option<&str> {
    texts.get(turns as usize % texts.len().max(1)).map(String::as_str)
}

fn asked(understanding: Option<&Understanding>) -> Vec<&str> {
    let Some(understanding) = understanding else { return Vec::new() };
    let mut asked: Vec<&str> = understanding.values(EntityKind::Allergen).chain(understanding.values(EntityKind::Diet)).collect();
    asked.dedup();
    asked
}

/// What was ordered, in the order of speech: amounts and sizes as values, products by their names.
pub fn ordered(understanding: Option<&Understanding>, catalog: &Catalog) -> Vec<String> {
    let name = |sku: &str| catalog.get(&ProductId(sku.to_owned())).map_or_else(|| sku.to_owned(), |p| p.name.clone());
    let Some(understanding) = understanding else { return Vec::new() };
    let mut ordered = Vec::new();
    let mut end = 0;
    for entity in &understanding.entities {
        // One stretch of words is one thing, though it may name several ("milk" is a category and an allergen).
        if entity.start < end {
            continue;
        }
        match entity.kind {
            EntityKind::Product => ordered.push(name(&entity.value)),
            EntityKind::Category => ordered.push(entity.text.to_lowercase()),
            EntityKind::Quantity | EntityKind::Size | EntityKind::Extra => ordered.push(entity.value.clone()),
            _ => continue,
        }
        end = entity.end;
    }
    ordered
}

fn offers(catalog: &Catalog) -> Vec<Value> {
    let on_offer = catalog.products().iter().filter(|p| p.in_stock).filter_map(|p| p.offer.as_ref().map(|offer| (p, offer)));
    on_offer.map(|(p, offer)| context! { name => &p.name, offer => offer }).collect()
}

/// A recipe with the product; where several have it, they take turns.
fn recipe<'a>(recipes: &'a [Recipe], product: Option<&Product>, turns: u32) -> Option<&'a Recipe> {
    let fitting: Vec<&Recipe> = match product {
        Some(product) => recipes.iter().filter(|r| r.products.contains(&product.id)).collect(),
        None => recipes.iter().collect(),
    };
    fitting.get(turns as usize % fitting.len().max(1)).copied()
}

/// 480 is "8 in the morning".
fn spoken_time(minutes: u16) -> String {
    let (hour, minute) = (minutes / 60, minutes % 60);
    let part = match hour {
        0..12 => "in the morning",
        12..18 => "in the afternoon",
        _ => "in the evening",
    };
    let clock = if hour % 12 == 0 { 12 } else { hour % 12 };
    if minute == 0 { format!("{clock} {part}") } else { format!("{clock}:{minute:02} {part}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_spoken() {
        assert_eq!(spoken_time(480), "8 in the morning");
        assert_eq!(spoken_time(1260), "9 in the evening");
        assert_eq!(spoken_time(750), "12:30 in the afternoon");
    }

    #[test]
    fn a_misspelt_template_is_found_at_the_start() {
        let intent = IntentDefinition {
            name: "price".to_owned(),
            title: "the price".to_owned(),
            kind: IntentKind::Fact,
            needs: crate::domain::Needs::Product,
            examples: vec!["a".to_owned()],
            answers: vec!["{{ product.name ".to_owned()],
            missing: vec![],
        };
        let shop = Shop {
            name: String::new(),
            currency_word: "euros".to_owned(),
            allergen_disclaimer: String::new(),
            opening_hours: [None; 7],
            facts: Default::default(),
            faq: vec![],
            recipes: vec![],
        };
        let error = Phrasebook::new(shop, vec![intent]).err().expect("accepted").to_string();
        assert!(error.contains("config/intents/price.toml"), "{error}");
    }
}
