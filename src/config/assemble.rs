//! Builds a desk: every model checked, loaded and put on its worker.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::{Config, ShopFiles};
use crate::audio::{AudioError, Vad};
use crate::behavior::{BehaviorError, BehaviorModel, Checkpoint, UnusualSessions, Versions};
use crate::dialogue::{Dialogue, FaqIndex, Orders, Phrasebook, TemplateError};
use crate::domain::{Catalog, Product, ProductId, Shop};
use crate::language::{
    Augmenter, Encoder, EntityFinder, IntentClassifier, IntentExamples, Language, LanguageError, SentenceMemory, SentenceVector, Sentiment,
    Variant, examples_fingerprint,
};
use crate::onnx::{OnnxError, OnnxRuntime};
use crate::recommend::Recommender;
use crate::speech::grammar::{Grammar, GrammarError};
use crate::speech::{Bias, SpeechError, Transcriber};
use crate::store::{Reader, StoreError, Writer};
use crate::turn::{Clock, Desk, Fusion, Grammars, Hearing, Learner, Lessons, OpenQuestions, OrderEar, Parts, Pool, SystemClock, Worker};
use crate::vision::{ClassLabel, Classifier, EMBEDDING, Gallery, PhotoClass, VisionError, read_classes};
use crate::weights::{Manifest, ModelKind, VerifiedFile, WeightsError};

/// Names of the models that are not a choice of the config.
const VOICE_ACTIVITY: &str = "silero-vad";
const ENCODER: &str = "minilm";
const VOCABULARY: &str = "minilm-tokenizer";
const DESK_ADAPTER: &str = "minilm-desk";
/// Names in the manifest of what the sentence encoder is loaded from: weights, vocabulary, adapter.
pub const ENCODER_FILES: [&str; 3] = [ENCODER, VOCABULARY, DESK_ADAPTER];
const SENTIMENT: &str = "minilm-sentiment";
const BEHAVIOR: &str = "behavior-fusion";

/// Why the desk could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// The shop's files.
    #[error("{}", .0.join("\n"))]
    Shop(Vec<String>),
    /// A model's file.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// ONNX Runtime.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// The voice detector.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The recogniser.
    #[error(transparent)]
    Speech(#[from] SpeechError),
    /// The photo classifier.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// The language model.
    #[error(transparent)]
    Language(#[from] LanguageError),
    /// The behaviour model.
    #[error(transparent)]
    Behavior(#[from] BehaviorError),
    /// A template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The log.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
    /// Not for this machine.
    #[error("models/manifest.toml has no ONNX Runtime for {0}; add a line for it")]
    Platform(String),
}

/// What was learnt from the shop's own sentences.
pub struct Learned {
    /// Understands sentences.
    pub language: Language,
    /// Finds questions that are asked often.
    pub faq: FaqIndex,
    /// Vectors of what the products are.
    pub products: HashMap<ProductId, Vec<f32>>,
}

/// Loads everything and opens the log. `progress` is told how many sentences of how many were learnt, where there is something to learn.
pub fn open_desk(config: &Config, clock: Arc<dyn Clock>, progress: &(dyn Fn(usize, usize) + Sync)) -> Result<Desk, AssembleError> {
    let shop_files = ShopFiles::read(&config.paths.shop).map_err(AssembleError::Shop)?;
    let grammars = grammars(&shop_files)?;
    let writer = Writer::open(&config.paths.data)?;
    let manifest = Manifest::read(&config.paths.models)?;
    let catalog = Arc::new(shop_files.catalog.clone());
    // Checksums and loading take a second or two each, so two cores share them.
    let (hearing_and_seeing, learned) = std::thread::scope(|scope| {
        let learning = scope.spawn(|| open_language(config, &manifest, &shop_files, progress));
        let others = open_runtime(&manifest).and_then(|runtime| {
            Ok((open_hearings(config, &manifest, &runtime, &shop_files, &grammars)?, open_seeing(config, &manifest, &runtime, &catalog)?))
        });
        let learned = learning.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (others, learned)
    });
    let ((hearing, seeing), learned) = (hearing_and_seeing?, learned?);
    let lessons = open_lessons(config, &manifest, &shop_files, Arc::clone(&clock))?;
    let photos = product_photos(&seeing.1, &catalog, &classes(config, &manifest)?);
    let recommender = Recommender::new(Arc::clone(&catalog), &shop_files.shop.currency_word)
        .with_texts(learned.products)
        .with_photos(photos)
        .with_settings(&config.recommend);
    let reader = Reader::new(&config.paths.data);
    recommender.replay(&reader.offered_turns(config.recommend.history_turns_max)?, &reader.feedback(config.recommend.history_turns_max)?);
    let queue = config.turn.queue;
    let dialogue = open_dialogue(config, &shop_files)?;
    let open_questions = config.bridge.build().map(|bridge| Arc::new(OpenQuestions::new(bridge, &shop_files.shop, &catalog)));
    let again = Reload { config: config.clone(), manifest, shop_files, grammars: grammars.clone() };
    let (again_hearing, again_seeing, again_language, again_behavior) = (again.clone(), again.clone(), again.clone(), again);
    let words = |e: AssembleError| e.to_string();
    let behavior = match &lessons {
        Some(lessons) => {
            let model = current_behavior(lessons, &again_behavior.config, &again_behavior.manifest)?;
            Some(Arc::new(Worker::start("behavior", queue, model, move || again_behavior.behavior().map_err(words))?))
        }
        None => None,
    };
    Ok(Desk::new(Parts {
        hearing: Pool::start("hearing", queue, hearing, move || again_hearing.hearing().map_err(words))?,
        seeing: Worker::start("seeing", queue, seeing, move || again_seeing.seeing().map_err(words))?,
        language: Worker::start("language", queue, learned.language, move || again_language.language().map_err(words))?,
        learner: match (lessons, &behavior) {
            (Some(lessons), Some(worker)) => Some(Learner::start(lessons, Arc::clone(worker))?),
            _ => None,
        },
        behavior,
        recommender,
        anomaly_threshold: config.behavior.anomaly_threshold,
        fusion: Fusion::new(&catalog),
        open_questions,
        catalog,
        dialogue,
        grammars,
        faq: learned.faq,
        reader,
        writer,
        clock,
        sound_limits: config.audio.file_limits(),
        vision: config.vision.clone(),
        config: config.turn.clone(),
    }))
}

/// What is needed to load a model once more.
#[derive(Clone)]
struct Reload {
    config: Config,
    manifest: Manifest,
    shop_files: ShopFiles,
    grammars: Grammars,
}

impl Reload {
    fn hearing(&self) -> Result<Hearing, AssembleError> {
        let hearing = open_hearing(&self.config, &self.manifest, &open_runtime(&self.manifest)?)?;
        Ok(with_orders(hearing, &self.grammars, &menu_words(&self.shop_files)))
    }

    fn seeing(&self) -> Result<(Classifier, Gallery), AssembleError> {
        open_seeing(&self.config, &self.manifest, &open_runtime(&self.manifest)?, &self.shop_files.catalog)
    }

    fn language(&self) -> Result<Language, AssembleError> {
        Ok(open_language(&self.config, &self.manifest, &self.shop_files, &|_, _| ())?.language)
    }

    fn behavior(&self) -> Result<BehaviorModel, AssembleError> {
        let lessons = open_lessons(&self.config, &self.manifest, &self.shop_files, Arc::new(SystemClock))?;
        let lessons = lessons.ok_or_else(|| WeightsError::Unlisted { name: BEHAVIOR.to_owned() })?;
        current_behavior(&lessons, &self.config, &self.manifest)
    }
}

/// The grammars that the shop's files name.
pub fn grammars(files: &ShopFiles) -> Result<Grammars, AssembleError> {
    let parse = |text: &Option<String>| text.as_deref().map(Grammar::parse).transpose().map(|grammar| grammar.map(Arc::new));
    let problem = |e: GrammarError| AssembleError::Shop(vec![format!("a grammar that order.toml names, {e}")]);
    Ok(Grammars { orders: parse(&files.grammars.orders).map_err(problem)?, replies: parse(&files.grammars.replies).map_err(problem)? })
}

/// How conversations are led in this shop; needs no model.
pub fn open_dialogue(config: &Config, files: &ShopFiles) -> Result<Dialogue, AssembleError> {
    let ShopFiles { shop, catalog, intents, manners, menu, talk, sayings, .. } = files.clone();
    let phrasebook = Phrasebook::new(shop, intents, manners, sayings)?;
    let orders = Orders::new(menu, &catalog);
    Ok(Dialogue::new(phrasebook, orders, talk, Arc::new(catalog), config.dialogue.clone()))
}

/// Words by which an order is known: of what can be ordered, and of what can be chosen of it.
fn menu_words(files: &ShopFiles) -> Arc<HashSet<String>> {
    /// Shorter words are everywhere.
    const LETTERS_MIN: usize = 4;
    let choices = files.menu.parts.iter().flat_map(|part| &part.choices).flat_map(|choice| &choice.said);
    let items = files.catalog.products().iter().filter(|p| files.menu.categories.contains(&p.category)).map(|p| &p.name);
    let words = choices.chain(items).flat_map(|text| text.split(' ')).map(str::to_lowercase);
    Arc::new(words.filter(|word| word.chars().count() >= LETTERS_MIN).collect())
}

/// The recogniser with an ear for orders, where the shop has a grammar of them.
fn with_orders(hearing: Hearing, grammars: &Grammars, words: &Arc<HashSet<String>>) -> Hearing {
    let ear = |grammar| OrderEar::new(Arc::clone(grammar), Arc::clone(words), &hearing.transcriber);
    Hearing { orders: grammars.orders.as_ref().map(ear), ..hearing }
}

/// The ONNX Runtime of this platform.
pub fn open_runtime(manifest: &Manifest) -> Result<OnnxRuntime, AssembleError> {
    let here = manifest.entries().iter().find(|entry| entry.kind == ModelKind::Runtime && entry.fits_platform());
    let platform = || AssembleError::Platform(format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS));
    let entry = here.ok_or_else(platform)?;
    Ok(OnnxRuntime::load(manifest.verify(&entry.name)?.path())?)
}

/// Voice detector and recogniser.
pub fn open_hearing(config: &Config, manifest: &Manifest, runtime: &OnnxRuntime) -> Result<Hearing, AssembleError> {
    let entry = manifest.entry(&config.speech.model)?;
    let whisper = manifest.verify(&config.speech.model)?;
    let mut transcriber = Transcriber::load(&whisper, entry.short_window, config.speech.clone())?;
    if config.speech.shop_words_strength > 0.0 {
        let catalog = ShopFiles::read(&config.paths.shop).map_err(AssembleError::Shop)?.catalog;
        transcriber = transcriber.with_bias(Arc::new(Bias::new(shop_words(&catalog), config.speech.shop_words_strength)));
    }
    let vad = Vad::load(runtime, &manifest.verify(VOICE_ACTIVITY)?)?;
    Ok(Hearing { vad, transcriber, endpoint: config.audio.endpoint.clone(), orders: None })
}

/// What can be asked for in this shop and is hardly said elsewhere.
fn shop_words(catalog: &Catalog) -> impl Iterator<Item = &str> {
    let products = || catalog.products().iter();
    let names = products().map(|product| product.name.as_str());
    names
        .chain(products().filter_map(|product| product.brand.as_deref()))
        .chain(products().flat_map(|p| p.synonyms.iter().map(String::as_str)))
}

/// As many recognisers as the config asks for, over one copy of the weights.
fn open_hearings(
    config: &Config,
    manifest: &Manifest,
    runtime: &OnnxRuntime,
    files: &ShopFiles,
    grammars: &Grammars,
) -> Result<Vec<Hearing>, AssembleError> {
    let mut hearings = vec![open_hearing(config, manifest, runtime)?];
    while hearings.len() < config.speech.recognisers() {
        let vad = hearings[0].vad.sibling();
        let transcriber = hearings[0].transcriber.sibling()?;
        hearings.push(Hearing { vad, transcriber, endpoint: config.audio.endpoint.clone(), orders: None });
    }
    let words = menu_words(files);
    Ok(hearings.into_iter().map(|hearing| with_orders(hearing, grammars, &words)).collect())
}

/// Photo classifier and gallery.
pub fn open_seeing(
    config: &Config,
    manifest: &Manifest,
    runtime: &OnnxRuntime,
    catalog: &Catalog,
) -> Result<(Classifier, Gallery), AssembleError> {
    let file = manifest.verify(&config.vision.model)?;
    let labels = photo_labels(&classes(config, manifest)?, catalog);
    let classifier = Classifier::load(runtime, &file, config.vision.threads, labels)?;
    Ok((classifier, Gallery::load(&manifest.verify(&config.vision.gallery)?)?))
}

fn classes(config: &Config, manifest: &Manifest) -> Result<Vec<PhotoClass>, AssembleError> {
    let model = manifest.path(manifest.entry(&config.vision.model)?);
    Ok(read_classes(&model.with_file_name("classes.csv"))?)
}

/// What the shop calls each class; a class that it does not sell keeps the data set's name.
pub fn photo_labels(classes: &[PhotoClass], catalog: &Catalog) -> Vec<ClassLabel> {
    let label = |class: &PhotoClass| match catalog.of_photo_class(&class.name) {
        Some(product) => ClassLabel { product: Some(product.id.clone()), label: product.name.clone() },
        None => ClassLabel { product: None, label: class.name.replace('-', " ") },
    };
    classes.iter().map(label).collect()
}

/// Mean view of each product that the gallery has enrolled.
fn product_photos(gallery: &Gallery, catalog: &Catalog, classes: &[PhotoClass]) -> HashMap<ProductId, Vec<f32>> {
    let mut means: HashMap<ProductId, Vec<f32>> = HashMap::new();
    for (at, view) in gallery.views().enumerate() {
        let product = classes.get(Gallery::class_of_view(at)).and_then(|class| catalog.of_photo_class(&class.name));
        if let Some(product) = product {
            let mean = means.entry(product.id.clone()).or_insert_with(|| vec![0.0; EMBEDDING]);
            mean.iter_mut().zip(view).for_each(|(sum, x)| *sum += x);
        }
    }
    means
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

/// What the behaviour model that ships and a shop's own sessions are for one another; `None` where no model ships.
pub fn open_lessons(
    config: &Config,
    manifest: &Manifest,
    files: &ShopFiles,
    clock: Arc<dyn Clock>,
) -> Result<Option<Lessons>, AssembleError> {
    let Some(file) = optional(manifest, BEHAVIOR)? else { return Ok(None) };
    Ok(Some(Lessons {
        reader: Reader::new(&config.paths.data),
        versions: Versions::new(&config.paths.data.join("learned").join("behavior")),
        shipped: Checkpoint::read(file.path())?,
        config: config.behavior.clone(),
        usual: usual_sessions(config, files)?.map(Arc::new),
        clock,
    }))
}

/// The behaviour model in use, if it was trained on the vectors that this config's encoders make.
fn current_behavior(lessons: &Lessons, config: &Config, manifest: &Manifest) -> Result<BehaviorModel, AssembleError> {
    let model = lessons.model()?;
    model.check_encoders(&manifest.entry(ENCODER)?.sha256, &manifest.entry(&config.vision.model)?.sha256)?;
    Ok(model)
}

/// Turns of the shop's own past that say what is usual, the newest ones.
const USUAL_TURNS_MAX: u32 = 20_000;

/// What is usual here: the shop's past sessions, or simulated ones while there are too few. It takes a fraction of a second.
fn usual_sessions(config: &Config, files: &ShopFiles) -> Result<Option<UnusualSessions>, AssembleError> {
    let past = Reader::new(&config.paths.data).session_features(USUAL_TURNS_MAX)?;
    let has_enough = past.len() >= config.behavior.anomaly_turns_min as usize;
    let sessions = if has_enough { past } else { UnusualSessions::simulated(&files.catalog, &files.intents)? };
    Ok(UnusualSessions::learn(&sessions))
}

/// A model that the desk can do without: absent from the manifest it is left out; listed but damaged it is an error.
fn optional(manifest: &Manifest, name: &str) -> Result<Option<VerifiedFile>, AssembleError> {
    match manifest.entry(name) {
        Ok(_) => Ok(Some(manifest.verify(name)?)),
        Err(_) => Ok(None),
    }
}
