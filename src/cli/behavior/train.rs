//! `kioskd behavior train`

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;

use super::super::{Failure, Place, open, progress};
use super::{sessions, tables};
use crate::behavior::tabular::{About, Figures, FitConfig, Labelled, Learnt, Preset, PrivacyWish, Recipe, card, event_file, learn};
use crate::turn::{Clock, SystemClock};
use crate::weights::{sha256_of_file, write_atomically};

/// Arguments of `kioskd behavior train`.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Arguments {
    /// Train the fusion network on the sessions of this shop's own log whose end is known, instead of on a table
    #[arg(long, conflicts_with_all = ["data", "label", "drop", "preset", "threads", "dp_epsilon", "dp_delta", "tensorboard"])]
    from_sessions: bool,
    /// The rows: comma-separated values with the names of the columns in the first line
    #[arg(long, value_name = "FILE", required_unless_present = "from_sessions")]
    data: Option<PathBuf>,
    /// The column to be predicted: 0, 1, true or false
    #[arg(long, value_name = "COLUMN", required_unless_present = "from_sessions")]
    label: Option<String>,
    /// A column to leave out; may be given several times
    #[arg(long, value_name = "COLUMN")]
    drop: Vec<String>,
    /// What to train
    #[arg(long, value_enum, default_value_t = Choice::Blend)]
    preset: Choice,
    /// Where chance starts; the same seed gives the same file
    #[arg(long, default_value_t = 16)]
    seed: u64,
    /// Threads to compute with (default: one for each core); their number changes only the time
    #[arg(long, value_name = "COUNT")]
    threads: Option<usize>,
    #[command(flatten)]
    networks: Networks,
    /// Train so privately that the weights tell at most this much of any row: DP-SGD, for the presets network and seed
    #[arg(long, value_name = "EPSILON", requires = "dp_delta")]
    dp_epsilon: Option<f64>,
    /// Probability that --dp-epsilon does not hold; well below one over the number of rows
    #[arg(long, value_name = "DELTA", requires = "dp_epsilon")]
    dp_delta: Option<f64>,
    /// Also write curves for TensorBoard into this folder (of the first network)
    #[arg(long, value_name = "DIR")]
    tensorboard: Option<PathBuf>,
    /// Folder for model.safetensors and its README.md; made where it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How networks are trained, where it should differ from the preset.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "How networks are trained (default: as the preset says)")]
pub(super) struct Networks {
    /// Units of the hidden layers
    #[arg(long, value_name = "UNITS,..", value_delimiter = ',')]
    hidden: Option<Vec<usize>>,
    /// Passes over the rows at most
    #[arg(long, value_name = "COUNT")]
    epochs: Option<usize>,
    /// Passes without improvement on held-out rows after which training stops
    #[arg(long, value_name = "COUNT")]
    patience: Option<usize>,
    /// Rows a step
    #[arg(long, value_name = "ROWS")]
    batch: Option<usize>,
    /// Highest learning rate
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f32>,
    /// L2 pull of the weights towards 0
    #[arg(long, value_name = "NUMBER")]
    weight_decay: Option<f32>,
    /// Share of the hidden units that is silent in a step
    #[arg(long, value_name = "SHARE")]
    dropout: Option<f32>,
    /// How much a positive row weighs against a negative one
    #[arg(long, value_name = "NUMBER")]
    positive_weight: Option<f32>,
}

/// A ready-made choice of learners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Choice {
    /// Networks, forests and boosted trees, weighed by how good they are on rows they have not seen
    Blend,
    /// One careful network: dropout, weight decay, falling rate, early stopping
    Network,
    /// The plain network: in-64-64-1, ReLU, Adam 1e-3, mini-batches of 32, 10 passes
    Seed,
}

impl Networks {
    pub(super) fn apply(&self, recipe: Recipe) -> Recipe {
        recipe.with_fit(|fit| self.change(fit))
    }

    pub(super) fn change(&self, fit: &mut FitConfig) {
        let Self { hidden, epochs, patience, batch, learning_rate, weight_decay, dropout, positive_weight } = self.clone();
        fit.hidden = hidden.unwrap_or_else(|| fit.hidden.clone());
        fit.epochs_max = epochs.unwrap_or(fit.epochs_max);
        fit.patience_epochs = patience.unwrap_or(fit.patience_epochs);
        fit.batch = batch.unwrap_or(fit.batch);
        fit.learning_rate = learning_rate.unwrap_or(fit.learning_rate);
        fit.weight_decay = weight_decay.unwrap_or(fit.weight_decay);
        fit.dropout = dropout.unwrap_or(fit.dropout);
        fit.positive_weight = positive_weight.unwrap_or(fit.positive_weight);
    }
}

pub(super) fn run(place: &Place, arguments: &Arguments) -> Result<(), Failure> {
    if arguments.from_sessions {
        return sessions::train_from_log(place, &arguments.out, arguments.seed, arguments.json);
    }
    let (Some(data), Some(label)) = (&arguments.data, &arguments.label) else {
        return Err(Failure::Input("give --data with --label, or --from-sessions".to_owned()));
    };
    train_table(arguments, data, label)
}

fn train_table(arguments: &Arguments, path: &Path, label: &str) -> Result<(), Failure> {
    let started = Instant::now();
    let preset = match arguments.preset {
        Choice::Blend => Preset::Blend,
        Choice::Network => Preset::Network,
        Choice::Seed => Preset::Seed,
    };
    let recipe = recipe(arguments, preset)?;
    let mut table = tables::read(path)?;
    let data = Labelled::learn(&mut table, label, &arguments.drop).map_err(tables::failure)?;
    tables::tell_bad(&table.path, &table.bad);
    let about = about(path, &data, table.bad.len(), &recipe)?;
    let read_ms = started.elapsed().as_millis() as u64;
    let bar = progress::bar(1, "training");
    let show = |done: usize, all: usize| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
    };
    let started = Instant::now();
    let learnt = learn(&data, &recipe, about, &show).map_err(tables::failure)?;
    bar.finish_and_clear();
    let train_ms = started.elapsed().as_millis() as u64;
    write(&learnt, &arguments.out, &command(arguments, path, label))?;
    if let Some(folder) = &arguments.tensorboard {
        write_events(folder, &learnt, SystemClock.unix_ms())?;
    }
    if arguments.json {
        let kinds: Vec<_> = learnt.model.kinds().map(|(kind, weight)| json!({ "kind": kind, "weight": weight })).collect();
        let bad: Vec<_> = table.bad.iter().take(100).collect();
        return open::print_json(&json!({
            "out": arguments.out, "preset": preset.name(), "rows": data.frame.rows, "bad_rows": table.bad.len(), "bad": bad,
            "learners": kinds, "held_out": learnt.held_out, "privacy": learnt.model.about.privacy, "read_ms": read_ms, "train_ms": train_ms,
        }));
    }
    open::print_line(&format!("{} rows, {} not used, trained in {:.1} s", data.frame.rows, table.bad.len(), train_ms as f64 / 1e3))?;
    open::print_line(&told(&learnt.held_out))?;
    if let Some(private) = &learnt.model.about.privacy {
        open::print_line(&format!("epsilon {:.3} at delta {:e}, noise {:.3}", private.epsilon, private.delta, private.noise))?;
    }
    open::print_line(&format!("written to {}", arguments.out.display()))
}

fn recipe(arguments: &Arguments, preset: Preset) -> Result<Recipe, Failure> {
    let threads = tables::threads(arguments.threads);
    let recipe = match arguments.dp_epsilon.zip(arguments.dp_delta) {
        None => Recipe::new(preset, arguments.seed, threads),
        Some(_) if preset == Preset::Blend => {
            return Err(Failure::Input(
                "--dp-epsilon works with --preset network and --preset seed: trees are not trained privately".to_owned(),
            ));
        }
        // Who knows the seed knows the noise, and the noise protects nobody then: it is drawn here, and written down nowhere.
        Some((epsilon, delta)) => Recipe::new(preset, rand::random(), threads).privately(PrivacyWish { epsilon, delta }),
    };
    let recipe = arguments.networks.apply(recipe);
    recipe.check().map_err(tables::failure)?;
    Ok(recipe)
}

pub(super) fn about(path: &Path, data: &Labelled, bad_rows: usize, recipe: &Recipe) -> Result<About, Failure> {
    let data_sha256 = sha256_of_file(path).map_err(|e| Failure::Input(e.to_string()))?;
    Ok(About {
        data: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        data_sha256,
        rows: data.frame.rows,
        positives: data.labels.iter().filter(|label| **label).count(),
        bad_rows,
        preset: recipe.preset.name().to_owned(),
        seed: (!recipe.is_private()).then_some(recipe.seed),
        privacy: None,
    })
}

/// The model first: its name always means a whole one. A card that cannot be written is a failure, and the model is there.
pub(super) fn write(learnt: &Learnt, out: &Path, command: &str) -> Result<(), Failure> {
    learnt.model.write(out).map_err(tables::failure)?;
    let path = out.join("README.md");
    let outcome = write_atomically(&path, card(&learnt.model, &learnt.held_out, command).as_bytes());
    outcome.map_err(|e| Failure::Job(format!("{} could not be written: {e}", path.display())))
}

/// One event file, named as TensorBoard looks for it.
fn write_events(folder: &Path, learnt: &Learnt, unix_ms: u64) -> Result<(), Failure> {
    let path = folder.join(format!("events.out.tfevents.{}.kioskd", unix_ms / 1000));
    let outcome = write_atomically(&path, &event_file(&learnt.epochs, unix_ms as f64 / 1e3));
    outcome.map_err(|e| Failure::Job(format!("{} could not be written: {e}", path.display())))
}

/// The figures as a line for people.
pub(super) fn told(figures: &Figures) -> String {
    let shown = |value: Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.3}"));
    format!(
        "held out: PR-AUC {}, ROC-AUC {}, F1 {:.3} (precision {:.3}, recall {:.3}) from {:.2} on, calibration error {}",
        shown(figures.pr_auc),
        shown(figures.roc_auc),
        figures.f1,
        figures.precision,
        figures.recall,
        figures.threshold,
        shown(figures.ece)
    )
}

fn command(arguments: &Arguments, path: &Path, label: &str) -> String {
    let drop: String = arguments.drop.iter().map(|column| format!(" --drop {column}")).collect();
    format!(
        "kioskd behavior train --data {} --label {}{drop} --seed {} --out {}",
        path.display(),
        label,
        arguments.seed,
        arguments.out.display()
    )
}
