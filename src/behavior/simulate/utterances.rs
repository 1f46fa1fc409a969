use rand::Rng;
use rand::rngs::StdRng;

use super::chance_of;
use crate::domain::{Catalog, IntentDefinition, IntentKind, Needs, Product};

/// How something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Eager,
    Hesitant,
    Annoyed,
    Curious,
}

impl Tone {
    pub const ALL: [Tone; 5] = [Tone::Plain, Tone::Eager, Tone::Hesitant, Tone::Annoyed, Tone::Curious];

    /// What people put before or after their question.
    fn phrases(self) -> &'static [&'static str; 12] {
        match self {
            Tone::Plain => &[
                "hello",
                "hi there",
                "good morning",
                "excuse me",
                "good afternoon",
                "hey",
                "good evening",
                "hi",
                "pardon me",
                "one question",
                "quick question",
                "good day",
            ],
            Tone::Eager => &[
                "I need it for tonight",
                "I want to take it with me now",
                "I am ready to pay",
                "I have to have that today",
                "I would like to buy it right away",
                "I came here just to get it",
                "I have been looking forward to it all week",
                "I will take it immediately",
                "please hurry, I want to buy",
                "I already know that I want it",
                "my wallet is in my hand",
                "I really want to have it",
            ],
            Tone::Hesitant => &[
                "I am only looking around",
                "I am not sure yet",
                "maybe another time",
                "I have not made up my mind",
                "I will think about it",
                "no hurry, I am just browsing",
                "perhaps I do not need it at all",
                "I am still undecided",
                "I do not want to buy anything yet",
                "I might come back later",
                "just out of interest, I am not buying",
                "I doubt that I need it",
            ],
            Tone::Annoyed => &[
                "this is the third time I ask",
                "nobody here can help me",
                "this is getting annoying",
                "your machine does not understand me",
                "I am really fed up with this",
                "what a useless service",
                "I am losing my patience",
                "why does this never work",
                "I have been waiting forever",
                "this is so frustrating",
                "nothing works in this shop",
                "I am angry about this",
            ],
            Tone::Curious => &[
                "I like to try new things",
                "I wonder what else there is",
                "tell me more, that sounds interesting",
                "what do other people enjoy",
                "I am curious what you would pick",
                "I love discovering something different",
                "surprise me with something new",
                "I want to taste something I have never had",
                "I am open to ideas",
                "show me something unusual",
                "I enjoy trying what others like",
                "I am looking for inspiration",
            ],
        }
    }
}

/// Which of the three parts a shopper belongs to. Parts also share no wording: a sentence that the network has learnt by heart
/// would flatter the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    /// The things of a list that this part may use: of every six, four to train and one each to validate and test. Lists shorter
    /// than six are shared, as a part must not be left speechless.
    fn of<T>(self, things: &[T]) -> Vec<&T> {
        let belongs = |at: usize| match self {
            Part::Train => at % 6 < 4,
            Part::Validation => at % 6 == 4,
            Part::Test => at % 6 == 5,
        };
        things.iter().enumerate().filter(|(at, _)| things.len() < 6 || belongs(*at)).map(|(_, thing)| thing).collect()
    }
}

/// Something that can be said, with what it means.
pub(super) struct Sentence<'a> {
    pub text: String,
    pub kind: IntentKind,
    pub tone: Tone,
    /// The product that the words name; where they only point ("this"), none.
    pub names: Option<&'a Product>,
}

/// Composes `count` sentences for one part: an example of an intent, in a tone, about a product or pointing at one.
pub(super) fn compose<'a>(
    part: Part,
    count: usize,
    catalog: &'a Catalog,
    intents: &[IntentDefinition],
    chance: &mut StdRng,
) -> Vec<Sentence<'a>> {
    let one = |_| {
        let intent = &intents[chance.random_range(0..intents.len())];
        let example = choose(chance, &part.of(&intent.examples));
        let tone = Tone::ALL[chance.random_range(0..Tone::ALL.len())];
        let named = chance_of(chance, 0.5).then(|| &catalog.products()[chance.random_range(0..catalog.products().len())]);
        let (question, names) = about(example, intent.needs, named, catalog);
        let phrase = choose(chance, &part.of(tone.phrases()));
        let text = if chance_of(chance, 0.5) { format!("{phrase}, {question}") } else { format!("{question}, {phrase}") };
        Sentence { text, kind: intent.kind, tone, names }
    };
    (0..count).map(one).collect()
}

/// Puts another product in the place of the one that the example names, or "this" where none is to be named.
fn about<'a>(example: &str, needs: Needs, named: Option<&'a Product>, catalog: &Catalog) -> (String, Option<&'a Product>) {
    let example = example.trim_end_matches(['.', '?', '!']);
    match (find_product(example, catalog), named) {
        (Some((start, end)), Some(product)) => (format!("{}{}{}", &example[..start], product.name, &example[end..]), named),
        (Some((start, end)), None) => (format!("{}this{}", example[..start].trim_end_matches("the "), &example[end..]), None),
        (None, Some(product)) if needs == Needs::Product => (format!("{example}, I mean the {}", product.name), named),
        (None, _) => (example.to_owned(), None),
    }
}

/// Bytes of the longest name of a product in the sentence. Only where lowering the case keeps the bytes in place (ASCII).
fn find_product(sentence: &str, catalog: &Catalog) -> Option<(usize, usize)> {
    let lowered = sentence.to_ascii_lowercase();
    let names = catalog.products().iter().flat_map(|p| [&p.name, &p.plural].into_iter().chain(&p.synonyms));
    let places = names.filter(|name| !name.is_empty()).filter_map(|name| {
        let start = lowered.find(&name.to_ascii_lowercase())?;
        let end = start + name.len();
        let alone = |neighbour: Option<char>| neighbour.is_none_or(|c| !c.is_alphanumeric());
        (alone(sentence[..start].chars().next_back()) && alone(sentence[end..].chars().next())).then_some((start, end))
    });
    places.max_by_key(|(start, end)| end - start)
}

/// One of the list, or the empty string of an empty list.
fn choose<'t, T: AsRef<str> + ?Sized>(chance: &mut StdRng, list: &[&'t T]) -> &'t str {
    if list.is_empty() { "" } else { list[chance.random_range(0..list.len())].as_ref() }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{catalog, intents};
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn parts_share_no_wording() {
        let (catalog, intents) = (catalog(), intents());
        let texts = |part, seed| {
            let sentences = compose(part, 300, &catalog, &intents, &mut StdRng::seed_from_u64(seed));
            sentences.into_iter().map(|s| s.text).collect::<std::collections::HashSet<_>>()
        };
        let (train, test) = (texts(Part::Train, 1), texts(Part::Test, 2));
        assert!(train.is_disjoint(&test));
    }

    #[test]
    fn another_product_takes_the_place_of_the_one_in_the_example() {
        let catalog = catalog();
        let milk = &catalog.products()[1];
        assert_eq!(about("how much is the red apple?", Needs::Product, Some(milk), &catalog).0, "how much is the oat milk");
        assert_eq!(about("how much is the Red Apple?", Needs::Product, None, &catalog).0, "how much is this");
        assert_eq!(about("where is it", Needs::Product, Some(milk), &catalog).0, "where is it, I mean the oat milk");
        assert_eq!(about("are you open", Needs::Nothing, Some(milk), &catalog), ("are you open".to_owned(), None));
    }
}
