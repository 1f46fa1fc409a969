use std::fmt::Write;

use super::outcome::Head;
use super::report::TrainingReport;
use super::simulate::SimulationConfig;
use super::train::TrainConfig;

/// The card that lies beside weights trained on simulated shoppers: what they are, what they were trained on, how good they are and
/// what they are bad at. Written from the figures themselves, so that the card and the weights cannot part. `command` reproduces both.
pub fn simulated_card(report: &TrainingReport, simulation: &SimulationConfig, train: &TrainConfig, command: &str) -> String {
    let mut card = String::from(INTRODUCTION);
    let [learn, validate, test] = report.shoppers;
    // Writing to a String cannot fail.
    let _ = writeln!(card, "Made by `RAYON_NUM_THREADS=1 {command}`\n");
    let _ = writeln!(card, "- Shoppers: {learn} to learn from, {validate} to stop early and calibrate, {test} held out. The parts share");
    let _ = writeln!(card, "  neither sessions nor example sentences nor turns of phrase.");
    let _ = writeln!(
        card,
        "- Seeds: {} for the shoppers, {} for the training. The same seeds give the same file on one thread.",
        simulation.seed, train.seed
    );
    let _ = writeln!(
        card,
        "- Training: AdamW, rate {} with warm-up and cosine decay, batch {}, dropout {},",
        train.learning_rate, train.batch, train.dropout
    );
    let _ = writeln!(
        card,
        "  modality dropout {}, weight decay {}, early stopping after {} passes.\n",
        train.modality_dropout, train.weight_decay, train.patience_epochs
    );
    card.push_str("## Figures on the held-out simulated shoppers\n\nIn brackets: 95% bootstrap interval. \"Alone\": the same network trained on that kind of input only.\n\n");
    card.push_str(&figures(report));
    card.push_str(
        "\nPR-AUC that fusion adds to the best single modality, on the same bootstrap draws:\n\n| outcome | over | gain |\n|---|---|---|\n",
    );
    for gain in &report.gains {
        let _ = writeln!(card, "| {} | {} | {} |", gain.head, gain.over, gain.pr_auc);
    }
    card.push_str(WEAKNESSES);
    card
}

fn figures(report: &TrainingReport) -> String {
    let mut table = String::from("| outcome | model | PR-AUC | ROC-AUC | log loss | ECE |\n|---|---|---|---|---|---|\n");
    for (at, head) in Head::ALL.into_iter().enumerate() {
        for model in &report.models {
            let Some(row) = model.heads.iter().find(|row| row.head == head.name()) else { continue };
            let share = report.positive_share[at] * 100.0;
            let name = if model.model == "base rate" { format!("base rate ({share:.1}%)") } else { model.model.clone() };
            let _ = writeln!(table, "| {} | {name} | {} | {} | {} | {} |", row.head, row.pr_auc, row.roc_auc, row.log_loss, row.ece);
        }
    }
    table
}

const INTRODUCTION: &str = "\
# fusion.safetensors: what a shopper is about to do

**Trained on simulated shoppers only.** There is no public data set with words, photos, sessions and outcomes together. All figures
below are on synthetic data: they show that the network fuses what it is given and is calibrated, and say nothing about real people.
A shop that has outcomes of its own should train on those. The rule behind the shoppers was made so that words, photo and session all
matter, and its strengths and the settings below were chosen on earlier draws of shoppers: that there is something to gain by fusing is
built in, and what the figures show is that the network finds it.

A gated multimodal network (Arevalo et al., 2017, for three modalities): sentence embedding (MiniLM, 384), photo embedding
(grocery classifier, 1,280) and 23 session features, each projected to 64, mixed by gates, one hidden layer, four outcomes. Scales,
calibration (Platt) and feature names are inside the file.

";

const WEAKNESSES: &str = "
## What it is bad at

- Real people. The rule behind the shoppers (`src/behavior/simulate/rule.rs`) is ours; tastes for products are drawn by chance, so
  what it has learnt of any single product is fiction.
- Photos in real light: photo embeddings are class centres with noise that is the same in all directions, which real photos are not.
- Products, intents and languages that were not simulated; anything but English.
- Long histories: it sees counts of the session, not its order, and nothing of earlier visits.
- Probabilities are calibrated for the simulated mix of shoppers. In a shop with other rates they will be off until it is calibrated there.
- It must not decide about a person. It orders what the desk offers and when it proposes help, and nothing else.
";
