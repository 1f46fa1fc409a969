use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use serde_json::json;

use super::transcribe::{each_file, hearing};
use super::{Failure, Place, grammar as grammars, open, progress};
use crate::audio::{decode_file, in_noise};
use crate::config::Config;
use crate::domain::{Heard, Pcm16k, SpokenOrder};
use crate::measure::wilson;
use crate::speech::{Closed, Evidence, Request, Search};
use crate::turn::Hearing;

/// Take spoken orders: what a closed grammar can say is heard, all else is refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd order --grammar config/grammars/coffee.toml audio_fixtures/recorded/order-mocha.flac
  kioskd order --grammar config/grammars/coffee.toml --json audio_fixtures/recorded/order-*.flac")]
pub(super) struct Arguments {
    /// What can be said; docs/grammar.md tells how to write one
    #[arg(long, value_name = "FILE")]
    grammar: PathBuf,
    /// WAV, FLAC, MP3, Ogg Vorbis or Opus; one order each
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Another model of models/manifest.toml than the settings'
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Print one JSON object a file
    #[arg(long)]
    json: bool,
}

/// Recogniser and grammar together.
pub(super) struct OrderTaker {
    hearing: Hearing,
    closed: Closed,
    config: Config,
}

impl OrderTaker {
    pub(super) fn open(place: &Place, grammar: &Path, model: Option<&str>) -> Result<Self, Failure> {
        let mut config = open::config(place)?;
        if let Some(model) = model {
            config.speech.model = model.to_owned();
        }
        let grammar = Arc::new(grammars::read(grammar)?);
        let hearing = hearing(&config)?;
        let closed = Closed::new(grammar, &hearing.transcriber);
        Ok(Self { hearing, closed, config })
    }

    fn sound(&self, file: &Path) -> Result<Pcm16k, Failure> {
        let sound = decode_file(file, self.config.audio.file_limits());
        Ok(sound.map_err(|e| Failure::Input(format!("{}: {e}", file.display())))?.pcm)
    }

    fn take(&mut self, pcm: &Pcm16k) -> Result<Taken, Failure> {
        let begun = Instant::now();
        let heard = self
            .hearing
            .hear_order(pcm, &mut self.closed, Search::Likeliest, &Request::default())
            .map_err(|e| Failure::Job(e.to_string()))?;
        Ok(Taken { open: heard.open, closed: heard.closed, ms: begun.elapsed().as_secs_f64() * 1_000.0 })
    }
}

/// What one sound came to.
struct Taken {
    open: Heard,
    closed: Option<(SpokenOrder, Evidence)>,
    ms: f64,
}

impl Taken {
    /// The order, if it is believed.
    fn order(&self) -> Option<&SpokenOrder> {
        self.closed.as_ref().map(|(order, _)| order).filter(|order| order.is_accepted())
    }

    fn open_text(&self) -> &str {
        match &self.open {
            Heard::Words(transcript) => &transcript.text,
            Heard::Silence => "",
        }
    }
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let mut taker = OrderTaker::open(place, &arguments.grammar, arguments.model.as_deref())?;
    each_file(&arguments.files, "taking orders", arguments.json, |file, bar| {
        let pcm = taker.sound(file)?;
        let taken = taker.take(&pcm)?;
        bar.suspend(|| show(file, &taken, arguments.json))
    })
}

fn show(file: &Path, taken: &Taken, is_json: bool) -> Result<(), Failure> {
    let file = file.display().to_string();
    let confidence = taken.closed.as_ref().map_or(0.0, |(order, _)| order.confidence.get());
    if is_json {
        let none = BTreeMap::new();
        let order = taken.order();
        return open::print_json(&json!({
            "file": file, "text": order.map_or(taken.open_text(), |order| &order.text), "intent": order.map(|order| &order.intent),
            "slots": order.map_or(&none, |order| &order.slots), "confidence": rounded(f64::from(confidence), 1e4),
            "heard": taken.open_text(), "ms": rounded(taken.ms, 10.0),
        }));
    }
    match taken.order() {
        Some(order) => {
            let slots: Vec<String> = order.slots.iter().map(|(slot, value)| format!("{slot} {value}")).collect();
            open::print_line(&format!("{file}: {} ({})", order.text, slots.join(", ")))
        }
        None => open::print_line(&format!("{file}: no order; heard {:?}", taken.open_text())),
    }
}

fn rounded(x: f64, scale: f64) -> f64 {
    (x * scale).round() / scale
}

/// What `kioskd evaluate orders` is given.
pub(super) struct Evaluation<'a> {
    pub(super) dir: &'a Path,
    pub(super) labels: &'a Path,
    pub(super) grammar: &'a Path,
    pub(super) model: Option<&'a str>,
    pub(super) noise: Option<(&'a Path, f32)>,
    pub(super) json: bool,
}

/// A line of the labels: no intent where the sound is no order.
#[derive(Deserialize)]
struct Label {
    #[serde(default)]
    intent: Option<String>,
    #[serde(default)]
    slots: BTreeMap<String, String>,
}

pub(super) fn evaluate(place: &Place, what: &Evaluation<'_>) -> Result<(), Failure> {
    let labels = open::read(what.labels)?;
    let labels: BTreeMap<String, Label> = serde_json::from_slice(&labels)
        .map_err(|e| Failure::Input(format!("{}: {e}; expected {{file: {{intent, slots}}}}", what.labels.display())))?;
    if labels.is_empty() {
        return Err(Failure::Input(format!("{} labels no file", what.labels.display())));
    }
    let mut taker = OrderTaker::open(place, what.grammar, what.model)?;
    let noise = what.noise.map(|(file, snr_db)| taker.sound(file).map(|pcm| (pcm, snr_db))).transpose()?;
    let bar = progress::bar(labels.len() as u64, "taking orders");
    let (mut orders, mut accepted, mut others, mut taken_for_orders) = (0, 0, 0, 0);
    let mut ms = Vec::with_capacity(labels.len());
    for (at, (file, label)) in labels.iter().enumerate() {
        let mut pcm = taker.sound(&what.dir.join(file))?;
        if let Some((noise, snr_db)) = &noise {
            pcm = in_noise(&pcm, noise, *snr_db, at as u64);
        }
        let taken = taker.take(&pcm)?;
        let is_right = taken.order().is_some_and(|order| is_as_labelled(order, label));
        match label.intent {
            Some(_) => (orders, accepted) = (orders + 1, accepted + usize::from(is_right)),
            None => (others, taken_for_orders) = (others + 1, taken_for_orders + usize::from(taken.order().is_some())),
        }
        ms.push(taken.ms);
        bar.suspend(|| told(file, label, &taken, is_right, what.json))?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    ms.sort_by(f64::total_cmp);
    let share = |part: usize, all: usize| rounded(part as f64 / all.max(1) as f64, 1e4);
    let median_ms = rounded(ms[ms.len() / 2], 10.0);
    let (low, high) = wilson(accepted, orders);
    let interval = [rounded(low, 1e4), rounded(high, 1e4)];
    if what.json {
        return open::print_json(&json!({
            "clips": orders, "accepted": accepted, "acceptance": share(accepted, orders), "interval": interval,
            "others": others, "taken_for_orders": taken_for_orders, "false_acceptance": share(taken_for_orders, others), "ms_median": median_ms,
        }));
    }
    open::print_line(&format!(
        "{accepted} of {orders} orders wholly right: {:.1} % (95 % interval {:.1} to {:.1}), {median_ms} ms each at the median",
        100.0 * share(accepted, orders),
        100.0 * low,
        100.0 * high
    ))?;
    if others > 0 {
        open::print_line(&format!("{taken_for_orders} of {others} other sentences taken for an order"))?;
    }
    Ok(())
}

/// Intent and every slot, no more and no less; blanks around a value say nothing.
fn is_as_labelled(order: &SpokenOrder, label: &Label) -> bool {
    let slots: BTreeMap<&str, &str> = label.slots.iter().map(|(slot, value)| (slot.as_str(), value.trim())).collect();
    let found: BTreeMap<&str, &str> = order.slots.iter().map(|(slot, value)| (slot.as_str(), value.trim())).collect();
    label.intent.as_deref() == Some(order.intent.as_str()) && slots == found
}

/// One clip: in JSON all of them, for people only those that went wrong.
fn told(file: &str, label: &Label, taken: &Taken, is_right: bool, is_json: bool) -> Result<(), Failure> {
    let closed = taken.closed.as_ref();
    if is_json {
        return open::print_json(&json!({
            "file": file, "is_order": label.intent.is_some(), "right": is_right, "accepted": taken.order().is_some(),
            "would_be_right": closed.is_some_and(|(order, _)| is_as_labelled(order, label)),
            "text": closed.map(|(order, _)| &order.text), "heard": taken.open_text(), "ms": rounded(taken.ms, 10.0),
            "evidence": closed.map(|(_, e)| json!({ "mean": e.mean, "least": e.least, "behind_open": e.behind_open })),
        }));
    }
    match (label.intent.is_some(), taken.order()) {
        (true, _) if is_right => Ok(()),
        (false, None) => Ok(()),
        (_, order) => open::print_line(&format!("{file}: took {:?}, heard {:?}", order.map_or("no order", |o| &o.text), taken.open_text())),
    }
}
