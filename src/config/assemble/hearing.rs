use std::collections::HashSet;
use std::sync::Arc;

use super::super::{Config, ShopFiles};
use super::AssembleError;
use crate::audio::Vad;
use crate::domain::Catalog;
use crate::onnx::OnnxRuntime;
use crate::speech::{Bias, Transcriber};
use crate::turn::{Grammars, Hearing, OrderEar};
use crate::weights::Manifest;

/// Its name in the manifest; it is not a choice of the config.
const VOICE_ACTIVITY: &str = "silero-vad";

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

/// As many recognisers as the config asks for, over one copy of the weights.
pub(super) fn open_hearings(
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

/// The recogniser with an ear for orders, where the shop has a grammar of them.
pub(super) fn with_orders(hearing: Hearing, grammars: &Grammars, words: &Arc<HashSet<String>>) -> Hearing {
    let ear = |grammar| OrderEar::new(Arc::clone(grammar), Arc::clone(words), &hearing.transcriber);
    Hearing { orders: grammars.orders.as_ref().map(ear), ..hearing }
}

/// Words by which an order is known: of what can be ordered, and of what can be chosen of it.
pub(super) fn menu_words(files: &ShopFiles) -> Arc<HashSet<String>> {
    /// Shorter words are everywhere.
    const LETTERS_MIN: usize = 4;
    let choices = files.menu.parts.iter().flat_map(|part| &part.choices).flat_map(|choice| &choice.said);
    let items = files.catalog.products().iter().filter(|p| files.menu.categories.contains(&p.category)).map(|p| &p.name);
    let words = choices.chain(items).flat_map(|text| text.split(' ')).map(str::to_lowercase);
    Arc::new(words.filter(|word| word.chars().count() >= LETTERS_MIN).collect())
}

/// What can be asked for in this shop and is hardly said elsewhere.
fn shop_words(catalog: &Catalog) -> impl Iterator<Item = &str> {
    let products = || catalog.products().iter();
    let names = products().map(|product| product.name.as_str());
    names
        .chain(products().filter_map(|product| product.brand.as_deref()))
        .chain(products().flat_map(|p| p.synonyms.iter().map(String::as_str)))
}
