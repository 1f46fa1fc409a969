//! What people will do: models of simulated shoppers and of a shop's own tables. A file per command.

mod ensemble;
mod evaluate;
mod explain;
mod rounds;
mod sessions;
mod shrink;
mod simulated;
mod tables;
mod train;
mod tune;

use super::{Failure, Place};

/// Train and look at the behaviour models.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Train on simulated shoppers of this shop, and print how good it is on others
    #[command(after_help = "Example:
  kioskd behavior train-simulated --out models/behavior")]
    TrainSimulated(simulated::Arguments),
    /// Train on a table of your own: any CSV with numbers and words, and a column that says yes or no
    #[command(after_help = "Examples:
  kioskd behavior train --data shoppers.csv --label Revenue --out var/shoppers
  kioskd behavior train --data shoppers.csv --label Revenue --drop PageValues --out var/shoppers --json
  kioskd behavior train --data shoppers.csv --label Revenue --preset seed --out var/seed
  kioskd behavior train --from-sessions --out var/own

A row that cannot be used is reported with its line and counted. A cell that is empty, ?, NA, N/A or null is unknown.")]
    Train(train::Arguments),
    /// Measure a trained model on labelled rows
    #[command(after_help = "Example:
  kioskd behavior evaluate --model var/shoppers --data new.csv --json")]
    Evaluate(evaluate::Arguments),
    /// Say what pushed the prediction of a row, column by column
    #[command(after_help = "Example:
  kioskd behavior explain --model var/shoppers --data new.csv --row 3
  kioskd behavior explain --session demo-1

Effects are in logits. Networks are explained by integrated gradients, trees by their questions; all effects and the baseline add up to
the logit of the row.")]
    Explain(explain::Arguments),
    /// Learn now from what became of this shop's sessions; the service does so by itself
    #[command(after_help = "Example:
  kioskd behavior learn

A model that is no better on sessions held out is not taken. A running service takes a better one over within seconds.")]
    Learn {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the models that were learnt from this shop's sessions; a star marks the one in use
    Versions {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Go back to the model before the one in use; a running service follows within seconds
    RollBack {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Search for good settings of a network, by successive halving
    #[command(after_help = "Example:
  kioskd behavior tune --data shoppers.csv --label Revenue --trials 16")]
    Tune(tune::Arguments),
    /// Train several networks and average them
    #[command(after_help = "Example:
  kioskd behavior ensemble --data shoppers.csv --label Revenue --members 10 --out var/ensemble")]
    Ensemble(ensemble::Arguments),
    /// Make one network that answers as a large model does
    #[command(after_help = "Example:
  kioskd behavior distill --model var/shoppers --data shoppers.csv --test new.csv --out var/small")]
    Distill(shrink::Arguments),
    /// Take the units that matter least out of a network
    #[command(after_help = "Example:
  kioskd behavior prune --model var/small --data shoppers.csv --share 0.5 --out var/smaller")]
    Prune {
        /// Share of the hidden units that goes
        #[arg(long, value_name = "SHARE", default_value_t = 0.5)]
        share: f64,
        #[command(flatten)]
        arguments: shrink::Arguments,
    },
    /// Store the weights of a network as bytes
    #[command(after_help = "Example:
  kioskd behavior quantize --model var/small --data shoppers.csv --out var/bytes")]
    Quantize(shrink::Arguments),
    /// Learn on this shop's rows and write down how the weights changed, for `merge`
    #[command(after_help = "Example:
  kioskd behavior export-update --model var/all --data shop3.csv --out shop3.safetensors")]
    ExportUpdate(rounds::Export),
    /// Put the changes of several shops together, each weighing as much as it has rows
    #[command(after_help = "Example:
  kioskd behavior merge --model var/all shop1.safetensors shop2.safetensors --out var/all")]
    Merge(rounds::Merge),
}

pub(super) fn run(place: &Place, command: Command) -> Result<(), Failure> {
    match command {
        Command::TrainSimulated(arguments) => simulated::run(place, &arguments),
        Command::Train(arguments) => train::run(place, &arguments),
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Explain(arguments) => explain::run(place, &arguments),
        Command::Learn { json } => sessions::learn(place, json),
        Command::Versions { json } => sessions::versions(place, json),
        Command::RollBack { json } => sessions::roll_back(place, json),
        Command::Tune(arguments) => tune::run(&arguments),
        Command::Ensemble(arguments) => ensemble::run(&arguments),
        Command::Distill(arguments) => shrink::run(&arguments, shrink::How::Distill),
        Command::Prune { share, arguments } => shrink::run(&arguments, shrink::How::Prune(share)),
        Command::Quantize(arguments) => shrink::run(&arguments, shrink::How::Quantize),
        Command::ExportUpdate(arguments) => rounds::export(&arguments),
        Command::Merge(arguments) => rounds::merge_all(&arguments),
    }
}
