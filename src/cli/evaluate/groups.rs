use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde_json::{Value, json};

use super::super::{Failure, Place, open};
use crate::behavior::tabular::Table;
use crate::insight::meaning_groups;
use crate::measure::{adjusted_rand, v_measure};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  kioskd evaluate groups --data banking77/train.csv --json

Half of the categories is there to choose how similar sentences of a group must be, for each way of grouping; the other half to measure on.")]
pub(in crate::cli) struct Arguments {
    /// A table with the columns text and category
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Categories grouped together in each draw
    #[arg(long, default_value_t = 20)]
    categories: usize,
    /// Sentences of a category
    #[arg(long, default_value_t = 25)]
    sentences: usize,
    /// Draws of categories
    #[arg(long, default_value_t = 20)]
    draws: usize,
    /// Where chance starts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Sentences of one category.
type Category = Vec<usize>;
/// Adjusted Rand index and V-measure, by meaning and by words.
type Figures = [(f64, f64); 2];

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    let (texts, mut categories) = read(arguments)?;
    let mut chance = StdRng::seed_from_u64(arguments.seed);
    categories.shuffle(&mut chance);
    for category in &mut categories {
        category.shuffle(&mut chance);
        category.truncate(arguments.sentences);
    }
    let (chosen_on, measured_on) = categories.split_at(categories.len() / 2);
    if chosen_on.len() < 2 || arguments.draws == 0 {
        let found = categories.len();
        return Err(Failure::Input(format!("{} has {found} categories; at least 4, and one draw, are needed", arguments.data.display())));
    }
    let encoder = open::encoder(&open::config(place)?)?;
    let used: Vec<usize> = categories.iter().flatten().copied().collect();
    let sentences: Vec<String> = used.iter().map(|at| texts[*at].clone()).collect();
    let encoded = encoder.encode_all(&sentences, open::cores(), &|| ()).map_err(|e| Failure::Job(e.to_string()))?;
    let meanings: HashMap<usize, Vec<f32>> = used.iter().copied().zip(encoded.iter().map(|vector| vector.embedding().to_vec())).collect();
    let by_meaning = |rows: &[usize]| rows.iter().map(|row| meanings[row].clone()).collect();
    let by_words = |rows: &[usize]| tf_idf(&rows.iter().map(|row| texts[*row].as_str()).collect::<Vec<_>>());
    let mut draws = |of: &[Category]| -> Vec<Vec<Category>> {
        let draw = |_| {
            let mut of = of.to_vec();
            of.shuffle(&mut chance);
            of.truncate(arguments.categories);
            of
        };
        (0..arguments.draws).map(draw).collect()
    };
    let (to_choose, to_measure) = (draws(chosen_on), draws(measured_on));
    let meaning = Way::chosen(&by_meaning, &to_choose[..to_choose.len().min(5)]);
    let words = Way::chosen(&by_words, &to_choose[..to_choose.len().min(5)]);
    let figures: Vec<Figures> = to_measure.iter().map(|draw| [meaning.measure(draw), words.measure(draw)]).collect();
    let of = |pick: &dyn Fn(&Figures) -> f64| spread(figures.iter().map(pick).collect());
    let report = json!({
        "categories": arguments.categories.min(measured_on.len()), "draws": arguments.draws,
        "meaning": { "similarity_min": meaning.similarity_min, "adjusted_rand": of(&|f| f[0].0), "v_measure": of(&|f| f[0].1) },
        "words": { "similarity_min": words.similarity_min, "adjusted_rand": of(&|f| f[1].0), "v_measure": of(&|f| f[1].1) },
        "gain": { "adjusted_rand": of(&|f| f[0].0 - f[1].0), "v_measure": of(&|f| f[0].1 - f[1].1) },
    });
    if arguments.json {
        return open::print_json(&report);
    }
    for (name, key) in [("by meaning", "meaning"), ("by words (TF-IDF)", "words"), ("gain", "gain")] {
        let told = |figure: &Value| {
            let number = |key: &str| figure[key].as_f64().unwrap_or(0.0);
            format!("{:.3} ({:.3} to {:.3})", number("mean"), number("low"), number("high"))
        };
        open::print_line(&format!("{name:<18} ARI {}   V {}", told(&report[key]["adjusted_rand"]), told(&report[key]["v_measure"])))?;
    }
    Ok(())
}

fn read(arguments: &Arguments) -> Result<(Vec<String>, Vec<Category>), Failure> {
    let wrong = |e: crate::behavior::tabular::TabularError| Failure::Input(e.to_string());
    let table = Table::parse(&arguments.data.display().to_string(), &open::read(&arguments.data)?).map_err(wrong)?;
    let (text, category) = (table.column("text").map_err(wrong)?, table.column("category").map_err(wrong)?);
    let mut categories: BTreeMap<&str, Category> = BTreeMap::new();
    for (at, row) in table.rows.iter().enumerate() {
        categories.entry(&row.cells[category]).or_default().push(at);
    }
    Ok((table.rows.iter().map(|row| row.cells[text].to_owned()).collect(), categories.into_values().collect()))
}

/// A way of grouping: vectors for sentences, and how similar those of a group must be.
struct Way<'a> {
    vectors: &'a dyn Fn(&[usize]) -> Vec<Vec<f32>>,
    similarity_min: f64,
}

impl<'a> Way<'a> {
    /// Chooses the similarity with the best adjusted Rand index over some draws.
    fn chosen(vectors: &'a dyn Fn(&[usize]) -> Vec<Vec<f32>>, draws: &[Vec<Category>]) -> Self {
        let tried = (1..36).map(|step| {
            let way = Way { vectors, similarity_min: f64::from(step) * 0.025 };
            let sum: f64 = draws.iter().map(|draw| way.measure(draw).0).sum();
            (sum, way)
        });
        let best = tried.reduce(|a, b| if b.0 > a.0 { b } else { a });
        best.map_or(Way { vectors, similarity_min: 0.5 }, |(_, way)| way)
    }

    /// Adjusted Rand index and V-measure.
    fn measure(&self, draw: &[Category]) -> (f64, f64) {
        let rows: Vec<usize> = draw.iter().flatten().copied().collect();
        let labels: Vec<usize> = draw.iter().enumerate().flat_map(|(at, category)| category.iter().map(move |_| at)).collect();
        let mut groups = vec![0; rows.len()];
        for (at, group) in meaning_groups(&(self.vectors)(&rows), self.similarity_min).iter().enumerate() {
            group.members.iter().for_each(|member| groups[*member] = at);
        }
        (adjusted_rand(&groups, &labels), v_measure(&groups, &labels))
    }
}

/// Words of each sentence, weighed by how rare they are among these sentences (Salton & Buckley, 1988).
fn tf_idf(texts: &[&str]) -> Vec<Vec<f32>> {
    let words = |text: &str| -> Vec<String> {
        text.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
    };
    let sentences: Vec<Vec<String>> = texts.iter().map(|text| words(text)).collect();
    let mut known: BTreeMap<&str, f32> = BTreeMap::new();
    for sentence in &sentences {
        let mut own: Vec<&str> = sentence.iter().map(String::as_str).collect();
        own.sort_unstable();
        own.dedup();
        own.into_iter().for_each(|word| *known.entry(word).or_insert(0.0) += 1.0);
    }
    let places: HashMap<&str, (usize, f32)> = known.iter().enumerate().map(|(at, (word, count))| (*word, (at, *count))).collect();
    let vector = |sentence: &Vec<String>| {
        let mut vector = vec![0.0_f32; known.len()];
        for (at, count) in sentence.iter().filter_map(|word| places.get(word.as_str())) {
            vector[*at] += ((1.0 + texts.len() as f32) / (1.0 + count)).ln() + 1.0;
        }
        vector
    };
    sentences.iter().map(vector).collect()
}

/// Mean of the draws, and the middle 95 % of them.
fn spread(mut values: Vec<f64>) -> Value {
    values.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    json!({ "mean": values.iter().sum::<f64>() / values.len() as f64, "low": at(0.025), "high": at(0.975) })
}
