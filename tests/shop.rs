//! A shop's files that contradict themselves are refused when they are read, with the file and, where there is one, the line.

mod common;

use std::path::Path;

use common::path;
use kioskd::config::{Config, ShopFiles, open_dialogue};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("readable").filter_map(Result::ok) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copies");
        }
    }
}

/// The shop that ships, with one file changed: what is said of it.
fn problems(file: &str, change: impl Fn(&str) -> String) -> Vec<String> {
    let room = tempfile::tempdir().expect("a folder");
    copy(&path("config"), room.path());
    let file = room.path().join(file);
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    std::fs::write(&file, change(&text)).expect("writes");
    ShopFiles::read(room.path()).err().unwrap_or_default()
}

#[track_caller]
fn check(file: &str, change: impl Fn(&str) -> String, says: &[&str]) {
    let problems = problems(file, change);
    assert!(!problems.is_empty(), "{file} was accepted");
    let all = problems.join("\n");
    let name = file.rsplit('/').next().expect("a name");
    assert!(all.contains(name) || says.iter().any(|piece| piece.ends_with(".toml")), "{all}");
    for piece in says {
        assert!(all.contains(piece), "{piece:?} is not said: {all}");
    }
}

/// Puts a line at the end; the number it gets.
fn with(text: &str, more: &str) -> (String, usize) {
    (format!("{text}\n{more}\n"), text.lines().count() + 2)
}

fn line_of(text: &str, piece: &str) -> String {
    let at = text.lines().position(|line| line.contains(piece)).expect("a line") + 1;
    format!("line {at}")
}

#[test]
fn the_shop_that_ships_is_accepted() {
    assert_eq!(problems("shop.toml", str::to_owned), Vec::<String>::new());
}

#[test]
fn a_catalog_with_a_sku_twice_or_a_negative_price_is_refused_with_its_line() {
    let product = "[[product]]\nsku = \"lemon\"\nname = \"x\"\ncategory = \"citrus\"\nprice_cents = 10\nunit = \"piece\"";
    let text = std::fs::read_to_string(path("config/catalog.toml")).expect("the catalog");
    let (_, line) = with(&text, product);
    check("catalog.toml", |text| with(text, product).0, &[&format!("line {line}"), "\"lemon\"", "every product needs its own"]);
    check(
        "catalog.toml",
        |text| with(text, &product.replace("lemon", "new").replace("= 10", "= -10")).0,
        &[&format!("line {line}"), "price_cents = -10"],
    );
    check("catalog.toml", |text| with(text, &product.replace("lemon", "new").replace("= 10", "= 1.99")).0, &["price_cents", "1.99"]);
}

#[test]
fn an_intent_with_one_example_or_one_sentence_of_two_intents_is_refused_with_its_line() {
    let one = "intent = \"x\"\nkind = \"fact\"\nneeds = \"nothing\"\nexamples = [\"only this\"]\nanswers = [\"y\"]\n";
    check("intents/x.toml", |_| one.to_owned(), &["line 4", "1 examples"]);
    let twice = one.replace("\"only this\"", "\n  \"something else\",\n  \"How much is THIS?\",\n");
    let price = std::fs::read_to_string(path("config/intents/price.toml")).expect("price.toml");
    let there = line_of(&price, "\"how much is this\"");
    check("intents/x.toml", |_| twice.clone(), &["line 6", "price.toml", &there]);
    check("intents/price.toml", |text| text.replace("kind = \"fact\"", "kind = \"facts\""), &["kind is \"facts\""]);
    check("intents/price.toml", |text| text.replace("order_total", "order_totals"), &["after_order", "order_totals"]);
    check("intents/repeat.toml", |text| text.replace("act = \"repeat\"", "act = \"again\""), &["act is \"again\"", "start_over"]);
}

#[test]
fn a_menu_that_names_what_is_not_there_is_refused() {
    check("order.toml", |text| text.replace("\"bakery\"]\n# Of one", "\"bakeries\"]\n# Of one"), &["\"bakeries\" is no category"]);
    check("order.toml", |text| text.replace("grammars/coffee.toml", "grammars/tea.toml"), &["tea.toml"]);
    check("order.toml", |text| text.replace("stands = \"after\"", "stands = \"behind\""), &["behind"]);
    check("order.toml", |text| text.replace("except = [\"espresso\"", "except = [\"expresso\""), &["\"expresso\" is no product"]);
    check(
        "order.toml",
        |text| text.replace("intent = \"order_drink\"", "intent = \"order_drinks\""),
        &["\"order_drinks\", which is no intent"],
    );
    check("grammars/coffee.toml", |text| text.replace("{coffeeDrink}", "{coffeDrink}"), &["coffeDrink", "line"]);
}

#[test]
fn rules_and_words_that_cannot_be_used_are_refused() {
    let rule = "[[rule]]\nname = \"x\"\nwords = [\"a\"]\nat_least = 2\nsay = [\"b\"]";
    let text = std::fs::read_to_string(path("config/rules.toml")).expect("rules.toml");
    let (_, line) = with(&text, rule);
    check("rules.toml", |text| with(text, rule).0, &[&format!("line {line}"), "at_least"]);
    check("talk.toml", |text| text.replace("bare_intent = \"stock\"", "bare_intent = \"shelf\""), &["bare_intent", "shelf"]);
    check("answers/desk.toml", |text| text.replace("[courtesy]\nsay = [", "[courtesy]\nsay = []\nshown = ["), &["shown"]);
}

#[test]
fn a_template_that_cannot_be_read_is_told_with_its_file() {
    let room = tempfile::tempdir().expect("a folder");
    copy(&path("config"), room.path());
    let mut config = Config::read(&path("config/kiosk.toml")).expect("config/kiosk.toml");
    config.paths.shop = room.path().to_owned();
    for (file, from, to) in [
        ("answers/order.toml", "{{ order.total }}", "{{ order.total "),
        ("rules.toml", "{{ shop.facts.staff_desk }}", "{{ shop.facts.staff_desk"),
        ("intents/price.toml", "{{ product.price_spoken }}", "{{ product.price_spoken | spoken }}{% endif %}"),
    ] {
        let whole = std::fs::read_to_string(path("config").join(file)).expect("the file");
        std::fs::write(room.path().join(file), whole.replace(from, to)).expect("writes");
        let files = ShopFiles::read(room.path()).expect("its form is right");
        let error = open_dialogue(&config, &files).err().expect("a misspelt template was accepted").to_string();
        assert!(error.contains(file), "{error}");
        std::fs::write(room.path().join(file), whole).expect("writes");
    }
}
