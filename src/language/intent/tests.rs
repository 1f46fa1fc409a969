use super::*;
use crate::language::FEATURES;

/// A made-up vector that points in the direction of an intent, a little beside it.
fn vector(intent: usize, beside: usize) -> SentenceVector {
    let mut values = vec![0.0f32; FEATURES];
    for layer in values.chunks_exact_mut(super::super::EMBEDDING) {
        layer[intent] = 0.9;
        layer[20 + beside % 40] = (1.0f32 - 0.81).sqrt();
    }
    SentenceVector::new(values).expect("the right length")
}

fn examples(out_of_scope: Option<usize>) -> (IntentExamples, Vec<SentenceVector>) {
    let names = ["price", "place", "strange"];
    let texts: Vec<String> = (0..36).map(|n| format!("{} number {n}", names[n % 3])).collect();
    let labels = (0..36).map(|n| n % 3).collect();
    let vectors = (0..36).map(|n| vector(n % 3, n)).collect();
    (IntentExamples { names: names.map(str::to_owned).to_vec(), out_of_scope, texts, labels }, vectors)
}

#[test]
fn what_was_learnt_is_told_apart_and_the_three_best_are_kept() {
    let (examples, vectors) = examples(None);
    let classifier = IntentClassifier::fit((&examples, &vectors), &[], None, "encoder", 2).expect("fits").0;
    let reading = classifier.read("place please", &vector(1, 3), 0.1);
    assert_eq!(reading.decision, IntentDecision::Clear);
    assert_eq!(reading.intents.len(), 3);
    assert_eq!(reading.intents[0].intent, "place");
}

#[test]
fn a_sentence_unlike_all_examples_is_out_of_scope_and_so_is_one_like_those_for_no_desk() {
    let (examples, vectors) = examples(Some(2));
    let classifier = IntentClassifier::fit((&examples, &vectors), &[], None, "encoder", 1).expect("fits").0;
    assert_eq!(classifier.read("zzz", &vector(100, 77), 0.1).decision, IntentDecision::OutOfScope);
    assert_eq!(classifier.read("strange number", &vector(2, 5), 0.1).decision, IntentDecision::OutOfScope);
    assert_eq!(classifier.read("price number", &vector(0, 5), 0.1).decision, IntentDecision::Clear);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (examples, vectors) = examples(None);
    let fit = |threads| IntentClassifier::fit((&examples, &vectors), &[], None, "encoder", threads).expect("fits").0;
    assert_eq!(fit(1), fit(3));
}

#[test]
fn a_saved_classifier_is_the_same_and_a_cut_one_is_refused() {
    let (examples, vectors) = examples(Some(2));
    let classifier = IntentClassifier::fit((&examples, &vectors), &[], None, "encoder", 1).expect("fits").0;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("intents.safetensors");
    classifier.save(&path).expect("written");
    assert_eq!(IntentClassifier::load(&path).expect("read"), classifier);
    let bytes = std::fs::read(&path).expect("read");
    for length in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).expect("written");
        assert!(IntentClassifier::load(&path).is_err(), "{length} bytes");
    }
}

#[test]
fn an_intent_with_one_example_is_refused_by_name() {
    let (mut examples, mut vectors) = examples(None);
    examples.texts.truncate(5);
    examples.labels.truncate(5);
    vectors.truncate(5);
    let said = IntentClassifier::fit((&examples, &vectors), &[], None, "encoder", 1).expect_err("too few").to_string();
    assert_eq!(said, "intent \"strange\" has fewer than two examples; write at least ten");
}

#[test]
fn about_one_sentence_in_eight_is_kept_back_whatever_its_case() {
    let kept = (0..4_000).filter(|n| kept_back(&format!("sentence {n}"))).count();
    assert!((400..600).contains(&kept), "{kept}");
    assert_eq!(kept_back("My Card "), kept_back("my card"));
}

#[test]
fn a_variant_teaches_but_never_gives_away_the_sentence_that_is_asked_about() {
    let (examples, vectors) = examples(None);
    let variants: Vec<Variant> = (0..36).map(|of| Variant { of, text: examples.texts[of].clone(), vector: vectors[of].clone() }).collect();
    let (with, report) = IntentClassifier::fit((&examples, &vectors), &variants, None, "encoder", 1).expect("fits");
    let (without, plain) = IntentClassifier::fit((&examples, &vectors), &[], None, "encoder", 1).expect("fits");
    assert_eq!((report.unseen, plain.unseen), (36, 36));
    assert!(with.head != without.head);
}
