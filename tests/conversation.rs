//! How conversations are led, without models: what was understood is given, the shop is the one that ships.

mod common;

use common::{MOMENT, path};
use kioskd::config::{Config, ShopFiles, grammars, open_dialogue};
use kioskd::dialogue::{Decision, Dialogue, DialogueInput, Response, Turn};
use kioskd::domain::{BasketLine, DialogueState, IntentDecision, IntentScore, Probability, Reply, SpokenOrder, Understanding, Waiting};
use kioskd::turn::Grammars;

struct Desk {
    dialogue: Dialogue,
    grammars: Grammars,
}

impl Desk {
    fn open() -> Self {
        let config = Config::read(&path("config/kiosk.toml")).expect("config/kiosk.toml");
        let files = ShopFiles::read(&config.paths.shop).expect("the shop's files");
        Self { dialogue: open_dialogue(&config, &files).expect("a dialogue"), grammars: grammars(&files).expect("grammars") }
    }

    fn reply(&self, text: &str) -> Option<Reply> {
        self.grammars.reply(text, &self.dialogue.orders.menu().replies)
    }

    fn take(&self, state: &DialogueState, text: &str, understanding: &Understanding, at_seconds: u64) -> (Decision, Response) {
        let order: Option<SpokenOrder> = self.grammars.order(text, Probability::clamped(1.0));
        let input = DialogueInput {
            text: Some(text),
            understanding: Some(understanding),
            order: order.as_ref(),
            reply: self.reply(text),
            ..Default::default()
        };
        let now_unix_ms = 1_800_000_000_000 + at_seconds * 1_000;
        let state = self.dialogue.awake(state.clone(), now_unix_ms);
        let decision = self.dialogue.decide(&input, &state);
        let turn = Turn { input, state: &state, decision: &decision, prediction: None, offered: &[], now_unix_ms, moment: MOMENT };
        let response = self.dialogue.respond(&turn).expect("templates");
        (decision, response)
    }

    /// Orders sentence after sentence; `intent` is what each is taken for.
    fn order(&self, sentences: &[(&str, &str)]) -> (Vec<String>, u32, Response) {
        let mut state = DialogueState::default();
        let mut last = None;
        for (text, intent) in sentences {
            let (_, response) = self.take(&state, text, &meant(intent), 10);
            state = response.state.clone();
            last = Some(response);
        }
        let last = last.expect("a sentence");
        (state.basket.lines.iter().map(in_words).collect(), state.basket.total().0, last)
    }
}

/// A sentence understood for sure.
fn meant(intent: &str) -> Understanding {
    let (decision, intent) = if intent == "none" { (IntentDecision::OutOfScope, "out_of_scope") } else { (IntentDecision::Clear, intent) };
    let score = |intent: &str, p: f32| IntentScore { intent: intent.to_owned(), probability: Probability::clamped(p) };
    let intents = vec![score(intent, 0.9), score("order_drink", 0.05)];
    Understanding { decision, intents, entities: Vec::new(), sentiment: None, embedding: Vec::new() }
}

fn in_words(line: &BasketLine) -> String {
    let parts =
        line.parts.values().map(|choice| format!("{}{}", choice.amount.as_ref().map_or(String::new(), |a| format!("{a} ")), choice.value));
    let parts: Vec<String> = parts.collect();
    format!("{} {} [{}]", line.quantity, line.product, parts.join(", "))
}

const ORDER: &str = "order_drink";

#[track_caller]
fn check(desk: &Desk, sentences: &[(&str, &str)], basket: &[&str], total_cents: u32) {
    let (lines, total, response) = desk.order(sentences);
    assert_eq!(lines, basket, "{sentences:?}: {}", response.answer.text);
    assert_eq!(total, total_cents, "{sentences:?}");
    let text = &response.answer.text;
    assert!(!text.is_empty() && !text.contains("  ") && !text.contains(" ,") && !text.contains(" ."), "{text:?}");
}

#[test]
fn one_sentence_may_order_many_things_each_as_it_is_wanted() {
    let desk = Desk::open();
    let check = |text: &str, basket: &[&str], total| check(&desk, &[(text, ORDER)], basket, total);
    check("a latte", &["1 latte []"], 390);
    check(
        "could I have two large lattes with oat milk and a small cappuccino please",
        &["2 latte [oat milk, large]", "1 cappuccino [small]"],
        1_290,
    );
    check("an oat milk latte and a flat white", &["1 latte [oat milk]", "1 flat-white []"], 820);
    check("A double espresso, a muffin and 3 croissants!", &["1 espresso [double shot]", "1 blueberry-muffin []", "3 croissant []"], 1_130);
    check("one decaf cappuccino with two sugars", &["1 cappuccino [decaf, two sugar]"], 370);
    check("latte without sugar, no cream, and a tea with lemon", &["1 latte []", "1 breakfast-tea [lemon]"], 650);
    check("iced latte, large, with a lot of soy milk", &["1 latte [iced, a lot of soy milk, large]"], 480);
    check("a 16 oz. dark roast drip coffee with skimmed milk", &["1 drip-coffee [skim milk, dark roast, large]"], 350);
    check("three lattes, one of them with oat milk", &["3 latte [oat milk]"], 1_290);
}

#[test]
fn what_a_grammar_reads_and_what_is_read_word_by_word_come_to_the_same() {
    let desk = Desk::open();
    for text in [
        "Can I get a medium dark roast double-shot iced coffee with a lot of brown sugar and some skim milk?",
        "brew a large latte with lots of soy milk",
    ] {
        let read = desk.grammars.order(text, Probability::clamped(1.0));
        assert!(read.is_some(), "{text} is an order of the grammar");
        let by_grammar = desk.order(&[(text, ORDER)]).0;
        let by_words = desk.order(&[(&format!("{text} right away today"), ORDER)]).0;
        assert_eq!(by_grammar, by_words, "{text}");
    }
}

#[test]
fn an_order_is_corrected_in_the_words_people_use() {
    let desk = Desk::open();
    let after = |more: &[&str], basket: &[&str], total| {
        let sentences: Vec<(&str, &str)> =
            [("a small latte and a muffin", ORDER)].into_iter().chain(more.iter().map(|text| (*text, "none"))).collect();
        check(&desk, &sentences, basket, total);
    };
    after(&["make the latte large"], &["1 latte [large]", "1 blueberry-muffin []"], 700);
    after(&["no, a croissant instead of the muffin"], &["1 latte [small]", "1 croissant []"], 540);
    after(&["change the latte to a mocha"], &["1 mocha [small]", "1 blueberry-muffin []"], 650);
    after(&["remove the muffin"], &["1 latte [small]"], 350);
    after(&["no muffin please"], &["1 latte [small]"], 350);
    after(&["two muffins"], &["1 latte [small]", "3 blueberry-muffin []"], 1_130);
    after(&["no, two muffins"], &["1 latte [small]", "2 blueberry-muffin []"], 870);
    after(&["and another latte with oat milk"], &["1 latte [small]", "1 blueberry-muffin []", "1 latte [oat milk]"], 1_040);
    after(&["take the latte off please", "and the muffin off as well"], &[], 0);
    after(&["the latte with oat milk please"], &["1 latte [oat milk, small]", "1 blueberry-muffin []"], 650);
    let latte = [("a latte with sugar", ORDER)];
    let then = |text: &'static str| [latte[0], (text, "none")];
    check(&desk, &then("no, the large one"), &["1 latte [large, sugar]"], 440);
    check(&desk, &then("no, oat milk"), &["1 latte [oat milk, sugar]"], 430);
    check(&desk, &then("no oat milk"), &["1 latte [oat milk, sugar]"], 430);
    check(&desk, &then("no sugar"), &["1 latte []"], 390);
    check(&desk, &then("without the sugar, thanks"), &["1 latte []"], 390);
    check(&desk, &then("brown sugar instead of sugar"), &["1 latte [brown sugar]"], 390);
    check(&desk, &then("a large latte"), &["1 latte [large, sugar]"], 440);
    check(&desk, &then("sorry, I meant a cappuccino"), &["1 cappuccino [sugar]"], 370);
    check(&desk, &[latte[0], ("no sugar in the latte please", "order_remove")], &["1 latte []"], 390);
    check(&desk, &[latte[0], ("take the sugar out of the latte", "order_remove")], &["1 latte []"], 390);
    check(&desk, &[latte[0], ("a latte", ORDER), ("take off the latte with sugar", "order_remove")], &["1 latte []"], 390);
    check(&desk, &[("an oat milk latte and a tea", ORDER), ("take the oat milk latte off", "order_remove")], &["1 breakfast-tea []"], 260);
    check(&desk, &then("make it three"), &["3 latte [sugar]"], 1_170);
}

#[test]
fn a_question_about_the_menu_is_no_order() {
    let desk = Desk::open();
    for (text, intent) in [
        ("how much is a large latte", "price"),
        ("does the latte have soy in it", "allergens"),
        ("how many calories does a latte have", "nutrition"),
        ("do you still have croissants", "stock"),
    ] {
        let (lines, _, response) = desk.order(&[(text, intent)]);
        assert!(lines.is_empty(), "{text}: {}", response.answer.text);
    }
}

#[test]
fn what_a_thing_does_not_come_with_is_told_and_too_much_is_refused() {
    let desk = Desk::open();
    let (lines, _, response) = desk.order(&[("a large croissant", ORDER)]);
    assert_eq!(lines, ["1 croissant []"]);
    assert!(response.answer.text.contains("do not come large"), "{}", response.answer.text);
    let (lines, _, response) = desk.order(&[("a hundred lattes", ORDER)]);
    assert!(lines.is_empty() && response.answer.text.contains("service desk"), "{}", response.answer.text);
    let (lines, ..) = desk.order(&[("99999999999 lattes", ORDER)]);
    assert_eq!(lines.len(), 1, "a number that is none counts nothing");
}

#[test]
fn yes_confirms_no_asks_and_that_is_all_reads_back_what_is_open() {
    let desk = Desk::open();
    let order = [("a latte", ORDER)];
    let then = |more: &[(&'static str, &'static str)]| desk.order(&[&order[..], more].concat()).2;
    assert!(then(&[("yes please", "none")]).state.basket.is_confirmed);
    assert!(then(&[("that's all thanks", "goodbye")]).state.basket.is_confirmed);
    assert_eq!(then(&[("no", "none")]).state.waiting, Waiting::Confirm);
    assert!(then(&[("how much are the lemons", "opening_hours"), ("yes", "none")]).state.basket.is_confirmed, "a question between");
    assert!(then(&[("cancel", "none")]).state.basket.lines.is_empty());
    let more = then(&[("yes", "none"), ("and a muffin", "none")]);
    assert!(!more.state.basket.is_confirmed && more.state.basket.lines.len() == 2, "what changed must be confirmed again");
}

#[test]
fn a_conversation_that_was_left_alone_begins_afresh() {
    let desk = Desk::open();
    let first = desk.take(&DialogueState::default(), "a latte", &meant(ORDER), 0).1.state;
    let soon = desk.take(&first, "what have i ordered", &meant("order_review"), 600).1;
    assert_eq!(soon.state.basket.lines.len(), 1);
    let late = desk.take(&first, "what have i ordered", &meant("order_review"), 2_000).1;
    assert!(late.state.basket.lines.is_empty() && late.state.turns == 2, "the log goes on counting");
}

#[test]
fn no_sentence_however_long_or_strange_breaks_the_dialogue() {
    let desk = Desk::open();
    let long = "a large latte with oat milk and no no no instead of ".repeat(400);
    for text in [long.as_str(), "", "\u{0}", "and and and", "no", "instead of", "two two two", "{{ shop }}", "\u{e000}", "'''"] {
        for intent in [ORDER, "order_remove", "compare", "none", "repeat", "no such intent"] {
            let (_, response) = desk.take(&DialogueState::default(), text, &meant(intent), 0);
            assert!(response.answer.text.len() < 2_000 && !response.answer.text.contains('\u{e000}'), "{text:?}");
        }
    }
}
