use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Failure, Place, open, progress};
use crate::behavior::{BehaviorError, Head, PhotoPrototype, Shopper, SimulationConfig, World, shoppers};
use crate::config::{Config, ShopFiles};
use crate::domain::{FeedbackOutcome, SessionFeatures};
use crate::turn::{Desk, FeedbackInput, TurnInput};
use crate::vision::{Gallery, read_classes};
use crate::weights::write_atomically;

/// Numbers of a session, as columns.
const COLUMNS: [&str; 14] = [
    "turns",
    "seconds",
    "hour",
    "channel",
    "sentiment",
    "sentiment_min",
    "unanswered",
    "product_questions",
    "asks_for_person",
    "intent_confidence",
    "price_cents",
    "on_offer",
    "in_stock",
    "basket",
];

/// Simulate shoppers of this shop by the documented hidden rule.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd simulate --shoppers 2000 --out shoppers.csv
  kioskd behavior train --data shoppers.csv --label purchase --drop accept_recommendation --drop handoff_needed --drop abandon --out var/simulated
  kioskd simulate --shoppers 300 --into-log --data-dir var/simulated-log

The rule is in src/behavior/simulate/. It is ours: what is learnt from it says nothing about real people.")]
pub(super) struct Arguments {
    /// How many
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    shoppers: usize,
    /// Where chance starts; the same seed gives the same shoppers
    #[arg(long, default_value_t = SimulationConfig::default().seed)]
    seed: u64,
    /// Write a table, a shopper a row
    #[arg(long, value_name = "FILE", conflicts_with = "into_log")]
    out: Option<PathBuf>,
    /// Let the desk serve them: each asks what is said, and tells what became of it. Give a --data-dir that is not your shop's own
    #[arg(long)]
    into_log: bool,
    /// Print one JSON object a shopper
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    if !(1..=1_000_000).contains(&arguments.shoppers) {
        return Err(Failure::Input(format!("--shoppers is {}; expected 1 to 1000000", arguments.shoppers)));
    }
    if arguments.into_log && place.data_dir.is_none() {
        let sentence = "simulated conversations do not belong among real ones; name a folder for them with --data-dir";
        return Err(Failure::Input(sentence.to_owned()));
    }
    let config = open::config(place)?;
    let settings = SimulationConfig { seed: arguments.seed, shoppers_train: arguments.shoppers, ..SimulationConfig::default() };
    let shoppers = simulated(&config, &settings)?;
    if arguments.into_log {
        return serve(&config, &shoppers, arguments.json);
    }
    match &arguments.out {
        Some(path) => write_table(path, &shoppers),
        None => shoppers.iter().try_for_each(|shopper| if arguments.json { tell_json(shopper) } else { tell(shopper) }),
    }
}

fn simulated(config: &Config, settings: &SimulationConfig) -> Result<Vec<Shopper>, Failure> {
    let job = |e: &dyn std::fmt::Display| Failure::Job(e.to_string());
    let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
    let manifest = open::manifest(config)?;
    let photos = manifest.verify(&config.vision.model).map_err(|e| job(&e))?;
    let classes = read_classes(&photos.path().with_file_name("classes.csv")).map_err(|e| job(&e))?;
    let gallery =
        manifest.verify(&config.vision.gallery).map_err(|e| job(&e)).and_then(|file| Gallery::load(&file).map_err(|e| job(&e)))?;
    let prototype = |(at, centre): (usize, &[f32])| {
        let class = classes.get(Gallery::class_of_view(at))?.name.clone();
        Some(PhotoPrototype { class, centre: centre.to_vec() })
    };
    let prototypes: Vec<PhotoPrototype> = gallery.views().enumerate().filter_map(prototype).collect();
    let world = World { catalog: &files.catalog, intents: &files.intents, prototypes: &prototypes };
    shoppers(world, settings).map_err(|error: BehaviorError| Failure::Input(error.to_string()))
}

/// What is known of a session, in the order of [`COLUMNS`]; empty where it is not known.
fn cells(session: &SessionFeatures) -> [String; COLUMNS.len()] {
    let shown = |number: Option<f32>| number.map(|x| x.to_string()).unwrap_or_default();
    [
        session.turns.to_string(),
        session.seconds.to_string(),
        session.hour.to_string(),
        session.channel.name().to_owned(),
        shown(session.sentiment),
        shown(session.sentiment_min),
        session.unanswered.to_string(),
        session.product_questions.to_string(),
        session.asks_for_person.to_string(),
        shown(session.intent_confidence),
        session.price_cents.map(|cents| cents.to_string()).unwrap_or_default(),
        session.on_offer.to_string(),
        session.in_stock.map(|is| is.to_string()).unwrap_or_default(),
        session.basket.to_string(),
    ]
}

/// The table that `behavior train` reads. Persona and sentence are not among its columns: the one is hidden from every model, and the other
/// is no number.
fn write_table(path: &Path, shoppers: &[Shopper]) -> Result<(), Failure> {
    let job = |e: &dyn std::fmt::Display| Failure::Job(format!("{} could not be written: {e}", path.display()));
    let mut table = csv::Writer::from_writer(Vec::new());
    let heads = Head::ALL.map(Head::name);
    table.write_record(COLUMNS.iter().chain(["shown"].iter()).chain(heads.iter())).map_err(|e| job(&e))?;
    for shopper in shoppers {
        let outcomes = shopper.outcomes.map(|happened| happened.to_string());
        let shown = shopper.shown.clone().unwrap_or_default();
        table.write_record(cells(&shopper.session).iter().chain([&shown]).chain(&outcomes)).map_err(|e| job(&e))?;
    }
    write_atomically(path, &table.into_inner().map_err(|e| job(&e))?).map_err(|e| job(&e))?;
    eprintln!("kioskd: {} simulated shoppers were written to {}", shoppers.len(), path.display());
    Ok(())
}

fn tell_json(shopper: &Shopper) -> Result<(), Failure> {
    let session: serde_json::Map<_, _> =
        COLUMNS.iter().zip(cells(&shopper.session)).map(|(name, cell)| ((*name).to_owned(), json!(cell))).collect();
    let outcomes: serde_json::Map<_, _> =
        Head::ALL.iter().zip(shopper.outcomes).map(|(head, is)| (head.name().to_owned(), json!(is))).collect();
    open::print_json(&json!({
        "persona": shopper.persona, "sentence": shopper.sentence, "shown": shopper.shown, "session": session, "outcomes": outcomes,
    }))
}

fn tell(shopper: &Shopper) -> Result<(), Failure> {
    let happened: Vec<&str> = Head::ALL.iter().zip(shopper.outcomes).filter(|(_, is)| *is).map(|(head, _)| head.name()).collect();
    let says = shopper.sentence.as_deref().unwrap_or("(nothing)");
    let shows = shopper.shown.as_deref().map(|class| format!(" and shows {class}")).unwrap_or_default();
    let ends = if happened.is_empty() { "nothing comes of it".to_owned() } else { happened.join(", ") };
    open::print_line(&format!("{:<10} {says}{shows}: {ends}", shopper.persona))
}

/// Each shopper who says something asks the desk, and tells what became of it: real answers and offers, simulated people.
fn serve(config: &Config, shoppers: &[Shopper], is_json: bool) -> Result<(), Failure> {
    let desk = open::desk(config)?;
    let bar = progress::bar(shoppers.len() as u64, "serving");
    let mut served = 0;
    open::block_on(async {
        for shopper in shoppers {
            if let Some(sentence) = &shopper.sentence {
                visit(&desk, shopper, sentence).await?;
                served += 1;
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    })?;
    if is_json {
        return open::print_json(&json!({ "shoppers": shoppers.len(), "served": served, "log": desk.parts().writer.path() }));
    }
    open::print_line(&format!(
        "{served} of {} simulated shoppers said something and were served; {}",
        shoppers.len(),
        desk.parts().writer.path().display()
    ))
}

async fn visit(desk: &Desk, shopper: &Shopper, sentence: &str) -> Result<(), Failure> {
    let channel = shopper.session.channel;
    let session = desk.open_session(channel).await?;
    let input = TurnInput { text: Some(sentence.to_owned()), ..TurnInput::default() };
    let turn = desk.take(&session, channel, input).await?;
    let [buys, accepts, needs_person, leaves] = shopper.outcomes;
    let mut told = Vec::new();
    if let Some(first) = turn.recommendations.first() {
        let outcome = if accepts { FeedbackOutcome::Accepted } else { FeedbackOutcome::Rejected };
        told.push(FeedbackInput { turn: Some(turn.turn), outcome, product: Some(first.product.clone()) });
    }
    let bought = turn.answer.product.clone().or_else(|| accepts.then(|| turn.recommendations.first().map(|r| r.product.clone())).flatten());
    let whole = |outcome, product| FeedbackInput { turn: None, outcome, product };
    told.extend(buys.then(|| whole(FeedbackOutcome::Purchase, bought)));
    told.extend(needs_person.then(|| whole(FeedbackOutcome::HandedOver, None)));
    told.extend((leaves && !buys).then(|| whole(FeedbackOutcome::Left, None)));
    for input in told {
        desk.take_feedback(&session, input).await?;
    }
    Ok(())
}
