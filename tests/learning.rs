//! What becomes of conversations is told, kept, and learnt from: a better model takes over while turns go on, a worse one never does,
//! and the one before can be had back.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{config, desk, kioskd, stdout};
use kioskd::domain::{
    Answer, AnswerKind, Channel, DialogueState, Feedback, FeedbackOutcome, Moment, ProductId, SessionFeatures, SessionId, Timings,
    TurnRecord,
};
use kioskd::store::Writer;
use kioskd::turn::{FeedbackError, FeedbackInput, TurnInput};
use serde_json::Value;

fn room() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn id(text: &str) -> SessionId {
    SessionId::parse(text).expect("an identifier")
}

/// A first turn, some time ago, of somebody with so much in the basket.
fn record(session: &SessionId, basket: u32) -> TurnRecord {
    let features = SessionFeatures {
        turns: 1,
        seconds: 30.0,
        hour: 10.0,
        channel: Channel::Typed,
        sentiment: Some(0.1),
        sentiment_min: Some(0.1),
        unanswered: 0,
        product_questions: 1,
        asks_for_person: false,
        intent_confidence: Some(0.9),
        price_cents: Some(199),
        on_offer: false,
        in_stock: Some(true),
        basket,
    };
    TurnRecord {
        session: session.clone(),
        turn: 1,
        at_unix_ms: 1_790_000_000_000,
        moment: Moment { weekday: 2, minutes: 615 },
        channel: Channel::Typed,
        transcript: None,
        typed: Some("how much is the oat milk".to_owned()),
        sighting: None,
        understanding: None,
        order: None,
        faq: None,
        features,
        prediction: None,
        answer: Answer::new(AnswerKind::Fact, "It costs 2 euros."),
        handoff: None,
        recommendations: Vec::new(),
        passed_over: Vec::new(),
        state: DialogueState { turns: 1, ..DialogueState::default() },
        timings: Timings::default(),
    }
}

/// A log of a shop where, against all that the model that ships expects, those with an empty basket buy and the others leave.
async fn odd_shop(data: &Path, sessions: std::ops::Range<usize>) {
    let writer = Writer::open(data).expect("a log");
    for n in sessions {
        let (session, basket) = (id(&format!("visit-{n}")), if n % 2 == 0 { 0 } else { 4 });
        let outcome = if basket == 0 { FeedbackOutcome::Purchase } else { FeedbackOutcome::Left };
        writer.append(record(&session, basket)).await.expect("is written");
        writer.tell(Feedback { session, turn: None, at_unix_ms: 1, outcome, product: None }).await.expect("is written");
    }
}

fn json(output: &std::process::Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&stdout(output)).unwrap_or_else(|e| panic!("{e}: {}", stdout(output)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_a_conversation_is_kept_and_nonsense_is_refused_in_one_sentence() {
    let room = room();
    let desk = desk(room.path());
    let session = desk.open_session(Channel::Typed).await.expect("begins");
    let input = TurnInput { text: Some("do you have oat milk?".to_owned()), ..TurnInput::default() };
    desk.take(&session, Channel::Typed, input).await.expect("a turn");
    let product = desk.catalog().products()[0].id.clone();
    let told = |turn, outcome, product| FeedbackInput { turn, outcome, product };
    let accepted = told(Some(1), FeedbackOutcome::Accepted, Some(product));
    assert!(desk.take_feedback(&session, accepted.clone()).await.expect("is taken"));
    assert!(!desk.take_feedback(&session, accepted).await.expect("is taken"), "the same again is nothing new");

    let refused = |input| desk.take_feedback(&session, input);
    assert!(matches!(refused(told(Some(9), FeedbackOutcome::ThumbsUp, None)).await, Err(FeedbackError::UnknownTurn { turn: 9, last: 1 })));
    let stranger = Some(ProductId("no-such-thing".to_owned()));
    assert!(matches!(refused(told(None, FeedbackOutcome::Purchase, stranger)).await, Err(FeedbackError::UnknownProduct(_))));
    assert!(matches!(refused(told(None, FeedbackOutcome::Rejected, None)).await, Err(FeedbackError::NoProduct("rejected"))));
    let nobody = desk.take_feedback(&id("nobody"), told(None, FeedbackOutcome::Left, None)).await;
    assert!(nobody.is_err_and(|error| error.to_string().contains("there is no session nobody")));
    assert_eq!(desk.reader().feedback_of(&session).expect("reads").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_desk_takes_over_what_is_better_and_goes_back_when_told() {
    let room = room();
    odd_shop(room.path(), 0..239).await;
    let desk = desk(room.path());
    let session = desk.open_session(Channel::Typed).await.expect("begins");
    let buys = || async {
        let input = TurnInput { text: Some("how much is the oat milk?".to_owned()), ..TurnInput::default() };
        desk.take(&session, Channel::Typed, input).await.expect("a turn").prediction.expect("a prediction").purchase.get()
    };
    let before = buys().await;
    let mut in_use = desk.parts().learner.as_ref().expect("a model ships, so there is something to learn on").in_use();
    let left = FeedbackInput { turn: None, outcome: FeedbackOutcome::Left, product: None };
    desk.take_feedback(&session, left).await.expect("is taken");
    // Learning takes a second or two of a core that others want as well; looking for a roll-back takes five.
    let soon = Duration::from_secs(300);
    tokio::time::timeout(soon, in_use.wait_for(|version| *version == 1)).await.expect("in time").expect("the learner lives");
    assert!((buys().await - before).abs() > 0.05, "the model that learnt predicts as before");
    let files = kioskd::config::ShopFiles::read(&common::path("config")).expect("the shop's files");
    let lessons =
        kioskd::config::open_lessons(&config(room.path()), &common::manifest(), &files, desk.parts().clock.clone()).expect("opens");
    let versions = lessons.expect("a model ships").versions;
    let state = versions.state().expect("reads");
    assert!(state.versions[0].report.log_loss_after < state.versions[0].report.log_loss_before, "{state:?}");
    assert_eq!(versions.roll_back().expect("there is one"), 0);
    tokio::time::timeout(soon, in_use.wait_for(|version| *version == 0)).await.expect("in time").expect("the learner lives");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_learns_lists_explains_and_goes_back() {
    let room = room();
    let run = |arguments: &[&str]| kioskd(room.path(), &[&["behavior"], arguments].concat());
    odd_shop(room.path(), 0..40).await;
    let few = run(&["learn"]);
    assert_eq!(few.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&few.stderr).contains("at least 20 are needed"));

    odd_shop(room.path(), 40..440).await;
    let learnt = json(&run(&["learn", "--json"]));
    assert_eq!(learnt["version"], 1, "{learnt}");
    let again = json(&run(&["learn", "--json"]));
    assert!(again["report"]["log_loss_before"].as_f64() < learnt["report"]["log_loss_before"].as_f64(), "{again}");
    let explained = json(&run(&["explain", "--session", "visit-0", "--json"]));
    let other = json(&run(&["explain", "--session", "visit-1", "--json"]));
    assert!(explained["purchase"].as_f64() > other["purchase"].as_f64(), "{explained} {other}");
    assert!(explained["because"].as_array().is_some_and(|because| because.iter().any(|push| push["input"] == "basket")), "{explained}");
    while json(&run(&["versions", "--json"]))["current"] != 0 {
        json(&run(&["roll-back", "--json"]));
    }
    assert_eq!(run(&["roll-back"]).status.code(), Some(2));
    let own = room.path().join("own").to_string_lossy().into_owned();
    // Nobody of this shop ever needed a person, so that outcome cannot be learnt from nothing.
    let from_nothing = run(&["train", "--from-sessions", "--out", &own]);
    assert_eq!(from_nothing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&from_nothing.stderr).contains("is the same for every shopper"));
}
