//! What is offered changes with what people take and refuse, at once, after a restart too, and never against what must not be offered.

mod common;

use common::{command, desk, stderr, stdout};
use kioskd::domain::{Channel, EntityKind, FeedbackOutcome, ProductId, Recommendation, SessionId, TurnRecord};
use kioskd::turn::{Desk, FeedbackInput, TurnInput};

/// A sentence to which the shop that ships has several offers.
const ASKS: &str = "what goes well with a cappuccino?";

async fn say(desk: &Desk, session: &SessionId, text: &str) -> TurnRecord {
    let input = TurnInput { text: Some(text.to_owned()), ..TurnInput::default() };
    desk.take(session, Channel::Kiosk, input).await.expect("a turn")
}

async fn ask(desk: &Desk) -> (SessionId, TurnRecord) {
    let session = desk.open_session(Channel::Kiosk).await.expect("begins");
    let record = say(desk, &session, ASKS).await;
    assert!(record.recommendations.len() >= 2, "{:?}", record.recommendations);
    // What the answer names is what is offered beside it.
    assert!(record.recommendations.iter().all(|offer| record.answer.text.contains(&offer.name)), "{:?}", record.answer);
    (session, record)
}

async fn tell(desk: &Desk, session: &SessionId, outcome: FeedbackOutcome, product: Option<&ProductId>) {
    let turn = product.map(|_| 1);
    let input = FeedbackInput { turn, outcome, product: product.cloned() };
    desk.take_feedback(session, input).await.expect("is taken");
}

fn products(offers: &[Recommendation]) -> Vec<&str> {
    offers.iter().map(|offer| offer.product.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_rises_at_once_what_is_refused_is_gone_and_both_outlast_a_restart() {
    let room = tempfile::tempdir().expect("a folder");
    let (before, last, refused, here) = {
        let desk = desk(room.path());
        let (session, first) = ask(&desk).await;
        let before: Vec<String> = products(&first.recommendations).into_iter().map(str::to_owned).collect();
        for offer in &first.recommendations {
            assert!(!offer.reason.is_empty() && !offer.evidence.is_empty(), "{offer:?}");
            assert_eq!(offer.propensity.get(), 1.0, "a new desk tries nothing out");
        }
        let (refused, last) = (first.recommendations[0].product.clone(), first.recommendations[1].product.clone());
        tell(&desk, &session, FeedbackOutcome::Rejected, Some(&refused)).await;
        let again = say(&desk, &session, ASKS).await;
        assert!(!products(&again.recommendations).contains(&refused.as_str()), "{:?}", products(&again.recommendations));
        // Three people take the second and not the first.
        for _ in 0..3 {
            let (other, record) = ask(&desk).await;
            if record.recommendations.iter().any(|offer| offer.product == last) {
                tell(&desk, &other, FeedbackOutcome::Accepted, Some(&last)).await;
            }
            tell(&desk, &other, FeedbackOutcome::Left, None).await;
        }
        let (_, after) = ask(&desk).await;
        assert_eq!(after.recommendations[0].product, last, "was {before:?}, is {:?}", products(&after.recommendations));
        (before, last, refused, session)
    };
    assert_ne!(before[0], last.as_str());
    let desk = desk(room.path());
    let (_, after) = ask(&desk).await;
    assert_eq!(after.recommendations[0].product, last, "{:?}", products(&after.recommendations));
    let again = say(&desk, &here, ASKS).await;
    assert!(!products(&again.recommendations).contains(&refused.as_str()), "{:?}", products(&again.recommendations));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_just_refused_is_not_offered_however_often_it_was_bought() {
    let room = tempfile::tempdir().expect("a folder");
    let desk = desk(room.path());
    for _ in 0..8 {
        let (session, record) = ask(&desk).await;
        for offer in &record.recommendations {
            tell(&desk, &session, FeedbackOutcome::Purchase, Some(&offer.product)).await;
        }
    }
    let session = desk.open_session(Channel::Kiosk).await.expect("begins");
    let mut asked: Vec<String> = Vec::new();
    // What was asked once holds for the turns after it too.
    for text in ["is there gluten in the croissant?", ASKS, "is there milk in the cake of the day?", ASKS, "what do you recommend?"] {
        let record = say(&desk, &session, text).await;
        let values = record.understanding.iter().flat_map(|u| u.values(EntityKind::Allergen));
        asked.extend(values.map(str::to_owned));
        assert!(asked.iter().any(|allergen| allergen == "gluten"), "{:?}", record.understanding);
        for offer in &record.recommendations {
            let product = desk.catalog().get(&offer.product).expect("a product");
            assert!(product.in_stock);
            let contains = |allergen: &String| product.allergens.as_ref().is_none_or(|all| all.contains(allergen));
            assert!(!asked.iter().any(contains), "{text:?}: {} was offered", product.name);
        }
    }
}

#[test]
fn the_log_and_baskets_are_judged_by_a_command_and_what_is_too_little_is_told() {
    let room = tempfile::tempdir().expect("a folder");
    let none = command(room.path(), &["recommend", "evaluate"]).output().expect("the program runs");
    assert_eq!(none.status.code(), Some(1));
    assert!(stderr(&none).contains("does not exist yet"), "{}", stderr(&none));
    let baskets = room.path().join("baskets.csv");
    std::fs::write(&baskets, "milk,bread\n".repeat(20)).expect("writes");
    let few = command(room.path(), &["recommend", "evaluate", "--data", &baskets.to_string_lossy()]).output().expect("the program runs");
    assert_eq!(few.status.code(), Some(2));
    assert!(stderr(&few).contains("too few"), "{}", stderr(&few));
    let lines: String = (0..600).map(|n| ["milk,bread,eggs\n", "flour,sugar,yeast\n", "beer,crisps\n"][n % 3]).collect();
    std::fs::write(&baskets, lines).expect("writes");
    let report = command(room.path(), &["recommend", "evaluate", "--json", "--data", &baskets.to_string_lossy()])
        .output()
        .expect("the program runs");
    let report: serde_json::Value = serde_json::from_str(&stdout(&report)).expect("JSON");
    assert_eq!(report["figures"].as_array().map(Vec::len), Some(4));
    assert!(report["figures"][3]["mrr"]["value"].as_f64() > report["figures"][0]["mrr"]["value"].as_f64(), "{report}");
}
