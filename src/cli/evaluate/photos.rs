use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};

use super::{DRAWS, SEED};
use crate::cli::{Failure, classify, open, progress};
use crate::config::Config;
use crate::measure::{bootstrap, calibration_error, roc_auc};
use crate::vision::{Classifier, Gallery, Reading, decode, read_classes};

/// A line of a list of photos.
pub(in crate::cli) struct Labelled {
    pub(in crate::cli) path: PathBuf,
    pub(in crate::cli) class_id: usize,
    pub(in crate::cli) coarse_id: usize,
}

/// Reads lines `path, class_id, coarse_id`; a bad one is told with its number.
pub(in crate::cli) fn read_list(dir: &Path, list: &Path, classes: usize) -> Result<Vec<Labelled>, Failure> {
    let text = String::from_utf8(open::read(list)?).map_err(|_| Failure::Input(format!("{} is not text", list.display())))?;
    let parse = |line: &str| {
        let mut fields = line.rsplitn(3, ',').map(str::trim);
        let coarse_id = fields.next()?.parse().ok()?;
        let class_id = fields.next()?.parse().ok().filter(|id| *id < classes)?;
        Some(Labelled { path: dir.join(fields.next()?), class_id, coarse_id })
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parsed: Result<Vec<Labelled>, Failure> = lines
        .map(|(at, line)| {
            let refused = || Failure::Input(format!("{}, line {}: {line:?}; expected `path, class_id, coarse_id`", list.display(), at + 1));
            parse(line).ok_or_else(refused)
        })
        .collect();
    parsed.and_then(|photos| match photos.len() {
        0 => Err(Failure::Input(format!("{} lists no photo", list.display()))),
        _ => Ok(photos),
    })
}

/// What one photo came to.
struct Outcome {
    class_id: usize,
    fine_right: bool,
    coarse_right: bool,
    probability: f32,
    score: f32,
}

pub(super) fn run(config: &Config, dir: &Path, list: &Path, unknown: Option<&Path>, is_json: bool) -> Result<(), Failure> {
    let (mut classifier, gallery) = classify::seeing(config)?;
    let manifest = open::manifest(config)?;
    let model = manifest.path(manifest.entry(&config.vision.model).map_err(|e| Failure::Job(e.to_string()))?);
    let classes = read_classes(&model.with_file_name("classes.csv")).map_err(|e| Failure::Job(e.to_string()))?;
    let labelled = read_list(dir, list, classes.len())?;
    let bar = progress::bar(labelled.len() as u64, "looking at photos");
    let begun = Instant::now();
    let mut outcomes = Vec::with_capacity(labelled.len());
    for photo in &labelled {
        let reading = read_photo(&photo.path, &mut classifier, config)?;
        let (best, probability) = best(&reading);
        let coarse_right = classes.get(best).is_some_and(|class| class.coarse_id == photo.coarse_id);
        let score = gallery.score(probability, gallery.judge(best, probability, &reading.embedding).1);
        outcomes.push(Outcome { class_id: photo.class_id, fine_right: best == photo.class_id, coarse_right, probability, score });
        bar.inc(1);
    }
    let ms_per_photo = begun.elapsed().as_secs_f64() * 1_000.0 / outcomes.len() as f64;
    bar.finish_and_clear();
    let mut report = figures(&outcomes, ms_per_photo);
    if let (Some(folder), Value::Object(report)) = (unknown, &mut report) {
        report.extend(strangers(folder, &outcomes, &mut classifier, &gallery, config)?);
    }
    if is_json {
        return open::print_json(&report);
    }
    let fields = report.as_object().into_iter().flatten();
    fields.map(|(name, value)| format!("{name:>24}  {value}")).try_for_each(|line| open::print_line(&line))
}

fn read_photo(path: &Path, classifier: &mut Classifier, config: &Config) -> Result<Reading, Failure> {
    let bytes = open::read(path)?;
    let crop = decode(&bytes, &config.vision).map_err(|e| Failure::Input(format!("{}: {e}", path.display())))?;
    classifier.read(&crop).map_err(|e| Failure::Job(e.to_string()))
}

fn best(reading: &Reading) -> (usize, f32) {
    reading.probabilities.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

fn figures(outcomes: &[Outcome], ms_per_photo: f64) -> Value {
    let share = |rows: &[usize], right: fn(&Outcome) -> bool| {
        Some(rows.iter().filter(|&&row| right(&outcomes[row])).count() as f64 / rows.len() as f64)
    };
    let estimate = |right: fn(&Outcome) -> bool| bootstrap(outcomes.len(), DRAWS, SEED, |rows| share(rows, right));
    let (fine, coarse) = (estimate(|o| o.fine_right), estimate(|o| o.coarse_right));
    let probabilities: Vec<f32> = outcomes.iter().map(|o| o.probability).collect();
    let right: Vec<bool> = outcomes.iter().map(|o| o.fine_right).collect();
    json!({
        "photos": outcomes.len(),
        "fine_accuracy": fine.map(|e| e.value), "fine_accuracy_95": fine.map(|e| [e.low, e.high]),
        "coarse_accuracy": coarse.map(|e| e.value), "coarse_accuracy_95": coarse.map(|e| [e.low, e.high]),
        "macro_recall": macro_recall(outcomes),
        "ece": calibration_error(&probabilities, &right),
        "ms_per_photo": ms_per_photo,
    })
}

/// Mean recall of the classes that occur.
fn macro_recall(outcomes: &[Outcome]) -> f64 {
    let mut by_class = std::collections::BTreeMap::<usize, (f64, f64)>::new();
    for outcome in outcomes {
        let (right, all) = by_class.entry(outcome.class_id).or_default();
        *right += f64::from(u8::from(outcome.fine_right));
        *all += 1.0;
    }
    by_class.values().map(|(right, all)| right / all).sum::<f64>() / by_class.len().max(1) as f64
}

/// How well known photos and strangers are told apart.
fn strangers(
    folder: &Path,
    known: &[Outcome],
    classifier: &mut Classifier,
    gallery: &Gallery,
    config: &Config,
) -> Result<serde_json::Map<String, Value>, Failure> {
    let mut scores = Vec::new();
    for path in pictures(folder)? {
        let reading = read_photo(&path, classifier, config)?;
        let (best, probability) = best(&reading);
        scores.push(gallery.score(probability, gallery.judge(best, probability, &reading.embedding).1));
    }
    if scores.is_empty() {
        return Err(Failure::Input(format!("{} holds no JPEG, PNG or WebP file", folder.display())));
    }
    let mut known: Vec<f32> = known.iter().map(|o| o.score).collect();
    known.sort_by(f32::total_cmp);
    let threshold = known[(known.len() as f64 * 0.05) as usize];
    let rejected = scores.iter().filter(|&&score| score < threshold).count() as f64 / scores.len() as f64;
    let all: Vec<f32> = known.iter().chain(&scores).copied().collect();
    let labels: Vec<bool> = (0..all.len()).map(|at| at < known.len()).collect();
    let figures = json!({ "unknown_photos": scores.len(), "auroc": roc_auc(&all, &labels), "unknown_rejected_at_95": rejected });
    Ok(figures.as_object().cloned().unwrap_or_default())
}

/// All pictures below a folder, in order of their names.
fn pictures(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| Failure::unreadable(&folder, &e))?.filter_map(Result::ok) {
            let path = entry.path();
            let is_picture =
                path.extension().is_some_and(|e| ["jpg", "jpeg", "png", "webp"].iter().any(|known| e.eq_ignore_ascii_case(known)));
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(_) if is_picture => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}
