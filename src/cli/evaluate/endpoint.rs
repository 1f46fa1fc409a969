use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{DRAWS, SEED};
use crate::audio::{EndpointConfig, EndpointEvent, Endpointer, Framer, Level, SmartTurn, Vad, decode_file};
use crate::cli::{Failure, grammar as grammars, listen, open, progress, transcribe};
use crate::config::Config;
use crate::domain::{Heard, Pcm16k, Probability, SAMPLE_RATE};
use crate::language::ending;
use crate::measure::{Estimate, bootstrap};
use crate::speech::Request;
use crate::speech::grammar::{Grammar, Standing};
use crate::turn::{Evidence, Habits, Hearing, patience_ms};

/// How far from the labelled beginning of a pause the detector may find it, in milliseconds: its states and soft last sounds.
const LABEL_SLACK_MS: u64 = 300;

/// A whole end is taken as found after this much silence, in milliseconds: more than any policy waits, less than joined recordings have.
const LONGEST_WAIT_MS: u32 = 2_400;

/// Silences that the fixed policy is tried with, in milliseconds.
const FIXED_MS: [u32; 7] = [250, 300, 400, 500, 700, 1_000, 1_500];

/// Points at which the others are tried: what is added to `audio.endpoint.caution`.
const CAUTIONS: [f32; 5] = [-1.0, -0.5, 0.0, 0.5, 1.0];

/// When turns are ended: false cut-offs against the wait, for silence, voice, words, and both
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd evaluate endpoint --manifest joined/test.jsonl --json
  kioskd evaluate endpoint --replay test.jsonl --grammar config/grammars/coffee.toml --habits development.jsonl")]
pub(in crate::cli) struct Arguments {
    /// Lines {"audio": FILE, "pauses": [{"from_ms", "to_ms", "complete"}]}; files are relative to it, as benches/endpoint/join.py makes them
    #[arg(long, value_name = "FILE", required_unless_present = "replay")]
    manifest: Option<PathBuf>,
    /// How long voice and words take to be weighed after the first silence is told, in milliseconds: no wait is shorter
    #[arg(long, value_name = "MS", default_value_t = 0)]
    ready_ms: u32,
    /// Weigh where the words stand in this grammar too, as `listen` does with that of the desk's orders
    #[arg(long, value_name = "FILE")]
    grammar: Option<PathBuf>,
    /// Write what was found at each pause here, a JSON object a recording
    #[arg(long, value_name = "FILE")]
    table: Option<PathBuf>,
    /// Play the policies on such a table again instead of listening
    #[arg(long, value_name = "FILE", conflicts_with_all = ["manifest", "table"])]
    replay: Option<PathBuf>,
    /// Begin with what such a table teaches about how often people go on after a whole order, instead of from nothing
    #[arg(long, value_name = "FILE", requires = "grammar")]
    habits: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Line {
    audio: PathBuf,
    #[serde(default)]
    group: String,
    pauses: Vec<Label>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
struct Label {
    from_ms: u64,
    to_ms: u64,
    complete: bool,
}

/// A silence that the endpointer told of.
#[derive(Serialize, Deserialize)]
struct Silence {
    since_ms: u64,
    /// How long it lasted, in milliseconds.
    length_ms: u64,
    /// How likely the voice was done.
    sound: f32,
    /// What was said up to there; absent where no words were found.
    text: Option<String>,
    /// Two-letter code of its language.
    language: String,
    /// What weighing voice and words took, in milliseconds.
    weighed_ms: [f64; 2],
    /// Where the words stand in the grammar that was given; not in the table, as another may be given to the next replay.
    #[serde(skip)]
    standing: Option<Standing>,
}

impl Silence {
    fn evidence(&self) -> Evidence {
        let ending = self.text.as_deref().map(|text| ending(text, &self.language));
        Evidence { sound: Some(Probability::clamped(self.sound)), ending, standing: self.standing }
    }
}

/// A labelled pause, and the silences that the endpointer found in it: none, one, or several where a noise divides it.
#[derive(Serialize, Deserialize)]
struct Pause {
    label: Label,
    silences: Vec<Silence>,
}

/// One recording.
#[derive(Serialize, Deserialize)]
struct Recording {
    group: String,
    pauses: Vec<Pause>,
    /// Hesitations of the speaker's own, where nothing was put in.
    own: Vec<Silence>,
}

impl Recording {
    fn place_in(&mut self, grammar: &Grammar) {
        let inside = self.pauses.iter_mut().flat_map(|pause| &mut pause.silences);
        for silence in inside.chain(&mut self.own) {
            silence.standing = silence.text.as_deref().map(|text| grammar.standing(text));
        }
    }

    /// What an ear would have learned from it.
    fn teach(&self, habits: &mut Habits) {
        for pause in &self.pauses {
            let whole = pause.silences.iter().enumerate().filter(|(_, silence)| silence.evidence().is_open_whole());
            whole.for_each(|(at, _)| habits.note(pause.label.complete && at + 1 == pause.silences.len()));
        }
    }
}

/// What all policies share.
#[derive(Clone, Copy)]
struct Rules<'a> {
    config: &'a EndpointConfig,
    habits: Habits,
    /// How long voice and words take to be weighed.
    ready_ms: u32,
}

pub(super) fn run(config: &Config, arguments: &Arguments) -> Result<(), Failure> {
    let mut recordings = match (&arguments.replay, &arguments.manifest) {
        (Some(table), _) => read_lines(table)?,
        (None, Some(manifest)) => listen_to_all(manifest, config)?,
        (None, None) => return Err(Failure::Input("name a manifest with --manifest, or a table with --replay".to_owned())),
    };
    let mut habits = Habits::default();
    if let Some(grammar) = arguments.grammar.as_deref().map(grammars::read).transpose()? {
        recordings.iter_mut().for_each(|recording| recording.place_in(&grammar));
        let mut known: Vec<Recording> = arguments.habits.as_deref().map(read_lines).transpose()?.unwrap_or_default();
        known.iter_mut().for_each(|recording| recording.place_in(&grammar));
        known.iter().for_each(|recording| recording.teach(&mut habits));
    }
    if let Some(path) = &arguments.table {
        write_table(path, &recordings)?;
    }
    let report = report(&recordings, &Rules { config: &config.audio.endpoint, habits, ready_ms: arguments.ready_ms });
    if arguments.json { open::print_json(&report) } else { print_report(&report) }
}

fn listen_to_all(manifest: &Path, config: &Config) -> Result<Vec<Recording>, Failure> {
    let lines: Vec<Line> = read_lines(manifest)?;
    let folder = manifest.parent().unwrap_or(Path::new("."));
    let mut listener = Listener::open(config)?;
    let bar = progress::bar(lines.len() as u64, "listening");
    let mut recordings = Vec::with_capacity(lines.len());
    for line in lines {
        recordings.push(listener.listen(folder, line)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(recordings)
}

/// A JSON object a line; a bad one is told with its number.
fn read_lines<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Vec<T>, Failure> {
    let text = String::from_utf8(open::read(path)?).map_err(|_| Failure::Input(format!("{} is not text", path.display())))?;
    let parsed: Result<Vec<T>, Failure> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(at, line)| serde_json::from_str(line).map_err(|e| Failure::Input(format!("{}, line {}: {e}", path.display(), at + 1))))
        .collect();
    parsed.and_then(|lines| match lines.len() {
        0 => Err(Failure::Input(format!("{} lists no recording", path.display()))),
        _ => Ok(lines),
    })
}

/// The parts of an ear, apart: each pause is waited out, so that every policy can be played on what was found.
struct Listener {
    vad: Vad,
    smart_turn: SmartTurn,
    hearing: Hearing,
    endpoint: EndpointConfig,
    config: Config,
}

impl Listener {
    fn open(config: &Config) -> Result<Self, Failure> {
        let (vad, smart_turn) = listen::models(config)?;
        let endpoint = EndpointConfig { patient_ms_max: config.audio.endpoint.utterance_ms_max, ..config.audio.endpoint.clone() };
        Ok(Self { vad, smart_turn, hearing: transcribe::hearing(config)?, endpoint, config: config.clone() })
    }

    fn listen(&mut self, folder: &Path, line: Line) -> Result<Recording, Failure> {
        let path = folder.join(&line.audio);
        let sound = decode_file(&path, self.config.audio.file_limits()).map_err(|e| Failure::Input(e.to_string()))?.pcm;
        let mut recording = Recording {
            group: line.group,
            pauses: line.pauses.iter().map(|label| Pause { label: *label, silences: Vec::new() }).collect(),
            own: Vec::new(),
        };
        for silence in self.silences(&sound, &line.pauses)? {
            let of_label =
                |pause: &&mut Pause| silence.since_ms + LABEL_SLACK_MS >= pause.label.from_ms && silence.since_ms < pause.label.to_ms;
            match recording.pauses.iter_mut().find(of_label) {
                Some(pause) => pause.silences.push(silence),
                None => recording.own.push(silence),
            }
        }
        Ok(recording)
    }

    /// All silences of a recording, with what is known at each.
    fn silences(&mut self, sound: &Pcm16k, labels: &[Label]) -> Result<Vec<Silence>, Failure> {
        self.vad.reset();
        let mut endpointer = Endpointer::new(self.endpoint.clone()).map_err(|problems| Failure::Input(problems.join("\n")))?;
        let hang_over_ms = u64::from(self.endpoint.hang_over_ms);
        let mut found: Vec<Silence> = Vec::new();
        let mut open_silence: Option<Silence> = None;
        let mut framer = Framer::default();
        let mut frames = Vec::new();
        let Ok(()) = framer.push(sound.samples(), |frame| {
            frames.push(*frame);
            Ok::<_, std::convert::Infallible>(())
        });
        frames.extend(framer.finish());
        for frame in &frames {
            let probability = self.vad.score(frame).map_err(|e| Failure::Job(e.to_string()))?;
            for event in endpointer.push(probability, Level::of(frame).rms_dbfs) {
                match event {
                    EndpointEvent::SpeechStarted { .. } => {}
                    EndpointEvent::MaybeEnded { from_ms, to_ms } => {
                        let since_ms = to_ms - hang_over_ms.min(to_ms);
                        let is_end = labels.iter().any(|l| l.complete && since_ms + LABEL_SLACK_MS >= l.from_ms && since_ms < l.to_ms);
                        endpointer.wait(if is_end { LONGEST_WAIT_MS } else { u32::MAX });
                        open_silence = Some(self.weigh(sound, (from_ms, to_ms, endpointer.now_ms()), since_ms)?);
                    }
                    EndpointEvent::Resumed { at_ms } => {
                        found.extend(open_silence.take().map(|silence| Silence { length_ms: at_ms - silence.since_ms, ..silence }));
                    }
                    EndpointEvent::Ended { .. } => {
                        let length = |silence: &Silence| endpointer.now_ms() - silence.since_ms;
                        found.extend(open_silence.take().map(|silence| Silence { length_ms: length(&silence), ..silence }));
                    }
                }
            }
        }
        let now_ms = endpointer.now_ms();
        found.extend(open_silence.map(|silence| Silence { length_ms: now_ms - silence.since_ms, ..silence }));
        Ok(found)
    }

    /// Voice and words at a pause, as a live turn has them: the voice up to now, the words up to the hang-over.
    fn weigh(&mut self, sound: &Pcm16k, (from_ms, to_ms, now_ms): (u64, u64, u64), since_ms: u64) -> Result<Silence, Failure> {
        let at = |ms: u64| (ms * u64::from(SAMPLE_RATE) / 1_000) as usize;
        let begun = Instant::now();
        let voice = self.smart_turn.complete(sound.slice(at(from_ms)..at(now_ms)).samples()).map_err(|e| Failure::Job(e.to_string()))?;
        let voice_ms = begun.elapsed().as_secs_f64() * 1_000.0;
        let begun = Instant::now();
        let heard =
            self.hearing.hear(&sound.slice(at(from_ms)..at(to_ms)), &Request::default()).map_err(|e| Failure::Job(e.to_string()))?;
        let words_ms = begun.elapsed().as_secs_f64() * 1_000.0;
        let (text, language) = match heard.heard {
            Heard::Words(transcript) => (Some(transcript.text), transcript.language),
            Heard::Silence => (None, String::new()),
        };
        Ok(Silence { since_ms, length_ms: 0, sound: voice.get(), text, language, weighed_ms: [voice_ms, words_ms], standing: None })
    }
}

/// Which part of the evidence a policy looks at.
#[derive(Clone, Copy, PartialEq)]
enum Policy {
    FixedSilence(u32),
    Sound(f32),
    Text(f32),
    Both(f32),
}

impl Policy {
    fn name(self) -> &'static str {
        match self {
            Policy::FixedSilence(_) => "fixed_silence",
            Policy::Sound(_) => "sound",
            Policy::Text(_) => "text",
            Policy::Both(_) => "both",
        }
    }

    fn point(self) -> f32 {
        match self {
            Policy::FixedSilence(ms) => ms as f32,
            Policy::Sound(caution) | Policy::Text(caution) | Policy::Both(caution) => caution,
        }
    }

    /// Milliseconds from the beginning of a silence to its end.
    fn wait_ms(self, evidence: &Evidence, rules: &Rules<'_>) -> u64 {
        let Rules { config, habits, ready_ms } = rules;
        let told_ms = config.hang_over_ms.next_multiple_of(crate::audio::FRAME_MS);
        let weighed = |evidence: Evidence, caution: f32| {
            let config = EndpointConfig { caution: config.caution + caution, ..(*config).clone() };
            patience_ms(&evidence, habits, &config).max(told_ms + ready_ms)
        };
        let wait_ms = match self {
            Policy::FixedSilence(ms) => ms,
            Policy::Sound(caution) => weighed(Evidence { ending: None, standing: None, ..*evidence }, caution),
            Policy::Text(caution) => weighed(Evidence { sound: None, ..*evidence }, caution),
            Policy::Both(caution) => weighed(*evidence, caution),
        };
        // The end is found at the end of a frame.
        u64::from(wait_ms.next_multiple_of(crate::audio::FRAME_MS))
    }
}

/// What a policy came to on one pause.
#[derive(Clone, Copy)]
enum Outcome {
    /// An inner pause: whether the turn was ended in it.
    Inner { cut: bool },
    /// A whole end: milliseconds from the beginning of the silence, and from where the label says that the voice ended.
    End { wait_ms: f64, after_label_ms: f64 },
}

fn outcome(pause: &Pause, policy: Policy, rules: &Rules<'_>) -> Option<Outcome> {
    let wait_ms = |silence: &Silence| policy.wait_ms(&silence.evidence(), rules);
    if !pause.label.complete {
        return Some(Outcome::Inner { cut: pause.silences.iter().any(|silence| wait_ms(silence) <= silence.length_ms) });
    }
    let first = pause.silences.first()?;
    let ended_ms = pause.silences.iter().find(|s| wait_ms(s) <= s.length_ms).or(pause.silences.last()).map(|s| s.since_ms + wait_ms(s))?;
    Some(Outcome::End { wait_ms: (ended_ms - first.since_ms) as f64, after_label_ms: ended_ms as f64 - pause.label.from_ms as f64 })
}

fn report(recordings: &[Recording], rules: &Rules<'_>) -> Value {
    let policies = FIXED_MS
        .map(Policy::FixedSilence)
        .into_iter()
        .chain(CAUTIONS.map(Policy::Sound))
        .chain(CAUTIONS.map(Policy::Text))
        .chain(CAUTIONS.map(Policy::Both));
    let all: Vec<&Recording> = recordings.iter().collect();
    let points: Vec<Value> = policies.map(|policy| figures(&all, policy, rules)).collect();
    let mut groups: Vec<&str> = recordings.iter().map(|recording| recording.group.as_str()).collect();
    groups.sort_unstable();
    groups.dedup();
    let of_group = |group: &&str| {
        let members: Vec<&Recording> = recordings.iter().filter(|recording| recording.group == *group).collect();
        let figures = [Policy::Sound(0.0), Policy::Text(0.0), Policy::Both(0.0)].map(|policy| figures(&members, policy, rules));
        json!({ "group": group, "recordings": members.len(), "points": figures })
    };
    let silences = || recordings.iter().flat_map(|r| r.pauses.iter().flat_map(|p| &p.silences).chain(&r.own));
    let weighed = |at: usize| quantile(&mut silences().map(|silence| silence.weighed_ms[at]).collect::<Vec<_>>(), 0.5);
    let pauses = || recordings.iter().flat_map(|recording| &recording.pauses);
    json!({
        "recordings": recordings.len(),
        "inner_pauses": pauses().filter(|pause| !pause.label.complete).count(),
        "ends": pauses().filter(|pause| pause.label.complete).count(),
        "ends_not_found": pauses().filter(|pause| pause.label.complete && pause.silences.is_empty()).count(),
        "ready_ms": rules.ready_ms,
        "voice_weighed_ms_median": weighed(0),
        "words_weighed_ms_median": weighed(1),
        "points": points,
        "groups": groups.iter().map(of_group).collect::<Vec<_>>(),
    })
}

/// One policy at one point, with intervals by recording.
fn figures(recordings: &[&Recording], policy: Policy, rules: &Rules<'_>) -> Value {
    // As an ear does: what it learns from one recording holds for the next.
    let mut rules = *rules;
    let mut own_cut = 0;
    let mut outcomes: Vec<Vec<Outcome>> = Vec::with_capacity(recordings.len());
    for recording in recordings {
        outcomes.push(recording.pauses.iter().filter_map(|pause| outcome(pause, policy, &rules)).collect());
        own_cut += recording.own.iter().filter(|silence| policy.wait_ms(&silence.evidence(), &rules) <= silence.length_ms).count();
        recording.teach(&mut rules.habits);
    }
    let chosen = |rows: &[usize]| rows.iter().flat_map(|row| &outcomes[*row]).copied().collect::<Vec<_>>();
    let cut_share = |rows: &[usize]| {
        let cuts: Vec<f64> =
            chosen(rows).iter().filter_map(|o| if let Outcome::Inner { cut } = o { Some(f64::from(*cut)) } else { None }).collect();
        (!cuts.is_empty()).then(|| cuts.iter().sum::<f64>() / cuts.len() as f64)
    };
    let waits = |rows: &[usize]| -> Vec<f64> {
        chosen(rows).into_iter().filter_map(|o| if let Outcome::End { wait_ms, .. } = o { Some(wait_ms) } else { None }).collect()
    };
    let wait = |rows: &[usize], share: f64| quantile(&mut waits(rows), share);
    let every: Vec<usize> = (0..outcomes.len()).collect();
    let after_label =
        chosen(&every).into_iter().filter_map(|o| if let Outcome::End { after_label_ms, .. } = o { Some(after_label_ms) } else { None });
    let estimate = |measure: &dyn Fn(&[usize]) -> Option<f64>| bootstrap(outcomes.len(), DRAWS, SEED, measure).map(rounded);
    json!({
        "policy": policy.name(),
        "point": policy.point(),
        "false_cutoffs": estimate(&cut_share),
        "wait_ms_median": estimate(&|rows| wait(rows, 0.5)),
        "wait_ms_mean": (waits(&every).iter().sum::<f64>() / waits(&every).len().max(1) as f64).round(),
        "wait_ms_p75": wait(&every, 0.75),
        "wait_ms_p95": wait(&every, 0.95),
        "after_voice_ms_median": quantile(&mut after_label.collect::<Vec<_>>(), 0.5),
        "own_hesitations": recordings.iter().map(|recording| recording.own.len()).sum::<usize>(),
        "own_hesitations_cut": own_cut,
    })
}

fn rounded(estimate: Estimate) -> Value {
    let short = |value: f64| (value * 10_000.0).round() / 10_000.0;
    json!({ "value": short(estimate.value), "low": short(estimate.low), "high": short(estimate.high) })
}

/// The smallest value that at least `share` of the values do not exceed.
fn quantile(values: &mut [f64], share: f64) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let at = (values.len() as f64 * share).ceil() as usize;
    values.get(at.saturating_sub(1)).copied()
}

fn write_table(path: &Path, recordings: &[Recording]) -> Result<(), Failure> {
    let failed = |error: String| Failure::Job(format!("{} cannot be written: {error}", path.display()));
    let rows: Result<Vec<String>, _> = recordings.iter().map(serde_json::to_string).collect();
    let rows = rows.map_err(|e| failed(e.to_string()))?;
    std::fs::write(path, rows.join("\n") + "\n").map_err(|e| failed(e.to_string()))
}

fn print_report(report: &Value) -> Result<(), Failure> {
    let counts = ["recordings", "inner_pauses", "ends", "ends_not_found", "voice_weighed_ms_median", "words_weighed_ms_median"];
    for name in counts {
        open::print_line(&format!("{name:>24}  {}", report[name]))?;
    }
    open::print_line("        policy   point   false cut-offs            wait ms: median (95 %)       p95   own hesitations cut")?;
    let groups = report["groups"].as_array().into_iter().flatten();
    let by_group = groups.flat_map(|group| group["points"].as_array().into_iter().flatten().map(|point| (group["group"].as_str(), point)));
    let overall = report["points"].as_array().into_iter().flatten().map(|point| (None, point));
    for (group, point) in overall.chain(by_group) {
        let of = |name: &str, part: &str, scale: f64| point[name][part].as_f64().map_or(f64::NAN, |value| value * scale);
        open::print_line(&format!(
            "{:>14} {:>7} {:>6.1} % ({:>4.1} to {:>4.1}) {:>12.0} ({:.0} to {:.0}) {:>9} {:>6} of {}  {}",
            point["policy"].as_str().unwrap_or_default(),
            point["point"],
            of("false_cutoffs", "value", 100.0),
            of("false_cutoffs", "low", 100.0),
            of("false_cutoffs", "high", 100.0),
            of("wait_ms_median", "value", 1.0),
            of("wait_ms_median", "low", 1.0),
            of("wait_ms_median", "high", 1.0),
            point["wait_ms_p95"],
            point["own_hesitations_cut"],
            point["own_hesitations"],
            group.unwrap_or_default(),
        ))?;
    }
    Ok(())
}
