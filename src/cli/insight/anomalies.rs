use serde_json::{Value, json};

use super::super::{Failure, Place, open};
use super::{check_share, sheets, short, visits};
use crate::behavior::IsolationForest;
use crate::insight::{Cells, Sheet, Space};
use crate::measure::{Estimate, bootstrap, roc_auc};

/// Fewer rows than this have no usual.
const ROWS_MIN: usize = 20;
/// Columns told as the reason.
const REASONS_MAX: usize = 3;
/// A column whose being usual would lower the score by less is no reason.
const EFFECT_MIN: f32 = 0.005;
/// Draws of the bootstrap.
const DRAWS: usize = 500;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd insight anomalies --share 0.01
  kioskd insight anomalies --data sessions.csv --threshold 0.6 --json
  kioskd insight anomalies --data known.csv --label is_fraud")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    rows: sheets::Rows,
    /// A column of 0, 1, true or false that says which rows are anomalies: it is left out, and how well they are found is told
    #[arg(long, value_name = "COLUMN", requires = "data")]
    label: Option<String>,
    /// The share of rows that is expected to be unusual
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    share: f64,
    /// Tell rows of at least this score instead, 0 to 1; one half is a row among many
    #[arg(long, value_name = "SCORE", conflicts_with = "share")]
    threshold: Option<f64>,
    /// Tell of so many at most
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print one JSON object for all, and then one an anomaly
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    check_share("--share", arguments.share)?;
    if let Some(threshold) = arguments.threshold.filter(|threshold| !(0.0..=1.0).contains(threshold)) {
        return Err(Failure::Input(format!("--threshold is {threshold}; expected 0 to 1")));
    }
    let (sheet, names, labels) = match &arguments.rows.data {
        Some(path) => {
            let read = sheets::read(path, arguments.label.as_deref(), &arguments.rows.drop)?;
            if read.sheet.rows < ROWS_MIN {
                let found = read.sheet.rows;
                return Err(Failure::Input(format!(
                    "{} has {found} rows; at least {ROWS_MIN} are needed to know what is usual",
                    path.display()
                )));
            }
            (read.sheet, read.lines.iter().map(|line| json!(line)).collect::<Vec<_>>(), read.labels)
        }
        None => {
            let visits = visits::read(place)?;
            if visits.len() < ROWS_MIN {
                eprintln!(
                    "kioskd: nothing yet: the session log holds {} conversations; at least {ROWS_MIN} say what is usual",
                    visits.len()
                );
                return Ok(());
            }
            (visits::sheet(&visits), visits.iter().map(|visit| json!(visit.session)).collect(), None)
        }
    };
    let scored = Scored::of(&sheet, arguments.rows.seed)?;
    let measured = labels.as_ref().and_then(|labels| measured(&scored, labels));
    let mut order: Vec<usize> = (0..sheet.rows).collect();
    order.sort_by(|a, b| scored.scores[*b].total_cmp(&scored.scores[*a]).then(a.cmp(b)));
    let expected = (arguments.share * sheet.rows as f64).round().max(1.0) as usize;
    let found: Vec<usize> = match arguments.threshold {
        Some(threshold) => order.into_iter().filter(|row| f64::from(scored.scores[*row]) >= threshold).collect(),
        None => order.into_iter().take(expected).collect(),
    };
    let threshold = arguments.threshold.or_else(|| found.last().map(|row| f64::from(scored.scores[*row])));
    print_summary(sheet.rows, found.len(), threshold, measured.as_ref(), arguments.json)?;
    for row in found.into_iter().take(arguments.limit) {
        let what = if arguments.rows.data.is_some() { "line" } else { "session" };
        print_anomaly(what, &names[row], scored.scores[row], &scored.reasons(&sheet, row), arguments.json)?;
    }
    Ok(())
}

/// Rows with their scores.
struct Scored {
    space: Space,
    forest: IsolationForest,
    typical: Vec<f32>,
    scores: Vec<f32>,
}

/// Why a row is unusual.
struct Reason {
    column: String,
    value: Value,
    usual: Value,
    effect: f32,
}

impl Scored {
    fn of(sheet: &Sheet, seed: u64) -> Result<Self, Failure> {
        let space = Space::of(&sheet.by_frequency());
        let points: Vec<f32> = space.points.iter().map(|x| *x as f32).collect();
        let alike = || Failure::Input("the rows are all alike: no column varies, so that none of them is unusual".to_owned());
        let forest = IsolationForest::fit(&points, space.axes.len(), IsolationForest::SHARP, seed).ok_or_else(alike)?;
        let typical = (0..space.axes.len()).map(|axis| median((0..sheet.rows).map(|row| space.row(row)[axis]).collect()) as f32).collect();
        let scores = points.chunks(space.axes.len()).map(|row| forest.score(row)).collect();
        Ok(Self { space, forest, typical, scores })
    }

    fn reasons(&self, sheet: &Sheet, row: usize) -> Vec<Reason> {
        let point: Vec<f32> = self.space.row(row).iter().map(|x| *x as f32).collect();
        let effects = self.forest.reasons(&point, &self.typical);
        let mut order: Vec<usize> = (0..effects.len()).filter(|axis| effects[*axis] >= EFFECT_MIN).collect();
        order.sort_by(|a, b| effects[*b].total_cmp(&effects[*a]));
        let reason = |axis: usize| {
            let column = &sheet.columns[self.space.axes[axis].column];
            let (value, usual) = match &column.cells {
                Cells::Numbers(values) => {
                    let known = values.iter().copied().filter(|x| x.is_finite()).collect();
                    // An empty sum is -0, which nobody wants to read; 0 added makes it 0.
                    (json!(values[row].is_finite().then_some(values[row] + 0.0)), json!(median(known) + 0.0))
                }
                Cells::Words { levels, codes } => (json!(levels[codes[row]]), json!(most_frequent(levels, codes))),
            };
            Reason { column: column.name.clone(), value, usual, effect: effects[axis] }
        };
        order.into_iter().take(REASONS_MAX).map(reason).collect()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

fn most_frequent<'a>(levels: &'a [String], codes: &[usize]) -> Option<&'a str> {
    let mut counts = vec![0_usize; levels.len()];
    codes.iter().for_each(|code| counts[*code] += 1);
    levels.iter().enumerate().max_by_key(|(level, _)| counts[*level]).map(|(_, level)| level.as_str())
}

/// How well the rows with a label are found: by the forest, by the largest deviation of any column, and the difference.
struct Measured {
    forest: Estimate,
    z_score: Estimate,
    gain: Estimate,
}

fn measured(scored: &Scored, labels: &[bool]) -> Option<Measured> {
    let largest = |row: usize| scored.space.row(row).iter().map(|x| x.abs()).fold(0.0, f64::max) as f32;
    let z: Vec<f32> = (0..labels.len()).map(largest).collect();
    let area = |scores: &[f32], rows: &[usize]| {
        let pairs: (Vec<f32>, Vec<bool>) = rows.iter().map(|row| (scores[*row], labels[*row])).unzip();
        roc_auc(&pairs.0, &pairs.1)
    };
    let estimate = |of: &dyn Fn(&[usize]) -> Option<f64>| bootstrap(labels.len(), DRAWS, 7, of);
    Some(Measured {
        forest: estimate(&|rows| area(&scored.scores, rows))?,
        z_score: estimate(&|rows| area(&z, rows))?,
        gain: estimate(&|rows| Some(area(&scored.scores, rows)? - area(&z, rows)?))?,
    })
}

fn print_summary(rows: usize, found: usize, threshold: Option<f64>, measured: Option<&Measured>, is_json: bool) -> Result<(), Failure> {
    if is_json {
        let measured = measured.map(|m| json!({ "roc_auc": m.forest, "z_score_roc_auc": m.z_score, "gain": m.gain }));
        return open::print_json(
            &json!({ "kind": "summary", "rows": rows, "anomalies": found, "threshold": threshold, "measured": measured }),
        );
    }
    open::print_line(&format!("{found} of {rows} rows are unusual (score of at least {:.3})", threshold.unwrap_or(1.0)))?;
    if let Some(m) = measured {
        let told = |e: &Estimate| format!("{:.3} ({:.3} to {:.3})", e.value, e.low, e.high);
        let (forest, z, gain) = (told(&m.forest), told(&m.z_score), told(&m.gain));
        open::print_line(&format!(
            "rows with the label are found with an area under the ROC curve of {forest}; by the largest deviation of a column {z}; gain {gain}"
        ))?;
    }
    Ok(())
}

fn print_anomaly(what: &str, name: &Value, score: f32, reasons: &[Reason], is_json: bool) -> Result<(), Failure> {
    if is_json {
        let because: Vec<Value> =
            reasons.iter().map(|r| json!({ "column": r.column, "value": r.value, "usual": r.usual, "effect": r.effect })).collect();
        return open::print_json(&json!({ "kind": "anomaly", what: name, "score": score, "because": because }));
    }
    let told = |value: &Value| value.as_f64().map_or_else(|| value.as_str().unwrap_or("not known").to_owned(), short);
    let reasons: Vec<String> = reasons.iter().map(|r| format!("{} is {} (usual: {})", r.column, told(&r.value), told(&r.usual))).collect();
    let reasons = if reasons.is_empty() { "no single column, but all together".to_owned() } else { reasons.join("; ") };
    open::print_line(&format!("{what} {}  {score:.3}  {reasons}", name.as_str().map_or_else(|| name.to_string(), str::to_owned)))
}
