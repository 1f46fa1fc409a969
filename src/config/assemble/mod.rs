//! Builds a desk: every model checked, loaded and put on its worker.

mod behavior;
mod hearing;
mod language;
mod seeing;

pub use behavior::open_lessons;
pub use hearing::open_hearing;
pub use language::{ENCODER_FILES, Learned, open_language};
pub use seeing::{open_seeing, photo_labels};

use std::sync::Arc;

use super::{Config, ShopFiles};
use crate::audio::AudioError;
use crate::behavior::{BehaviorError, BehaviorModel};
use crate::dialogue::{Dialogue, Orders, Phrasebook, TemplateError};
use crate::language::{Language, LanguageError};
use crate::onnx::{OnnxError, OnnxRuntime};
use crate::recommend::Recommender;
use crate::speech::SpeechError;
use crate::speech::grammar::{Grammar, GrammarError};
use crate::store::{Reader, StoreError, Writer};
use crate::turn::{Clock, Desk, Fusion, Grammars, Hearing, Learner, OpenQuestions, Parts, Pool, SystemClock, Worker};
use crate::vision::{Classifier, Gallery, VisionError};
use crate::weights::{Manifest, ModelKind, VerifiedFile, WeightsError};

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
            Ok((
                hearing::open_hearings(config, &manifest, &runtime, &shop_files, &grammars)?,
                open_seeing(config, &manifest, &runtime, &catalog)?,
            ))
        });
        let learned = learning.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (others, learned)
    });
    let ((hearing, seeing), learned) = (hearing_and_seeing?, learned?);
    let lessons = open_lessons(config, &manifest, &shop_files, Arc::clone(&clock))?;
    let photos = seeing::product_photos(&seeing.1, &catalog, &seeing::classes(config, &manifest)?);
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
            let model = behavior::current_behavior(lessons, &again_behavior.config, &again_behavior.manifest)?;
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
        Ok(hearing::with_orders(hearing, &self.grammars, &hearing::menu_words(&self.shop_files)))
    }

    fn seeing(&self) -> Result<(Classifier, Gallery), AssembleError> {
        open_seeing(&self.config, &self.manifest, &open_runtime(&self.manifest)?, &self.shop_files.catalog)
    }

    fn language(&self) -> Result<Language, AssembleError> {
        Ok(open_language(&self.config, &self.manifest, &self.shop_files, &|_, _| ())?.language)
    }

    fn behavior(&self) -> Result<BehaviorModel, AssembleError> {
        let lessons = open_lessons(&self.config, &self.manifest, &self.shop_files, Arc::new(SystemClock))?;
        let lessons = lessons.ok_or_else(|| WeightsError::Unlisted { name: behavior::BEHAVIOR.to_owned() })?;
        behavior::current_behavior(&lessons, &self.config, &self.manifest)
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

/// The ONNX Runtime of this platform.
pub fn open_runtime(manifest: &Manifest) -> Result<OnnxRuntime, AssembleError> {
    let here = manifest.entries().iter().find(|entry| entry.kind == ModelKind::Runtime && entry.fits_platform());
    let platform = || AssembleError::Platform(format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS));
    let entry = here.ok_or_else(platform)?;
    Ok(OnnxRuntime::load(manifest.verify(&entry.name)?.path())?)
}

/// A model that the desk can do without: absent from the manifest it is left out; listed but damaged it is an error.
fn optional(manifest: &Manifest, name: &str) -> Result<Option<VerifiedFile>, AssembleError> {
    match manifest.entry(name) {
        Ok(_) => Ok(Some(manifest.verify(name)?)),
        Err(_) => Ok(None),
    }
}
