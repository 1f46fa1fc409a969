use serde_json::json;

use super::{Failure, Place, ask, open};
use crate::config::ShopFiles;
use crate::domain::{FeedbackOutcome, ProductId};
use crate::store::{Reader, StoreError, Writer};
use crate::turn::{Clock, FeedbackInput, SystemClock, take_feedback};

/// Tell what became of a conversation.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd feedback demo-1 purchase --product oat-milk
  kioskd feedback demo-1 rejected --turn 2 --product oat-milk
  kioskd feedback demo-1 rated --stars 4

While the service runs, tell it: POST /v1/sessions/ID/feedback. The same feedback twice counts once.")]
pub(super) struct Arguments {
    /// The conversation
    session: String,
    /// What happened: purchase, accepted, rejected, thumbs_up, thumbs_down, handed_over, left or rated
    outcome: String,
    /// The turn it is about; left out, the conversation as a whole
    #[arg(long, value_name = "NUMBER")]
    turn: Option<u32>,
    /// The product it is about
    #[arg(long, value_name = "SKU")]
    product: Option<String>,
    /// With rated: 1 to 5
    #[arg(long, value_name = "COUNT")]
    stars: Option<u8>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: Arguments) -> Result<(), Failure> {
    let session = ask::session_id(&arguments.session)?;
    let outcome = FeedbackOutcome::of_name(&arguments.outcome, arguments.stars).ok_or_else(|| {
        let (names, most) = (FeedbackOutcome::NAMES.join(", "), FeedbackOutcome::STARS_MAX);
        Failure::Input(format!("{:?} is no outcome; expected one of {names}, and --stars 1 to {most} with rated alone", arguments.outcome))
    })?;
    let config = open::config(place)?;
    let files = ShopFiles::read(&config.paths.shop).map_err(|problems| Failure::Input(problems.join("\n")))?;
    let writer = Writer::open(&config.paths.data).map_err(|error| match error {
        StoreError::InUse { .. } => {
            Failure::Job(format!("the service is running on this log; tell it with POST /v1/sessions/{session}/feedback, or stop it first"))
        }
        error => error.into(),
    })?;
    let input = FeedbackInput { turn: arguments.turn, outcome, product: arguments.product.map(ProductId) };
    let reader = Reader::new(&config.paths.data);
    let is_new =
        open::block_on(async { Ok(take_feedback((&writer, &reader), &files.catalog, &session, input, SystemClock.unix_ms()).await?) })?;
    if arguments.json {
        open::print_json(&json!({ "session": session.as_str(), "outcome": outcome.name(), "new": is_new }))
    } else if is_new {
        open::print_line("noted")
    } else {
        open::print_line("known already, nothing changed")
    }
}
