//! Every stage of a turn by itself.

#[path = "../tests/common/mod.rs"]
mod common;

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use kioskd::audio::{AudioConfig, FRAME_SAMPLES, Vad, decode, resample};
use kioskd::behavior::tabular::{About, Labelled, Preset, Recipe, Table, learn};
use kioskd::behavior::{BehaviorModel, UnusualSessions};
use kioskd::config::{Config, ShopFiles, open_hearing, open_language, open_seeing};
use kioskd::domain::{Channel, Feedback, FeedbackOutcome, ProductId, SessionFeatures, SessionId};
use kioskd::recommend::{RecommendConfig, RecommendRequest, Recommender};
use kioskd::speech::Request;
use kioskd::vision;

fn read(file: &str) -> Vec<u8> {
    std::fs::read(common::path(file)).expect(file)
}

fn sound(c: &mut Criterion) {
    let limits = AudioConfig::default().file_limits();
    let (flac, mp3) = (read("audio_fixtures/apples.heart.flac"), read("audio_fixtures/avocados.mp3"));
    c.bench_function("audio/decode flac 16 kHz", |b| b.iter(|| decode(&flac, limits)));
    c.bench_function("audio/decode mp3", |b| b.iter(|| decode(&mp3, limits)));
    let second: Vec<f32> = (0..48_000).map(|n| (n as f32 / 20.0).sin()).collect();
    c.bench_function("audio/resample 1 s from 48 kHz", |b| b.iter(|| resample(&second, 48_000)));
    let mut vad = Vad::load(&common::runtime(), &common::model("silero-vad")).expect("loads");
    let frame = [0.1; FRAME_SAMPLES];
    c.bench_function("audio/voice activity, 32 ms", |b| b.iter(|| vad.score(&frame)));
}

fn words(c: &mut Criterion) {
    let config = Config::read(&common::path("config/kiosk.toml")).expect("config");
    let mut hearing = open_hearing(&config, &common::manifest(), &common::runtime()).expect("loads");
    let pcm = decode(&read("audio_fixtures/apples.heart.flac"), config.audio.file_limits()).expect("decodes").pcm;
    let mut group = c.benchmark_group("speech");
    group.sample_size(20);
    group.bench_function("transcribe a question", |b| b.iter(|| hearing.transcriber.transcribe(&pcm, &Request::default())));
    group.finish();
}

fn photos(c: &mut Criterion) {
    let config = Config::read(&common::path("config/kiosk.toml")).expect("config");
    let files = ShopFiles::read(&config.paths.shop).expect("the shop");
    let (mut classifier, gallery) = open_seeing(&config, &common::manifest(), &common::runtime(), &files.catalog).expect("loads");
    let photo = read("tests/photos/grocery/Granny-Smith_001.jpg");
    let crop = vision::decode(&photo, &config.vision).expect("decodes");
    c.bench_function("vision/decode and crop", |b| b.iter(|| vision::decode(&photo, &config.vision)));
    c.bench_function("vision/classify", |b| b.iter(|| classifier.sight(&crop, &gallery)));
}

fn meaning(c: &mut Criterion) {
    let room = tempfile::tempdir().expect("a folder");
    let config = common::config(room.path());
    let files = ShopFiles::read(&config.paths.shop).expect("the shop");
    let language = open_language(&config, &common::manifest(), &files, &|_, _| ()).expect("learns").language;
    let sentence = "how much are the granny smith apples";
    c.bench_function("language/encode 9 tokens", |b| b.iter(|| language.encoder.encode(sentence)));
    c.bench_function("language/entities", |b| b.iter(|| language.entities.find(sentence)));
    c.bench_function("language/understand", |b| b.iter(|| language.understand(sentence)));
}

fn behavior(c: &mut Criterion) {
    let model = BehaviorModel::load(&common::model("behavior-fusion")).expect("loads");
    let (text, photo) = (vec![0.05f32; 384], vec![0.03f32; 1280]);
    let session = SessionFeatures {
        turns: 2,
        seconds: 30.0,
        hour: 10.0,
        channel: Channel::Kiosk,
        sentiment: Some(0.1),
        sentiment_min: Some(0.0),
        unanswered: 0,
        product_questions: 1,
        asks_for_person: false,
        intent_confidence: Some(0.9),
        price_cents: Some(199),
        on_offer: false,
        in_stock: Some(true),
        basket: 0,
    };
    c.bench_function("behavior/predict with reasons", |b| b.iter(|| model.predict(Some(&text), Some(&photo), &session)));
    let config = Config::read(&common::path("config/kiosk.toml")).expect("config");
    let files = ShopFiles::read(&config.paths.shop).expect("the shop");
    let sessions = UnusualSessions::simulated(&files.catalog, &files.intents).expect("sessions");
    let usual = Arc::new(UnusualSessions::learn(&sessions).expect("enough"));
    c.bench_function("behavior/anomaly score", |b| b.iter(|| usual.score(&session)));
    c.bench_function("behavior/what is unusual", |b| b.iter(|| usual.reason(&session)));
    let model = model.with_usual(Some(usual));
    c.bench_function("behavior/predict with reasons and anomaly", |b| b.iter(|| model.predict(Some(&text), Some(&photo), &session)));
}

/// Offers to a question about the lemon, by a bandit that has seen forty outcomes and draws.
fn offers(c: &mut Criterion) {
    let room = tempfile::tempdir().expect("a folder");
    let config = common::config(room.path());
    let files = ShopFiles::read(&config.paths.shop).expect("the shop");
    let learned = open_language(&config, &common::manifest(), &files, &|_, _| ()).expect("learns");
    let sentence = learned.language.encoder.encode("what goes well with lemons").expect("encodes");
    let recommender = Recommender::new(Arc::new(files.catalog), &files.shop.currency_word)
        .with_texts(learned.products)
        .with_settings(&RecommendConfig::default());
    let about = [ProductId("lemon".to_owned())];
    let request =
        RecommendRequest { talked_about: &about, sentence: Some(sentence.embedding()), asked: true, ..RecommendRequest::default() };
    let offer = |session: &SessionId| recommender.recommend(&RecommendRequest { turn: Some((session, 1)), ..request.clone() });
    for n in 0..40 {
        let session = SessionId::parse(&format!("bench-{n}")).expect("an identifier");
        let offered = offer(&session).offered;
        recommender.shown(&session, 1, &offered);
        let outcome = if n % 3 == 0 { FeedbackOutcome::Accepted } else { FeedbackOutcome::Rejected };
        let product = Some(offered[n % offered.len()].product.clone());
        recommender.feedback(&Feedback { session, turn: Some(1), at_unix_ms: 1, outcome, product });
    }
    let session = SessionId::parse("bench").expect("an identifier");
    let propensities: Vec<f32> = offer(&session).offered.iter().map(|offer| offer.propensity.get()).collect();
    assert!(propensities.iter().any(|p| *p < 1.0), "nothing is drawn: {propensities:?}");
    c.bench_function("recommend/three offers, exploring", |b| b.iter(|| offer(&session)));
}

/// A blend over a table of the shape of UCI's Online Shoppers: ten numbers, and seven columns of words and codes.
fn tables(c: &mut Criterion) {
    let number = |row: usize, column: usize| (row * (column + 7) * 31 + column) % 199;
    let names: Vec<String> = (0..17).map(|column| format!("c{column}")).collect();
    let line = |row: usize| {
        let numbers = (0..10).map(|column| format!("{}.5", number(row, column)));
        let codes = (10..17).map(|column| format!("k{}", number(row, column) % 12));
        let cells: Vec<String> = numbers.chain(codes).collect();
        format!("{},{}\n", cells.join(","), number(row, 3) + number(row, 5) > 250)
    };
    let text = format!("{},label\n{}", names.join(","), (0..4_000).map(line).collect::<String>());
    let mut table = Table::parse("bench", text.as_bytes()).expect("a table");
    let data = Labelled::learn(&mut table, "label", &[]).expect("columns");
    let about = About {
        data: String::new(),
        data_sha256: String::new(),
        rows: 4_000,
        positives: 0,
        bad_rows: 0,
        preset: "blend".to_owned(),
        seed: Some(1),
        privacy: None,
    };
    let model = learn(&data, &Recipe::new(Preset::Blend, 1, 2), about, &|_, _| ()).expect("learns").model;
    let row = data.frame.row(7);
    c.bench_function("behavior/predict a row of a table", |b| b.iter(|| model.probabilities(&row)));
    c.bench_function("behavior/attribute a row of a table", |b| b.iter(|| model.attribute(&row, 0)));
}

criterion_group!(stages, sound, words, photos, meaning, behavior, offers, tables);
criterion_main!(stages);
