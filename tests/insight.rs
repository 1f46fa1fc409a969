//! What many visits say together: on a log as the desk writes it, and on files; mistakes are one clear sentence.

mod common;

use std::path::Path;
use std::process::Output;

use common::{kioskd, stderr, stdout};
use kioskd::domain::{
    Answer, AnswerKind, Basket, BasketLine, Channel, DialogueState, Feedback, FeedbackOutcome, IntentDecision, IntentScore, Moment,
    PriceCents, Probability, ProductId, SessionFeatures, SessionId, Timings, TurnRecord, Understanding,
};
use kioskd::store::Writer;
use serde_json::Value;

/// A Monday at midnight, by the clock of a shop in the zone of UTC.
const MONDAY_MS: u64 = 1_799_625_600_000;
const DAY_MS: u64 = 86_400_000;

fn json_lines(output: &Output) -> Vec<Value> {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

#[track_caller]
fn check_refused(output: &Output, contains: &str) {
    let told = stderr(output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(contains) && !told.contains("panicked"), "{contains:?} is not in {told:?}");
}

fn turn(session: &SessionId, turn: u32, at_unix_ms: u64, channel: Channel) -> TurnRecord {
    let minutes = u16::try_from(at_unix_ms % DAY_MS / 60_000).expect("minutes of a day");
    let moment = Moment { weekday: ((at_unix_ms - MONDAY_MS) / DAY_MS % 7) as usize, minutes };
    let features = SessionFeatures {
        turns: turn,
        seconds: 10.0 * turn as f32,
        hour: f32::from(minutes) / 60.0,
        channel,
        sentiment: None,
        sentiment_min: None,
        unanswered: 0,
        product_questions: 0,
        asks_for_person: false,
        intent_confidence: Some(0.9),
        price_cents: None,
        on_offer: false,
        in_stock: None,
        basket: 0,
    };
    let best = IntentScore { intent: "price".to_owned(), probability: Probability::clamped(0.9) };
    TurnRecord {
        session: session.clone(),
        turn,
        at_unix_ms,
        moment,
        channel,
        transcript: None,
        typed: Some("how much is it".to_owned()),
        sighting: None,
        understanding: Some(Understanding {
            decision: IntentDecision::Clear,
            intents: vec![best],
            entities: Vec::new(),
            sentiment: None,
            embedding: Vec::new(),
        }),
        order: None,
        faq: None,
        features,
        prediction: None,
        answer: Answer { product: Some(ProductId("lemon".to_owned())), ..Answer::new(AnswerKind::Fact, "It costs 79 cents.") },
        handoff: None,
        recommendations: Vec::new(),
        passed_over: Vec::new(),
        state: DialogueState { turns: turn, ..DialogueState::default() },
        timings: Timings::default(),
    }
}

fn line(product: &str, each: u32) -> BasketLine {
    BasketLine { product: ProductId(product.to_owned()), quantity: 1, parts: Default::default(), each: PriceCents(each) }
}

/// Two weeks: hasty questions on the telephone in the morning, long orders at the kiosk in the evening; five that were not answered.
async fn write_log(folder: &Path) {
    let writer = Writer::open(folder).expect("a log");
    for day in 0..14_u64 {
        for visit in 0..4_u64 {
            let is_order = visit % 2 == 1;
            let session = SessionId::parse(&format!("visit-{day}-{visit}")).expect("an identifier");
            let (channel, hour, turns) = if is_order { (Channel::Kiosk, 17, 6) } else { (Channel::Phone, 9, 1) };
            for number in 1..=turns {
                let at = MONDAY_MS + day * DAY_MS + hour * 3_600_000 + visit * 600_000 + u64::from(number) * 15_000;
                let mut record = turn(&session, number, at, channel);
                if is_order && number == turns {
                    let lines = vec![line("latte", 430), line(if day % 2 == 0 { "bagel" } else { "cookie" }, 250)];
                    record.state.basket = Basket { lines, is_confirmed: true };
                }
                writer.append(record).await.expect("is written");
            }
        }
    }
    let asked = ["do you sell gift cards", "can i buy a gift card", "is there a gift card", "where do i park", "do you repair bikes"];
    for (at, words) in asked.into_iter().enumerate() {
        let session = SessionId::parse(&format!("asked-{at}")).expect("an identifier");
        let mut record = turn(&session, 1, MONDAY_MS + at as u64 * DAY_MS + 43_200_000, Channel::Typed);
        record.typed = Some(words.to_owned());
        record.answer = Answer { is_answered: false, ..Answer::new(AnswerKind::Unknown, "I do not know.") };
        let mut embedding = vec![0.0; 384];
        // Three that point the same way, and two that point elsewhere.
        embedding[if at < 3 { 0 } else { at }] = 1.0;
        embedding[10 + at] = 0.3;
        record.understanding = record.understanding.map(|understanding| Understanding { embedding, ..understanding });
        writer.append(record).await.expect("is written");
    }
    let bought = Feedback {
        session: SessionId::parse("visit-3-1").expect("an identifier"),
        turn: None,
        at_unix_ms: MONDAY_MS + 3 * DAY_MS + 18 * 3_600_000,
        outcome: FeedbackOutcome::Purchase,
        product: Some(ProductId("latte".to_owned())),
    };
    writer.tell(bought).await.expect("is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_told_by_segments_anomalies_demand_rules_and_unanswered_questions() {
    let room = tempfile::tempdir().expect("a folder");
    write_log(room.path()).await;

    let lines = json_lines(&kioskd(room.path(), &["insight", "segments", "--json"]));
    assert_eq!((lines[0]["kind"].as_str(), lines[0]["rows"].as_u64()), (Some("summary"), Some(61)), "{lines:?}");
    assert!(lines[0]["silhouette"].as_f64() > Some(0.5), "{:?}", lines[0]);
    let orders = lines[1..].iter().find(|segment| segment["rate"]["share"] == 1.0).expect("those who ordered are a segment");
    assert_eq!((orders["rows"].as_u64(), orders["rate"]["column"].as_str()), (Some(28), Some("ordered or bought")));
    assert!(orders["traits"].as_array().is_some_and(|traits| traits.iter().any(|t| t["difference"].as_f64() > Some(0.5))));

    let lines = json_lines(&kioskd(room.path(), &["insight", "anomalies", "--share", "0.05", "--json"]));
    assert_eq!((lines.len(), lines[0]["anomalies"].as_u64()), (4, Some(3)));
    for anomaly in &lines[1..] {
        assert!(anomaly["session"].is_string() && (0.0..=1.0).contains(&anomaly["score"].as_f64().expect("a score")), "{anomaly}");
    }

    let lines = json_lines(&kioskd(room.path(), &["insight", "demand", "--json"]));
    let find = |kind: &str, by: &str, key: &str, value: Value| {
        lines.iter().find(|line| line["kind"] == kind && line["by"] == by && line[key] == value).unwrap_or_else(|| panic!("{kind} {by}"))
    };
    assert_eq!(find("questions", "hour", "hour", 17.into())["sum"], 14.0 * 12.0);
    assert_eq!(find("orders", "product", "product", "latte".into())["sum"], 28.0);
    assert_eq!(find("orders", "weekday", "weekday", "Monday".into())["mean"], 4.0);
    assert_eq!(find("purchases", "hour", "hour", 18.into())["sum"], 1.0);
    assert!(!lines.iter().any(|line| line["kind"] == "purchases" && line["by"] == "product"), "one customer's purchase is not shown");

    let lines = json_lines(&kioskd(room.path(), &["insight", "rules", "--json"]));
    assert!(lines.iter().any(|rule| rule["if"][0] == "bagel" && rule["then"][0] == "latte" && rule["confidence"] == 1.0), "{lines:?}");

    let lines = json_lines(&kioskd(room.path(), &["insight", "unanswered", "--json"]));
    assert_eq!((lines.len(), lines[0]["questions"].as_u64(), lines[0]["not_shown"].as_u64()), (2, Some(5), Some(2)), "{lines:?}");
    assert_eq!((lines[1]["questions"].as_u64(), lines[1]["typical"].as_str().map(|t| t.contains("gift card"))), (Some(3), Some(true)));
    assert!(lines[1]["first"].as_str() < lines[1]["last"].as_str());

    for command in ["segments", "anomalies", "demand", "rules", "unanswered"] {
        let shown = kioskd(room.path(), &["insight", command]);
        assert_eq!(shown.status.code(), Some(0), "{command}: {}", stderr(&shown));
        assert!(!shown.stdout.is_empty(), "{command} says nothing to people");
    }
}

#[test]
fn an_empty_log_is_no_mistake() {
    let room = tempfile::tempdir().expect("a folder");
    for command in ["segments", "anomalies", "demand", "rules", "unanswered"] {
        let output = kioskd(room.path(), &["insight", command, "--json"]);
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), ""), "{command}");
        assert!(stderr(&output).contains("nothing yet"), "{command}: {}", stderr(&output));
    }
}

#[test]
fn real_questions_are_grouped_by_what_they_ask_for() {
    let room = tempfile::tempdir().expect("a folder");
    let file = room.path().join("questions.txt");
    let questions = [
        "do you sell gift cards",
        "can I get a voucher as a present",
        "I would like to buy a gift card for a friend",
        "is there a gift certificate",
        "where can I park my car",
        "do you have a parking lot",
        "is parking free here",
        "can I bring my dog inside",
        "are dogs allowed in the shop",
        "may I take my dog with me",
        "who won the match yesterday",
    ];
    std::fs::write(&file, questions.join("\n")).expect("writes");
    let arguments = ["insight", "unanswered", "--data", file.to_str().expect("UTF-8"), "--json"];
    let lines = json_lines(&kioskd(room.path(), &arguments));
    let found =
        |word: &str| lines[1..].iter().filter(|group| group["typical"].as_str().is_some_and(|typical| typical.contains(word))).count();
    assert_eq!((found("park"), found("dog")), (1, 1), "{lines:?}");
    assert!(found("gift") + found("voucher") >= 1, "{lines:?}");
    assert!(!stdout(&kioskd(room.path(), &arguments)).contains("match"), "a single question is not shown");
}

#[test]
fn a_table_of_customers_is_parted_and_its_strangers_are_named() {
    let room = tempfile::tempdir().expect("a folder");
    let file = room.path().join("customers.csv");
    let mut text = "visits,spent,channel,id,constant,bought\n".to_owned();
    for row in 0..300 {
        let wave = f64::from(row % 7) / 10.0;
        let (visits, spent, channel) = if row % 3 == 0 { (20.0 + wave, 5.0 + wave, "phone") } else { (3.0 + wave, 80.0 + wave, "kiosk") };
        text.push_str(&format!("{visits},{spent},{channel},customer-{row},7,{}\n", u8::from(row % 3 == 0)));
    }
    // Each of its numbers is common, together they are not.
    text.push_str("20.3,80.3,phone,customer-300,7,0\n");
    std::fs::write(&file, text).expect("writes");
    let file = file.to_str().expect("UTF-8");
    let arguments = ["insight", "segments", "--data", file, "--label", "bought", "--json"];
    let output = kioskd(room.path(), &arguments);
    assert!(stderr(&output).contains("\"id\" names each row"), "{}", stderr(&output));
    let lines = json_lines(&output);
    assert_eq!((lines.len(), lines[1]["rows"].as_u64()), (3, Some(200)), "{lines:?}");
    assert!(lines[2]["rate"]["share"].as_f64() > Some(0.98) && lines[1]["rate"]["high"].as_f64() < Some(0.05), "{lines:?}");
    assert!(lines[1]["traits"].as_array().is_some_and(|traits| traits.iter().any(|t| t["column"] == "channel" && t["word"] == "kiosk")));
    assert_eq!(stdout(&kioskd(room.path(), &arguments)), stdout(&output), "the seed is fixed");

    let lines =
        json_lines(&kioskd(room.path(), &["insight", "anomalies", "--data", file, "--drop", "bought", "--share", "0.001", "--json"]));
    assert_eq!((lines.len(), lines[1]["line"].as_u64()), (2, Some(302)), "{lines:?}");
}

#[test]
fn demand_of_a_file_knows_hours_weekdays_and_what_was_unusual() {
    let room = tempfile::tempdir().expect("a folder");
    let file = room.path().join("sales.csv");
    let mut text = "timestamp,product,quantity\n".to_owned();
    for day in 1..=28 {
        text.push_str(&format!("2026-06-{day:02} 09:30,milk,10\n2026-06-{day:02}T17:05:00,beer,5\n"));
    }
    text.push_str("2026-06-17 12:00,ice,80\n");
    std::fs::write(&file, text).expect("writes");
    let lines = json_lines(&kioskd(room.path(), &["insight", "demand", "--data", file.to_str().expect("UTF-8"), "--json"]));
    let unusual = lines.iter().find(|line| line["by"] == "unusual" && line["date"] == "2026-06-17").expect("the day of the ice");
    assert_eq!((unusual["sum"].as_f64(), unusual["expected"].as_f64()), (Some(95.0), Some(15.0)));
    assert!(lines.iter().any(|line| line["by"] == "hour" && line["hour"] == 9 && line["mean"] == 10.0));
}

#[test]
fn bad_files_and_bad_settings_are_one_clear_sentence() {
    let room = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = room.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path.to_str().expect("UTF-8").to_owned()
    };
    let run = |arguments: &[&str]| kioskd(room.path(), &[&["insight"], arguments].concat());
    let rows = |cell: &str| format!("a,b\n{}", format!("{cell},1\n2,x\n3,y\n").repeat(20));
    let (empty, header) = (write("empty.csv", ""), write("header.csv", "a,b\n"));
    let (one, constant) = (write("one.csv", "a,b\n1,2\n"), write("constant.csv", &format!("a,b\n{}", "1,x\n".repeat(50))));
    let (nan, infinite) = (write("nan.csv", &rows("NaN")), write("inf.csv", &rows("-inf")));
    let long = write("long.csv", &rows(&"x".repeat(10_000)));
    for command in ["segments", "anomalies", "demand"] {
        check_refused(&run(&[command, "--data", &empty]), "the file is empty");
        check_refused(&run(&[command, "--data", &header]), "holds no rows");
        check_refused(&run(&[command, "--data", "no-such-file.csv"]), "no-such-file.csv");
        check_refused(&run(&[command, "--data", &long]), "10000 characters");
    }
    check_refused(&run(&["segments", "--data", &one]), "at least three different rows");
    check_refused(&run(&["anomalies", "--data", &one]), "at least 20");
    for command in ["segments", "anomalies"] {
        check_refused(&run(&[command, "--data", &constant]), "alike");
        check_refused(&run(&[command, "--data", &nan]), "no finite number");
        check_refused(&run(&[command, "--data", &infinite]), "no finite number");
        check_refused(&run(&[command, "--data", &constant, "--drop", "c"]), "has no column \"c\"");
        check_refused(&run(&[command, "--data", &constant, "--label", "b"]), "expected 0, 1, true or false");
    }
    check_refused(&run(&["segments", "--data", &nan, "--segments", "1"]), "1");
    check_refused(&run(&["anomalies", "--share", "0"]), "--share is 0");
    check_refused(&run(&["anomalies", "--threshold", "7"]), "--threshold is 7");
    check_refused(&run(&["demand", "--data", &constant]), "has no column \"timestamp\"");
    check_refused(&run(&["demand", "--data", &write("time.csv", "timestamp,product\nsoon,milk\n")]), "line 2: \"soon\" is no time");
    check_refused(
        &run(&["demand", "--data", &write("many.csv", "timestamp,product,quantity\n2026-01-01 09:00,milk,-1\n")]),
        "line 2: the quantity is \"-1\"",
    );
    check_refused(&run(&["unanswered", "--data", &write("none.txt", "\n \n")]), "holds no question");
    check_refused(&run(&["unanswered", "--similarity-min", "2"]), "--similarity-min is 2");
}
