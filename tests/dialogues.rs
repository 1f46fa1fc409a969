//! Whole conversations, turn by turn, over the real models and the shop that ships: `tests/dialogues/*.toml`, one file each.
//!
//! Each is led as a kiosk leads it, checked against what the file expects, and then answered again from the log, which must come out the
//! same.

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{MOMENT, config, path};
use kioskd::config::{ShopFiles, grammars, open_desk, open_dialogue};
use kioskd::domain::{BasketLine, Channel, Moment, TurnRecord};
use kioskd::turn::{Clock, Desk, Fusion, Spoken, TurnInput, replay};
use serde::Deserialize;

/// A conversation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    /// Who comes, and what for.
    about: String,
    turn: Vec<Turn>,
}

/// What is brought, and what must come of it. What is not named is not checked, but for `staff` and `answered`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turn {
    /// Typed.
    text: Option<String>,
    /// Below `audio_fixtures/`.
    audio: Option<String>,
    /// Below `tests/photos/`.
    photo: Option<String>,
    /// Time that passes before.
    #[serde(default)]
    after_seconds: u64,
    /// The best intent of the understanding.
    intent: Option<String>,
    /// The kind of the answer.
    kind: Option<String>,
    /// The product that the answer is about.
    product: Option<String>,
    /// Pieces of the answer; case does not matter.
    #[serde(default)]
    says: Vec<String>,
    /// What must not be said.
    #[serde(default)]
    never: Vec<String>,
    /// Pieces of the longer text for the screen.
    #[serde(default)]
    shows: Vec<String>,
    /// All lines of the order: `2 latte: milk=oat milk, size=large`.
    basket: Option<Vec<String>>,
    /// What the order costs.
    total_cents: Option<u32>,
    /// Whether the order is confirmed.
    confirmed: Option<bool>,
    /// Why staff is told; without it, staff must not be told.
    staff: Option<String>,
    /// Pieces of what staff is told.
    #[serde(default)]
    told: Vec<String>,
    /// Whether the shop's data had what was asked for.
    #[serde(default = "yes")]
    answered: bool,
}

fn yes() -> bool {
    true
}

/// A Wednesday, a quarter past ten, from which time goes on only as the conversations say.
#[derive(Default)]
struct HandClock(AtomicU64);

impl Clock for HandClock {
    fn unix_ms(&self) -> u64 {
        1_800_000_000_000 + self.0.load(Ordering::SeqCst)
    }

    fn moment(&self) -> Moment {
        MOMENT
    }
}

fn files() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path("tests/dialogues")).expect("tests/dialogues");
    let mut files: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "toml")).collect();
    files.sort();
    files
}

fn read(folder: &str, file: &str) -> Vec<u8> {
    std::fs::read(path(folder).join(file)).unwrap_or_else(|e| panic!("{folder}/{file}: {e}"))
}

fn brought(turn: &Turn) -> (Channel, TurnInput) {
    let spoken = turn.audio.as_ref().map(|file| Spoken::File(read("audio_fixtures", file)));
    let channel = if spoken.is_some() { Channel::Kiosk } else { Channel::Typed };
    (channel, TurnInput { spoken, photo: turn.photo.as_ref().map(|file| read("tests/photos", file)), text: turn.text.clone() })
}

fn in_words(line: &BasketLine) -> String {
    let parts = line.parts.iter().map(|(part, choice)| {
        let amount = choice.amount.as_ref().map_or(String::new(), |amount| format!("{amount} "));
        format!("{part}={amount}{}", choice.value)
    });
    let parts: Vec<String> = parts.collect();
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!("{} {}{parts}", line.quantity, line.product)
}

/// All that is not as expected.
fn differences(turn: &Turn, record: &TurnRecord) -> Vec<String> {
    let mut found = Vec::new();
    let mut same = |what: &str, expected: Option<String>, is: String| {
        if let Some(expected) = expected.filter(|expected| *expected != is) {
            found.push(format!("{what} is {is:?}, not {expected:?}"));
        }
    };
    let basket = &record.state.basket;
    let intent = record.understanding.as_ref().map_or(String::new(), |u| u.best().intent.clone());
    same("intent", turn.intent.clone(), intent);
    same("kind", turn.kind.clone(), record.answer.kind.name().to_owned());
    same("product", turn.product.clone(), record.answer.product.as_ref().map_or(String::new(), |id| id.to_string()));
    same("basket", turn.basket.as_ref().map(|lines| lines.join("; ")), basket.lines.iter().map(in_words).collect::<Vec<_>>().join("; "));
    same("total_cents", turn.total_cents.map(|cents| cents.to_string()), basket.total().0.to_string());
    same("confirmed", turn.confirmed.map(|is| is.to_string()), basket.is_confirmed.to_string());
    let reason = record.handoff.as_ref().map_or(String::new(), |h| h.reason.name().to_owned());
    same("staff", Some(turn.staff.clone().unwrap_or_default()), reason);
    same("answered", Some(turn.answered.to_string()), record.answer.is_answered.to_string());
    let holds = |text: &str, piece: &str| text.to_lowercase().contains(&piece.to_lowercase());
    let text = &record.answer.text;
    found.extend(turn.says.iter().filter(|piece| !holds(text, piece)).map(|piece| format!("{piece:?} is not said")));
    found.extend(turn.never.iter().filter(|piece| holds(text, piece)).map(|piece| format!("{piece:?} is said")));
    let details = record.answer.details.clone().unwrap_or_default();
    found.extend(turn.shows.iter().filter(|piece| !holds(&details, piece)).map(|piece| format!("{piece:?} is not shown in {details:?}")));
    let summary = record.handoff.as_ref().map_or("", |h| h.summary.as_str());
    found
        .extend(turn.told.iter().filter(|piece| !holds(summary, piece)).map(|piece| format!("{piece:?} is not told staff in {summary:?}")));
    if text.is_empty() || text.len() > 700 || text.contains("{{") || text.contains("  ") || text.contains('\u{e000}') {
        found.push("the answer is empty, too long, or not filled in".to_owned());
    }
    found
}

async fn lead(desk: &Desk, clock: &HandClock, file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).expect("readable");
    let conversation: Conversation = toml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
    let session = desk.open_session(Channel::Kiosk).await.expect("begins");
    let mut found = Vec::new();
    for (number, turn) in conversation.turn.iter().enumerate() {
        clock.0.fetch_add(turn.after_seconds * 1_000 + 5_000, Ordering::SeqCst);
        let (channel, input) = brought(turn);
        let record = desk.take(&session, channel, input).await.unwrap_or_else(|e| panic!("{name}, turn {}: {e}", number + 1));
        let differences = differences(turn, &record);
        if !differences.is_empty() {
            let said = record.typed.clone().or_else(|| record.transcript.as_ref().map(|t| t.text.clone())).unwrap_or_default();
            let meant = record.understanding.as_ref().map(|u| {
                let intents: Vec<String> = u.intents.iter().map(|i| format!("{} {:.2}", i.intent, i.probability.get())).collect();
                let named: Vec<String> = u.entities.iter().map(|e| format!("{}={}", e.kind.name(), e.value)).collect();
                format!("{:?} [{}] {} mood {:.2?}", u.decision, intents.join(", "), named.join(" "), u.sentiment)
            });
            found.push(format!(
                "{name} ({}), turn {}: {said:?}\n    {}\n    answer: {}\n    meant: {}  faq: {:?}",
                conversation.about,
                number + 1,
                differences.join("\n    "),
                record.answer.text,
                meant.unwrap_or_default(),
                record.faq.as_ref().map(|hit| format!("{} {:.2}", hit.question, hit.score)),
            ));
        }
    }
    let config = config(&path("target/test-data"));
    let files = ShopFiles::read(&config.paths.shop).expect("the shop's files");
    let logged = desk.reader().logged(&session).expect("the log").expect("the session");
    let dialogue = open_dialogue(&config, &files).expect("a dialogue");
    for turn in replay(&dialogue, &grammars(&files).expect("grammars"), &Fusion::new(&files.catalog), &logged).expect("templates") {
        if turn.differs() || turn.is.is_none() {
            found.push(format!(
                "{name}, turn {} comes out otherwise when it is answered again: {:?} was {:?}",
                turn.turn, turn.is, turn.was
            ));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_conversations_go_as_they_should_and_come_out_the_same_from_the_log() {
    let room = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(HandClock::default());
    let desk = open_desk(&config(room.path()), clock.clone(), &|_, _| ()).expect("a desk");
    let only = std::env::var("DIALOGUE").ok();
    let (mut found, mut led) = (Vec::new(), 0);
    for file in files().iter().filter(|file| only.as_ref().is_none_or(|name| file.to_string_lossy().contains(name.as_str()))) {
        found.extend(lead(&desk, &clock, file).await);
        led += 1;
    }
    assert!(only.is_some() || led >= 60, "{led} conversations are not the table");
    assert!(found.is_empty(), "{} of the turns of {led} conversations:\n{}", found.len(), found.join("\n"));
}
