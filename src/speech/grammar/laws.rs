//! What holds for every grammar, tried on grammars made by chance.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

/// An expression over the words a, b, c and the names that every grammar of [`grammars`] has.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => prop::sample::select(vec!["a", "b", "ab", "c-a", "ca"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec!["{polite}", "{parts}", "{kind}"]).prop_map(str::to_owned),
        1 => Just(",".to_owned()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            3 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})({b})")),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}|{b})")),
            2 => inner.clone().prop_map(|a| format!("[{a}]")),
            1 => inner.prop_map(|a| format!("({a})*1..2")),
        ]
    })
}

/// Grammars with two intents, a slot of its own and one put together; those that are refused are left out.
fn grammars() -> impl Strategy<Value = Grammar> {
    (expressions(), expressions(), expressions()).prop_filter_map("refused", |(first, second, polite)| {
        let text = format!(
            r#"
            name = "law"
            [[sentence]]
            intent = "one"
            say = "{first} [{{size}}]"
            [[sentence]]
            intent = "two"
            say = "{{size}} [{second}] {{mixed}}"
            [phrases]
            polite = "{}"
            parts = {{ any_order = ["a", "{{kind}} b", "c"], between = "[,]", at_least = 1, at_most = 2 }}
            [slots.size.values]
            small = ["a", "b c"]
            large = []
            [slots.mixed]
            say = "[{{kind}}] b"
            "#,
            polite.replace("{polite}", "b"),
        );
        let text = text.replace(r#"say = "[{kind}] b""#, r#"say = "[{kind}] {kind}""#);
        Grammar::parse(&format!("{text}\n[values.kind]\nx = [\"a\"]\ny = [\"b\", \"ca\"]\n")).ok()
    })
}

/// Tokens of one to four characters, as a tokenizer might cut the texts of these grammars.
fn tokens() -> Vec<Vec<u8>> {
    let mut tokens: Vec<Vec<u8>> = b" -,.!?abcdefghijklmnopqrstuvwxyz".iter().map(|&byte| vec![byte]).collect();
    tokens
        .extend([" a", " B", "ab", " ca", "a b", "c-a", "arge", " LARGE", ", ", " b c", "", "\u{e9}"].map(|text| text.as_bytes().to_vec()));
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn what_is_drawn_is_accepted_and_read_back(grammar in grammars(), seed: u64) {
        for Sample { text, reading } in grammar.samples(12, seed) {
            let all = grammar.readings(&normal_form(&text).expect("ASCII"));
            prop_assert!(all.contains(&reading), "{text}: drawn as {reading:?}, read as {all:?}");
            prop_assert_eq!(grammar.read(&text), all.first().cloned());
            prop_assert_eq!(grammar.read(&format!(" {}", text.to_uppercase())), all.first().cloned());
        }
    }

    #[test]
    fn every_beginning_of_a_sentence_is_partial_or_final(grammar in grammars(), seed: u64) {
        for Sample { text, .. } in grammar.samples(4, seed) {
            for end in 0..=text.len() {
                prop_assert_ne!(grammar.progress(&text[..end]), Progress::Impossible, "{}", &text[..end]);
                // Half a sentence and a word more: then another word could follow the half.
                prop_assert!(!text[end..].contains(' ') || grammar.may_go_on(&text[..end]), "{}", &text[..end]);
            }
            prop_assert_eq!(grammar.progress(&text), Progress::Final);
            prop_assert!(text.len() > 200 || matches!(grammar.standing(&text), Standing::Whole { .. }), "{}", text);
        }
    }

    #[test]
    fn rows_of_allowed_tokens_spell_accepted_texts_only(
        grammar in grammars(),
        choices in prop::collection::vec(any::<prop::sample::Index>(), 80),
    ) {
        let tokens = tokens();
        let mut mask = TokenMask::new(Arc::new(grammar), &tokens);
        let (mut state, mut text) = (mask.start(), Vec::new());
        for choice in choices {
            let allowed = mask.allowed(state);
            let spelt = String::from_utf8(text.clone()).expect("ASCII");
            let states = &mask.grammar().states;
            let walked = states.walk(&spelt.to_lowercase().into_bytes());
            prop_assert_eq!(walked.map(|state| states.is_final(state)), Some(allowed.is_final));
            prop_assert!(!allowed.is_final || mask.grammar().read(&spelt).is_some(), "{}", spelt);
            // All characters are tokens, so a way on is always there.
            prop_assert!(allowed.is_final || !allowed.tokens.is_empty());
            if allowed.tokens.is_empty() {
                break;
            }
            let (token, next) = allowed.tokens[choice.index(allowed.tokens.len())];
            text.extend(&tokens[token as usize]);
            state = next;
        }
    }

    #[test]
    fn a_token_is_allowed_exactly_where_its_characters_are(grammar in grammars(), seed: u64) {
        let tokens = tokens();
        let mut mask = TokenMask::new(Arc::new(grammar), &tokens);
        for Sample { text, .. } in mask.grammar().clone().samples(3, seed) {
            let text = normal_form(&text).expect("ASCII");
            for end in 0..=text.len() {
                let state = mask.grammar().states.walk(&text[..end]).expect("a beginning");
                let allowed: HashMap<u32, StateId> = mask.allowed(state).tokens.iter().copied().collect();
                for (id, token) in tokens.iter().enumerate().filter(|(_, token)| !token.is_empty() && token.is_ascii()) {
                    let whole = [&text[..end], &token.to_ascii_lowercase()].concat();
                    prop_assert_eq!(allowed.get(&(id as u32)).copied(), mask.grammar().states.walk(&whole));
                }
            }
        }
    }

    #[test]
    fn a_search_that_ends_without_an_ambiguity_means_there_is_none(grammar in grammars(), seed: u64) {
        let report = grammar.report(0);
        for Ambiguity { text, readings } in &report.ambiguities {
            prop_assert!(readings.len() > 1 && grammar.is_ambiguous(text), "{}", text);
        }
        if report.ambiguities.is_empty() && report.ambiguities_are_all {
            for Sample { text, .. } in grammar.samples(12, seed) {
                prop_assert!(!grammar.is_ambiguous(&text), "{}", text);
            }
        }
    }

    #[test]
    fn no_file_and_no_text_makes_it_panic(grammar in grammars(), text: String, likely in " ?[abcl ,.-]{0,30}") {
        let _ = Grammar::parse(&text);
        for text in [&text, &likely] {
            prop_assert_eq!(grammar.read(text).is_some(), grammar.is_complete(text));
            let _ = grammar.standing(text);
            prop_assert!(grammar.progress(text) != Progress::Impossible || !grammar.may_go_on(text));
        }
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(from: prop::sample::Index, length in 0usize..40, put in "[\\[\\](){}|*\"=., a-c0-9\n]{0,8}") {
        let file = include_str!("../../../config/grammars/coffee.toml");
        let from = from.index(file.len());
        let to = (from + length).min(file.len());
        let damaged = [&file.as_bytes()[..from], put.as_bytes(), &file.as_bytes()[to..]].concat();
        let _ = Grammar::parse(&String::from_utf8_lossy(&damaged));
    }
}
