//! Spoken orders: the coffee bar's grammar over the real recogniser, people's recordings and sentences that are no orders.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::{manifest, model, path, runtime};
use kioskd::audio::{AudioConfig, Vad, decode_file};
use kioskd::domain::{Heard, SpokenOrder};
use kioskd::speech::grammar::Grammar;
use kioskd::speech::{Closed, HeardOrder, Request, Search, SpeechConfig, Transcriber};
use kioskd::turn::{Hearing, OrderEar};

/// Recogniser and grammar as the kiosk has them.
fn order_taker(grammar: &str) -> (Hearing, Closed) {
    let config = SpeechConfig::default();
    let short_window = manifest().entry(&config.model).expect("listed").short_window;
    let transcriber = Transcriber::load(&model(&config.model), short_window, config).expect("loads");
    let text = std::fs::read_to_string(path("config/grammars").join(grammar)).expect(grammar);
    let closed = Closed::new(Arc::new(Grammar::parse(&text).expect(grammar)), &transcriber);
    let vad = Vad::load(&runtime(), &model("silero-vad")).expect("loads");
    (Hearing { vad, transcriber, endpoint: AudioConfig::default().endpoint, orders: None }, closed)
}

fn hear((hearing, closed): &mut (Hearing, Closed), file: &str) -> HeardOrder {
    let sound = decode_file(&path("audio_fixtures").join(file), AudioConfig::default().file_limits()).expect(file);
    hearing.hear_order(&sound.pcm, closed, Search::Likeliest, &Request::default()).expect(file)
}

fn taken(heard: &HeardOrder) -> Option<&SpokenOrder> {
    heard.closed.as_ref().map(|(order, _)| order).filter(|order| order.is_accepted())
}

#[track_caller]
fn check(taker: &mut (Hearing, Closed), file: &str, slots: &[(&str, &str)]) {
    let heard = hear(taker, file);
    let order = taken(&heard).unwrap_or_else(|| panic!("{file} was not taken: {heard:?}"));
    let expected: BTreeMap<String, String> = slots.iter().map(|(slot, value)| ((*slot).to_owned(), (*value).to_owned())).collect();
    assert_eq!((order.intent.as_str(), &order.slots), ("orderDrink", &expected), "{file}");
}

#[test]
fn what_people_order_is_taken_with_every_slot() {
    let mut taker = order_taker("coffee.toml");
    let taker = &mut taker;
    check(
        taker,
        "recorded/order-americano.flac",
        &[("coffeeDrink", "americano"), ("numberOfShots", "triple shot"), ("size", "sixteen ounce")],
    );
    check(
        taker,
        "recorded/order-medium-latte.flac",
        &[("coffeeDrink", "latte"), ("numberOfShots", "double shot"), ("size", "medium"), ("sugarAmount", "sugar")],
    );
    check(
        taker,
        "recorded/order-mocha.flac",
        &[("coffeeDrink", "mocha"), ("size", "twelve ounce"), ("sugarAmount", "a bit of brown sugar")],
    );
    check(
        taker,
        "recorded/order-soy-latte.flac",
        &[("coffeeDrink", "latte"), ("milkAmount", "lots of soy milk"), ("size", "twenty ounce")],
    );
}

#[test]
fn what_is_no_order_is_heard_but_not_taken() {
    let mut taker = order_taker("coffee.toml");
    for file in ["how-much.heart.flac", "lactose.heart.flac", "bananas.heart.flac", "card.awb.flac", "recorded/lj-LJ002-0096.flac"] {
        let heard = hear(&mut taker, file);
        assert!(matches!(heard.open, Heard::Words(_)), "{file} is speech");
        assert_eq!(taken(&heard), None, "{file}");
    }
}

#[test]
fn another_grammar_needs_no_code() {
    let (hearing, _) = order_taker("confirm.toml");
    assert!(hearing.transcriber.vocabulary().len() > 50_000);
    let grammar = Grammar::parse(
        "name = \"thanks\"\n[[sentence]]\nintent = \"price\"\nsay = \"how much is (this|that)\"\n[[sentence]]\nintent = \"thanks\"\nsay = \"thank you\"\n",
    );
    let closed = Closed::new(Arc::new(grammar.expect("parses")), &hearing.transcriber);
    let heard = hear(&mut (hearing, closed), "how-much.heart.flac");
    assert_eq!(taken(&heard).map(|order| order.intent.as_str()), Some("price"), "{heard:?}");
}

#[test]
fn the_open_words_are_the_same_with_and_without_a_grammar() {
    let mut taker = order_taker("coffee.toml");
    let file = "recorded/order-mocha.flac";
    let with = hear(&mut taker, file).open;
    let sound = decode_file(&path("audio_fixtures").join(file), AudioConfig::default().file_limits()).expect(file);
    let without = taker.0.hear(&sound.pcm, &Request::default()).expect(file).heard;
    let text = |heard: &Heard| if let Heard::Words(t) = heard { t.text.clone() } else { String::new() };
    assert_eq!(text(&with), text(&without));
}

/// Recogniser with the coffee bar's ear for orders, as the desk has it.
fn desk_hearing() -> Hearing {
    let (hearing, _) = order_taker("coffee.toml");
    let words = ["mocha", "ounce", "sugar", "latte", "large", "milk"].map(str::to_owned);
    let grammar = Grammar::parse(&std::fs::read_to_string(path("config/grammars/coffee.toml")).expect("read")).expect("parses");
    Hearing { orders: Some(OrderEar::new(Arc::new(grammar), Arc::new(words.into()), &hearing.transcriber)), ..hearing }
}

#[test]
fn an_order_is_heard_open_and_closed_over_one_run_of_the_encoder() {
    let mut hearing = desk_hearing();
    for (file, is_order) in [("recorded/order-mocha.flac", true), ("latte.heart.flac", false), ("how-much.heart.flac", false)] {
        let sound = decode_file(&path("audio_fixtures").join(file), AudioConfig::default().file_limits()).expect(file);
        let before = hearing.transcriber.encoder_runs();
        let heard = hearing.hear(&sound.pcm, &Request::default()).expect(file);
        assert_eq!(hearing.transcriber.encoder_runs() - before, 1, "{file}");
        assert_eq!(heard.order.is_some_and(|order| order.is_accepted()), is_order, "{file}");
    }
}

#[test]
fn what_a_desk_believes_is_what_the_likeliest_sentence_is() {
    let mut taker = order_taker("coffee.toml");
    for file in ["order-americano", "order-medium-latte", "order-mocha", "order-soy-latte", "lj-LJ002-0096"] {
        let sound =
            decode_file(&path("audio_fixtures/recorded").join(format!("{file}.flac")), AudioConfig::default().file_limits()).expect(file);
        let (hearing, closed) = &mut taker;
        let mut slots = |how| {
            let heard = hearing.hear_order(&sound.pcm, closed, how, &Request::default()).expect(file);
            taken(&heard).map(|order| order.slots.clone())
        };
        assert_eq!(slots(Search::Believable(&|_| true)), slots(Search::Likeliest), "{file}");
    }
}
