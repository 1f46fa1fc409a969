use std::collections::HashSet;

use serde_json::{Value, json};

use super::super::{Failure, Place, open};
use super::{sheets, short, visits};
use crate::insight::{Cells, ROWS_MIN, Segment, SegmentConfig, Segmentation, Sheet, Space, Trait, segments};
use crate::measure::wilson;

/// Traits told of a segment, and how many standard deviations they must differ.
const TRAITS_MAX: usize = 6;
const DIFFERENCE_MIN: f64 = 0.25;
/// Below this mean silhouette there is "no substantial structure" (Kaufman & Rousseeuw, "Finding Groups in Data", 1990, table 4).
const SILHOUETTE_MIN: f64 = 0.25;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  kioskd insight segments
  kioskd insight segments --data customers.csv --drop id --label bought --json")]
pub(in crate::cli) struct Arguments {
    #[command(flatten)]
    rows: sheets::Rows,
    /// A column of 0, 1, true or false that is left out, and of which each segment's share is told
    #[arg(long, value_name = "COLUMN", requires = "data")]
    label: Option<String>,
    /// So many segments, 2 to 10, instead of as many as have the best silhouette
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(2..=10))]
    segments: Option<u8>,
    /// Segments of fewer rows than this are counted and not described
    #[arg(long, value_name = "ROWS", default_value_t = 2)]
    at_least: usize,
    /// Print one JSON object for all, and then one a segment
    #[arg(long)]
    json: bool,
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let (sheet, labels, label) = match &arguments.rows.data {
        Some(path) => {
            let read = sheets::read(path, arguments.label.as_deref(), &arguments.rows.drop)?;
            (read.sheet, read.labels, arguments.label.as_deref().unwrap_or_default())
        }
        None => {
            let visits = visits::read(place)?;
            if visits.len() < ROWS_MIN {
                eprintln!("kioskd: nothing yet: the session log holds {} conversations; segments need at least {ROWS_MIN}", visits.len());
                return Ok(());
            }
            let bought: HashSet<String> = visits::purchases(place)?.into_iter().map(|told| told.session.as_str().to_owned()).collect();
            let has_bought = visits.iter().map(|visit| visit.is_confirmed || bought.contains(&visit.session)).collect();
            (visits::sheet(&visits), Some(has_bought), "ordered or bought")
        }
    };
    let space = Space::of(&sheet);
    let config = SegmentConfig { segments: arguments.segments.map(usize::from), seed: arguments.rows.seed, ..SegmentConfig::default() };
    let found = segments(&space, &config).map_err(|e| Failure::Input(e.to_string()))?;
    print_summary(&found, sheet.rows, arguments.json)?;
    for (at, segment) in found.segments.iter().enumerate() {
        let is_hidden = segment.rows < arguments.at_least;
        let rate = labels.as_ref().filter(|_| !is_hidden).map(|labels| {
            let hits = found.of_row.iter().zip(labels).filter(|(of, is)| **of == at && **is).count();
            let (low, high) = wilson(hits, segment.rows);
            (hits as f64 / segment.rows as f64, low, high)
        });
        let traits = if is_hidden { Vec::new() } else { told(segment, &sheet, &space) };
        print_segment(at + 1, segment.rows, sheet.rows, &traits, rate.map(|rate| (label, rate)), arguments.json)?;
    }
    Ok(())
}

/// A trait with the names of its column and word.
struct Told<'a> {
    column: &'a str,
    word: Option<&'a str>,
    of: Trait,
}

fn told<'a>(segment: &Segment, sheet: &'a Sheet, space: &Space) -> Vec<Told<'a>> {
    let strong = segment.traits.iter().filter(|of| of.difference.abs() >= DIFFERENCE_MIN);
    strong
        .take(TRAITS_MAX)
        .map(|of| {
            let (axis, column) = (&space.axes[of.axis], &sheet.columns[space.axes[of.axis].column]);
            let word = match (&column.cells, axis.level) {
                (Cells::Words { levels, .. }, Some(level)) => levels.get(level).map(String::as_str),
                _ => None,
            };
            Told { column: &column.name, word, of: *of }
        })
        .collect()
}

fn print_summary(found: &Segmentation, rows: usize, is_json: bool) -> Result<(), Failure> {
    let mean = found.stability.iter().sum::<f64>() / found.stability.len().max(1) as f64;
    let lowest = found.stability.iter().copied().fold(1.0, f64::min);
    if is_json {
        let tried: Vec<Value> =
            found.silhouettes.iter().map(|(k, silhouette)| json!({ "segments": k, "silhouette": silhouette })).collect();
        return open::print_json(&json!({
            "kind": "summary", "rows": rows, "segments": found.segments.len(), "silhouette": found.silhouette, "tried": tried,
            "stability": { "mean": mean, "lowest": lowest },
        }));
    }
    open::print_line(&format!(
        "{rows} rows in {} segments; mean silhouette {:.2}; learnt on halves of the rows they agree to {mean:.2} (lowest {lowest:.2}; 1 is the same)",
        found.segments.len(),
        found.silhouette
    ))?;
    if found.silhouette < SILHOUETTE_MIN {
        open::print_line(
            "the rows hardly fall into groups (a silhouette below 0.25): take the segments as a way to look at them, not as kinds of people",
        )?;
    }
    Ok(())
}

fn print_segment(
    at: usize,
    rows: usize,
    all: usize,
    traits: &[Told<'_>],
    rate: Option<(&str, (f64, f64, f64))>,
    is_json: bool,
) -> Result<(), Failure> {
    let share = rows as f64 / all.max(1) as f64;
    if is_json {
        let traits: Vec<Value> = traits
            .iter()
            .map(|t| json!({ "column": t.column, "word": t.word, "here": t.of.here, "overall": t.of.overall, "difference": t.of.difference }))
            .collect();
        let rate = rate.map(|(column, (value, low, high))| json!({ "column": column, "share": value, "low": low, "high": high }));
        return open::print_json(
            &json!({ "kind": "segment", "segment": at, "rows": rows, "share": share, "traits": traits, "rate": rate }),
        );
    }
    let rate = rate
        .map(|(column, (value, low, high))| format!("; {column} {:.1} % (95 %: {:.1} to {:.1})", 100.0 * value, 100.0 * low, 100.0 * high));
    open::print_line(&format!("segment {at}: {rows} rows, {:.0} %{}", 100.0 * share, rate.unwrap_or_default()))?;
    for t in traits {
        let side = if t.of.difference > 0.0 { "more" } else { "less" };
        match t.word {
            Some(word) => open::print_line(&format!(
                "    {} is {word:?} in {:.0} % (all: {:.0} %)",
                t.column,
                100.0 * t.of.here,
                100.0 * t.of.overall
            ))?,
            None => open::print_line(&format!(
                "    {side} {}: {} (all: {}), {:+.1} deviations",
                t.column,
                short(t.of.here),
                short(t.of.overall),
                t.of.difference
            ))?,
        }
    }
    Ok(())
}
