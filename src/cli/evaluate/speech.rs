use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

use super::clips::{Clip, read_clips};
use super::{DRAWS, SEED};
use crate::audio::{self, in_noise, over_telephone};
use crate::cli::{Failure, open, progress, transcribe};
use crate::config::Config;
use crate::domain::{Heard, Pcm16k, Transcript};
use crate::language::spoken::canonical::{Canonical, canonical};
use crate::measure::{ClipErrors, Edits, Estimate, Percentiles, Step, align, calibration_error, corpus_rate, right_items, wilson};
use crate::speech::{Request, Window};
use crate::turn::Hearing;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd evaluate speech --manifest recordings/manifest.jsonl
  kioskd evaluate speech --manifest manifest.jsonl --noise cafe.wav --snr 5 --json
  kioskd evaluate speech --manifest manifest.jsonl --condition clean telephone --json
  kioskd evaluate speech --manifest target/test-data/names/manifest.jsonl --shop-words 0

Both texts are brought to one form first (docs/canonical.md). A condition has a line each; the last line holds the totals: those of clean
sound where it was measured, otherwise of all conditions together.")]
pub(in crate::cli) struct Arguments {
    /// Lines {"audio": "yes.wav", "text": "yes"}; paths are relative to this file, an empty text means that nobody speaks; with a "name" in
    /// the text, it is counted how often that is understood
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// A recording of noise that is mixed into the clips
    #[arg(long, value_name = "FILE")]
    noise: Option<PathBuf>,
    /// How much louder speech is than noise, in dB, by the loudest frames of both
    #[arg(long, value_name = "DB", default_value_t = 10.0, requires = "noise", allow_negative_numbers = true)]
    snr: f32,
    /// How the clips sound (default: noise where --noise is given, otherwise clean)
    #[arg(long, value_enum, num_args = 1.., value_delimiter = ',')]
    condition: Vec<Condition>,
    #[command(flatten)]
    recogniser: transcribe::Recogniser,
    /// How strongly the names of the shop's products are expected, instead of speech.shop_words_strength
    #[arg(long, value_name = "STRENGTH")]
    shop_words: Option<f32>,
    /// Write which words were taken for which others here: said, heard and how often, by tabs
    #[arg(long, value_name = "FILE")]
    confusions: Option<PathBuf>,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
}

/// What is done to a clip before it is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Condition {
    /// As it was recorded
    Clean,
    /// Over a telephone line: 8 kHz, 8 bits of mu-law
    Telephone,
    /// In the noise of --noise
    Noise,
}

impl Condition {
    fn name(self) -> &'static str {
        match self {
            Condition::Clean => "clean",
            Condition::Telephone => "telephone",
            Condition::Noise => "noise",
        }
    }
}

/// Noise, and how loud it is against speech.
struct Noise {
    pcm: Pcm16k,
    snr_db: f32,
}

/// What hearing one clip came to.
#[derive(Debug, Clone)]
struct Outcome {
    errors: ClipErrors,
    /// Whether the name in it was understood, where it has one.
    name_is_right: Option<bool>,
    /// Confidence of each word that came out, and whether it is right.
    confidences: Vec<(f32, bool)>,
    /// Words that were taken for others.
    mistaken: Vec<(String, String)>,
    audio_ms: f64,
    /// Time of hearing alone, without reading the file.
    ms: f64,
}

pub(super) fn run(config: Config, arguments: &Arguments) -> Result<(), Failure> {
    let mut config = arguments.recogniser.settings(config);
    if let Some(strength) = arguments.shop_words {
        config.speech.shop_words_strength = strength;
        let problems = config.speech.problems();
        if !problems.is_empty() {
            return Err(Failure::Input(problems.join("\n")));
        }
    }
    let conditions = conditions(arguments)?;
    let clips = read_clips(&arguments.manifest)?;
    let noise = arguments.noise.as_ref().map(|path| read_noise(path, arguments.snr, &config)).transpose()?;
    let window = arguments.recogniser.window();
    let mut hearing = transcribe::hearing(&config)?;
    let bar = progress::bar((clips.len() * conditions.len()) as u64, "hearing clips");
    let mut measured: Vec<(Condition, Vec<Outcome>)> = Vec::new();
    for condition in conditions {
        let mut outcomes = Vec::with_capacity(clips.len());
        for clip in &clips {
            let sound = sound_of(clip, condition, noise.as_ref(), arguments, &config)?;
            outcomes.push(hear(clip, &sound, &mut hearing, window)?);
            bar.inc(1);
        }
        bar.suspend(|| print(&report(condition.name(), &outcomes, snr_of(condition, arguments)), arguments.json))?;
        measured.push((condition, outcomes));
    }
    bar.finish_and_clear();
    if let Some(path) = &arguments.confusions {
        write_confusions(path, &measured)?;
    }
    print(&totals(&measured, arguments), arguments.json)
}

/// In the order they were asked for, each once.
fn conditions(arguments: &Arguments) -> Result<Vec<Condition>, Failure> {
    let mut conditions = Vec::new();
    for condition in &arguments.condition {
        if !conditions.contains(condition) {
            conditions.push(*condition);
        }
    }
    if conditions.is_empty() {
        conditions.push(if arguments.noise.is_some() { Condition::Noise } else { Condition::Clean });
    }
    if conditions.contains(&Condition::Noise) && arguments.noise.is_none() {
        return Err(Failure::Input("--condition noise needs a recording of noise; give it with --noise FILE".to_owned()));
    }
    if !(-60.0..=100.0).contains(&arguments.snr) {
        return Err(Failure::Input(format!("--snr is {}; expected -60 to 100", arguments.snr)));
    }
    Ok(conditions)
}

fn read_noise(path: &std::path::Path, snr_db: f32, config: &Config) -> Result<Noise, Failure> {
    let sound =
        audio::decode_file(path, config.audio.file_limits()).map_err(|e| Failure::Input(format!("--noise {}: {e}", path.display())))?;
    Ok(Noise { pcm: sound.pcm, snr_db })
}

fn sound_of(clip: &Clip, condition: Condition, noise: Option<&Noise>, arguments: &Arguments, config: &Config) -> Result<Pcm16k, Failure> {
    let wrong = |reason: String| {
        Failure::Input(format!("{}, line {}: {}: {reason}", arguments.manifest.display(), clip.line, clip.audio.display()))
    };
    let sound = audio::decode_file(&clip.audio, config.audio.file_limits()).map_err(|e| wrong(e.to_string()))?.pcm;
    match (condition, noise) {
        (Condition::Telephone, _) => over_telephone(&sound).map_err(|e| wrong(e.to_string())),
        // Each clip has another piece of the noise, and the same one each time.
        (Condition::Noise, Some(noise)) => Ok(in_noise(&sound, &noise.pcm, noise.snr_db, SEED + clip.line as u64)),
        _ => Ok(sound),
    }
}

fn hear(clip: &Clip, sound: &Pcm16k, hearing: &mut Hearing, window: Window) -> Result<Outcome, Failure> {
    let begun = Instant::now();
    let heard = hearing.hear(sound, &Request { window, ..Request::default() }).map_err(|e| Failure::Job(e.to_string()))?;
    let ms = begun.elapsed().as_secs_f64() * 1_000.0;
    let said = canonical(&clip.text);
    let (form, confidences) = match &heard.heard {
        Heard::Words(transcript) => (canonical(&transcript.text), confidences(&said, transcript)),
        Heard::Silence => (Canonical::default(), Vec::new()),
    };
    let errors = ClipErrors::of((&said.words(), &said.characters()), (&form.words(), &form.characters()));
    let mistaken = mistaken(&said.words(), &form.words());
    let name_is_right = clip.name.as_deref().map(|name| has_name(&form.words(), &canonical(name).words()));
    Ok(Outcome { errors, name_is_right, confidences, mistaken, audio_ms: sound.duration().as_secs_f64() * 1_000.0, ms })
}

/// Whether words in a row spell the name, letter by letter: "oatmilk" is "oat milk", and "leaks" is not "leeks".
fn has_name(heard: &[&str], name: &[&str]) -> bool {
    let name = name.concat();
    (0..heard.len()).any(|from| {
        let mut letters = name.as_str();
        // From this word on, each takes its letters off the name.
        heard[from..].iter().map_while(|word| letters.strip_prefix(word).map(|rest| letters = rest)).count() > 0 && letters.is_empty()
    })
}

/// Words that were taken for others, as said and as heard.
fn mistaken(said: &[&str], heard: &[&str]) -> Vec<(String, String)> {
    let mut place = 0;
    let mut pairs = Vec::new();
    for step in align(said, heard) {
        if let Step::Substituted { heard: at } = step {
            pairs.push((said[place].to_owned(), heard[at].to_owned()));
        }
        place += usize::from(!matches!(step, Step::Inserted { .. }));
    }
    pairs
}

fn write_confusions(path: &std::path::Path, measured: &[(Condition, Vec<Outcome>)]) -> Result<(), Failure> {
    let mut counts: BTreeMap<&(String, String), usize> = BTreeMap::new();
    measured.iter().flat_map(|(_, outcomes)| outcomes).flat_map(|o| &o.mistaken).for_each(|pair| *counts.entry(pair).or_default() += 1);
    let table: String = counts.iter().map(|((said, heard), count)| format!("{said}\t{heard}\t{count}\n")).collect();
    crate::weights::write_atomically(path, table.as_bytes())
        .map_err(|e| Failure::Job(format!("{} could not be written: {e}", path.display())))
}

/// How sure the recogniser was of each word, and whether it was right.
fn confidences(said: &Canonical, transcript: &Transcript) -> Vec<(f32, bool)> {
    let joined = |word: &str| word.split_whitespace().collect::<String>();
    let words: Vec<(String, f32)> = transcript.words.iter().map(|word| (joined(&word.text), word.confidence.get())).collect();
    let words: Vec<_> = words.into_iter().filter(|(word, _)| !word.is_empty()).collect();
    let text = words.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>().join(" ");
    let verdicts = verdicts(said, &canonical(&text), words.len());
    words.iter().zip(verdicts).filter_map(|((_, confidence), is_right)| Some((*confidence, is_right?))).collect()
}

/// For each word of the text that was heard, whether all that it came to in the canonical form is right; `None` where it came to nothing,
/// as a dash does.
fn verdicts(said: &Canonical, heard: &Canonical, words: usize) -> Vec<Option<bool>> {
    let mut verdicts = vec![None; words];
    for (token, is_right) in heard.tokens.iter().zip(right_items(&said.words(), &heard.words())) {
        for verdict in verdicts.iter_mut().take(token.last + 1).skip(token.first) {
            *verdict = Some(verdict.unwrap_or(true) && is_right);
        }
    }
    verdicts
}

fn snr_of(condition: Condition, arguments: &Arguments) -> Option<f32> {
    (condition == Condition::Noise).then_some(arguments.snr)
}

/// The figures of clean sound where it was measured, otherwise of all.
fn totals(measured: &[(Condition, Vec<Outcome>)], arguments: &Arguments) -> Value {
    match measured.iter().find(|(condition, _)| *condition == Condition::Clean).or(measured.first().filter(|_| measured.len() == 1)) {
        Some((condition, outcomes)) => report(condition.name(), outcomes, snr_of(*condition, arguments)),
        None => report("all", &measured.iter().flat_map(|(_, outcomes)| outcomes.clone()).collect::<Vec<_>>(), None),
    }
}

fn report(condition: &str, outcomes: &[Outcome], snr_db: Option<f32>) -> Value {
    let clips: Vec<ClipErrors> = outcomes.iter().map(|outcome| outcome.errors).collect();
    let words: Edits = clips.iter().map(|clip| clip.words).sum();
    let characters: Edits = clips.iter().map(|clip| clip.characters).sum();
    let wer = corpus_rate(&clips, DRAWS, SEED, |clip| clip.words);
    let cer = corpus_rate(&clips, DRAWS, SEED, |clip| clip.characters);
    let interval = |rate: Option<Estimate>| rate.map(|rate| [rate.low, rate.high]);
    let names: Vec<bool> = outcomes.iter().filter_map(|outcome| outcome.name_is_right).collect();
    let names_right = names.iter().filter(|is_right| **is_right).count();
    let (ms, audio_ms): (f64, f64) = outcomes.iter().fold((0.0, 0.0), |(ms, audio), o| (ms + o.ms, audio + o.audio_ms));
    let (promised, right): (Vec<f32>, Vec<bool>) = outcomes.iter().flat_map(|outcome| outcome.confidences.iter().copied()).unzip();
    json!({
        "condition": condition, "snr_db": snr_db,
        "clips": clips.len(), "words": words.reference, "characters": characters.reference,
        "wer": wer.map(|rate| rate.value), "wer_interval": interval(wer),
        "cer": cer.map(|rate| rate.value), "cer_interval": interval(cer),
        "substitutions": words.substitutions, "deletions": words.deletions, "insertions": words.insertions,
        "runaways": clips.iter().filter(|clip| clip.is_runaway()).count(),
        "texts_on_silence": clips.iter().filter(|clip| clip.is_text_on_silence()).count(),
        "names": (!names.is_empty()).then(|| json!({ "of": names.len(), "right": names_right, "interval": wilson(names_right, names.len()) })),
        "word_ece": calibration_error(&promised, &right),
        "audio_seconds": audio_ms / 1_000.0,
        "rtf": (audio_ms > 0.0).then(|| ms / audio_ms),
        "latency_ms": Percentiles::of(&outcomes.iter().map(|outcome| outcome.ms).collect::<Vec<_>>()),
    })
}

fn print(report: &Value, is_json: bool) -> Result<(), Failure> {
    if is_json {
        return open::print_json(report);
    }
    let fields = report.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| format!("{name:>24}  {value}")).try_for_each(|line| open::print_line(&line))?;
    open::print_line("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Probability, Word};

    fn arguments(line: &[&str]) -> Arguments {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            arguments: Arguments,
        }
        let line = ["evaluate", "--manifest", "clips.jsonl"].iter().chain(line);
        <Line as clap::Parser>::try_parse_from(line).expect("arguments").arguments
    }

    fn outcome(said: &str, heard: &str, audio_ms: f64, ms: f64) -> Outcome {
        let (said, heard) = (canonical(said), canonical(heard));
        let errors = ClipErrors::of((&said.words(), &said.characters()), (&heard.words(), &heard.characters()));
        Outcome { errors, name_is_right: None, confidences: vec![(0.9, errors.words.errors() == 0)], mistaken: Vec::new(), audio_ms, ms }
    }

    #[test]
    fn noise_is_measured_where_it_is_given_and_clean_sound_otherwise() {
        assert_eq!(conditions(&arguments(&[])).unwrap(), [Condition::Clean]);
        assert_eq!(conditions(&arguments(&["--noise", "cafe.wav", "--snr", "-5"])).unwrap(), [Condition::Noise]);
        let all = conditions(&arguments(&["--noise", "cafe.wav", "--condition", "clean", "noise", "clean"])).unwrap();
        assert_eq!(all, [Condition::Clean, Condition::Noise]);
        let error = conditions(&arguments(&["--condition", "noise"])).unwrap_err().to_string();
        assert!(error.contains("--noise FILE"), "{error}");
    }

    #[test]
    fn a_name_is_right_letter_by_letter_and_however_it_is_parted() {
        let check = |heard: &str, name: &str| has_name(&canonical(heard).words(), &canonical(name).words());
        assert!(check("How much is the oatmilk?", "oat milk") && check("Do you have Oat-Milk", "oat milk"));
        assert!(check("a pear pear please", "pear please") && check("two Granny Smith apples", "Granny Smith apples"));
        assert!(!check("How much are the leaks?", "leeks") && !check("oat", "oat milk") && !check("", "leeks"));
        assert!(!check("a steak", "tea"));
    }

    #[test]
    fn a_word_is_right_if_all_it_came_to_is_right() {
        let said = canonical("order four one seven for m e l please");
        let check = |heard: &str, expected: &[Option<bool>]| {
            assert_eq!(verdicts(&said, &canonical(heard), heard.split_whitespace().count()), expected, "{heard}");
        };
        check("Order 417 for M E L, please.", &[Some(true); 7]);
        check("Order 418 - for mail please", &[Some(true), Some(false), None, Some(true), Some(false), Some(true)]);
    }

    #[test]
    fn confidences_are_those_of_the_words_that_were_heard() {
        let word = |text: &str, confidence: f32| {
            let confidence = Probability::clamped(confidence);
            Word { text: text.to_owned(), start_ms: 0, end_ms: 0, confidence }
        };
        let transcript = Transcript {
            text: "two - 90 lattes".to_owned(),
            confidence: Probability::clamped(0.5),
            segments: vec![],
            words: vec![word(" two", 0.75), word("-", 0.5), word("90", 0.25), word("lattes", 0.5)],
            language: "en".to_owned(),
            audio_ctx: 0,
            decoded_again: false,
        };
        assert_eq!(confidences(&canonical("two nice lattes"), &transcript), [(0.75, true), (0.25, false), (0.5, true)]);
    }

    #[test]
    fn a_report_has_the_sums_of_all_clips() {
        let outcomes =
            [outcome("four one seven", "417", 1_000.0, 50.0), outcome("yes", "no", 500.0, 100.0), outcome("", "you", 500.0, 30.0)];
        let report = report("clean", &outcomes, None);
        let figures = ["words", "substitutions", "deletions", "insertions", "runaways", "texts_on_silence", "clips"];
        assert_eq!(figures.map(|name| report[name].as_u64().unwrap()), [4, 1, 0, 1, 0, 1, 3]);
        assert_eq!((report["wer"].as_f64(), report["rtf"].as_f64()), (Some(0.5), Some(0.09)));
        assert_eq!(report["latency_ms"]["p50"].as_f64(), Some(50.0));
        assert!(report["word_ece"].as_f64().unwrap() > 0.5);
    }

    #[test]
    fn recordings_of_silence_alone_have_no_rate() {
        let report = report("clean", &[outcome("", "", 900.0, 9.0)], None);
        assert_eq!((&report["wer"], &report["wer_interval"], &report["texts_on_silence"]), (&Value::Null, &Value::Null, &json!(0)));
    }

    #[test]
    fn the_totals_are_those_of_clean_sound_if_there_is_any() {
        let (clean, noisy) = (vec![outcome("yes", "yes", 500.0, 9.0)], vec![outcome("yes", "no", 500.0, 9.0)]);
        let given = arguments(&["--noise", "cafe.wav"]);
        let last = |measured: &[(Condition, Vec<Outcome>)]| totals(measured, &given);
        assert_eq!(last(&[(Condition::Noise, noisy.clone()), (Condition::Clean, clean.clone())])["wer"], json!(0.0));
        assert_eq!(last(&[(Condition::Noise, noisy.clone()), (Condition::Telephone, clean)])["wer"], json!(0.5));
        assert_eq!(last(&[(Condition::Noise, noisy)])["snr_db"], json!(10.0));
    }
}
