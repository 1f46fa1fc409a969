use std::collections::HashMap;
use std::path::Path;

use super::super::{Config, ShopFiles};
use super::{AssembleError, optional};
use crate::dialogue::FaqIndex;
use crate::domain::{Product, ProductId, Shop};
use crate::language::{
    Augmenter, Encoder, EntityFinder, IntentClassifier, IntentExamples, Language, SentenceMemory, SentenceVector, Sentiment, Variant,
    examples_fingerprint,
};
use crate::weights::Manifest;

/// Names of the models that are not a choice of the config.
pub(super) const ENCODER: &str = "minilm";
const VOCABULARY: &str = "minilm-tokenizer";
const DESK_ADAPTER: &str = "minilm-desk";
/// Names in the manifest of what the sentence encoder is loaded from: weights, vocabulary, adapter.
pub const ENCODER_FILES: [&str; 3] = [ENCODER, VOCABULARY, DESK_ADAPTER];
const SENTIMENT: &str = "minilm-sentiment";

/// What was learnt from the shop's own sentences.
pub struct Learned {
    /// Understands sentences.
    pub language: Language,
    /// Finds questions that are asked often.
    pub faq: FaqIndex,
    /// Vectors of what the products are.
    pub products: HashMap<ProductId, Vec<f32>>,
}

/// Encoder, intents, entities, sentiment, FAQ: loads what was learnt before and learns what is new.
pub fn open_language(
    config: &Config,
    manifest: &Manifest,
    files: &ShopFiles,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Learned, AssembleError> {
    let encoder = Encoder::load(&manifest.verify(ENCODER)?, &manifest.verify(VOCABULARY)?, &manifest.verify(DESK_ADAPTER)?)?;
    let folder = config.paths.data.join("learned");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let examples: Vec<String> = files.intents.iter().flat_map(|intent| intent.examples.iter().cloned()).collect();
    let questions = FaqIndex::texts(&files.shop.faq);
    let descriptions: Vec<String> = files.catalog.products().iter().map(|product| description(product, &files.shop)).collect();
    let said_otherwise = Augmenter::new(files.words.synonyms()).variants(&examples);
    let others: Vec<String> = said_otherwise.iter().flatten().cloned().collect();
    let all: Vec<String> = [&examples[..], &questions[..], &descriptions[..], &others[..]].concat();
    let mut vectors = SentenceMemory::open(&folder, &encoder).recall(&all, &encoder, cores, progress)?;
    let of_others = vectors.split_off(examples.len() + questions.len() + descriptions.len());
    let places = said_otherwise.iter().enumerate().filter_map(|(of, variant)| Some((of, variant.clone()?)));
    let variants: Vec<Variant> = places.zip(of_others).map(|((of, text), vector)| Variant { of, text, vector }).collect();
    let of_products = vectors.split_off(examples.len() + questions.len());
    let of_questions = vectors.split_off(examples.len());
    let path = folder.join(format!("intents-{}.safetensors", examples_fingerprint(&files.intents, &encoder.fingerprint())));
    let intents = fitted(&path, files, (&vectors, &variants), &encoder.fingerprint(), cores)?;
    let sentiment = optional(manifest, SENTIMENT)?.map(|file| Sentiment::load(&file)).transpose()?;
    let ids = files.catalog.products().iter().map(|p| p.id.clone());
    Ok(Learned {
        language: Language {
            encoder,
            intents,
            entities: EntityFinder::new(&files.catalog, &files.words),
            sentiment,
            config: config.language.clone(),
        },
        faq: FaqIndex::new(&files.shop.faq, embeddings(&of_questions)),
        products: ids.zip(embeddings(&of_products)).collect(),
    })
}

/// The classifier that was fitted to these examples before, or a new one.
fn fitted(
    path: &Path,
    files: &ShopFiles,
    (vectors, variants): (&[SentenceVector], &[Variant]),
    encoder: &str,
    threads: usize,
) -> Result<IntentClassifier, AssembleError> {
    if let Ok(classifier) = IntentClassifier::load(path) {
        return Ok(classifier);
    }
    let (classifier, report) =
        IntentClassifier::fit((&IntentExamples::of_shop(&files.intents), vectors), variants, None, encoder, threads)?;
    tracing::info!(examples = report.unseen, right = report.right, "intents were learnt; right is counted on examples kept back");
    if let Err(error) = classifier.save(path) {
        tracing::warn!(path = %path.display(), %error, "intents were not kept, the next start fits them again");
    }
    Ok(classifier)
}

fn embeddings(vectors: &[SentenceVector]) -> Vec<Vec<f32>> {
    vectors.iter().map(|vector| vector.embedding().to_vec()).collect()
}

/// A product in a sentence, to be compared with what people ask for.
fn description(product: &Product, shop: &Shop) -> String {
    let said = product.description.as_deref().unwrap_or_default();
    let brand = product.brand.as_deref().unwrap_or(&shop.name);
    format!("{}, {}, {brand}. {said}", product.name, product.category)
}
