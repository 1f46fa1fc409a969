//! The card that lies beside a model's weights.

use std::fmt::Write;

use super::figures::Figures;
use super::model::TabularModel;

/// What the model is, what it was trained on, how good it is and what it must not be used for. Written from the figures themselves.
pub fn card(model: &TabularModel, held_out: &Figures, command: &str) -> String {
    let about = &model.about;
    let mut card = format!("# {}: will `{}` be true?\n\n", super::stored::MODEL_FILE, model.schema.label);
    let shown = |value: Option<f64>| value.map_or("none".to_owned(), |value| format!("{value:.4}"));
    let names = |columns: &[String]| if columns.is_empty() { "none".to_owned() } else { columns.join(", ") };
    // Writing to a String cannot fail.
    let seed = about.seed.map_or("that nobody knows".to_owned(), |seed| seed.to_string());
    let _ = writeln!(card, "Made by `{command}`, preset `{}`, seed {seed}.\n", about.preset);
    if let Some(private) = &about.privacy {
        let _ = writeln!(
            card,
            "Trained by DP-SGD: the weights are ({:.3}, {:e})-differentially private for a row",
            private.epsilon, private.delta
        );
        let _ = writeln!(card, "(noise {:.3}, gradients of at most {}, {} steps that take", private.noise, private.clip, private.steps);
        let _ = writeln!(
            card,
            "a row with probability {:.4}). The scales of the inputs, the names of words, the threshold and the",
            private.sample_rate
        );
        let _ = writeln!(card, "figures below come from the rows without noise and are not covered.\n");
    }
    let _ = writeln!(card, "## Trained on\n");
    let _ = writeln!(card, "- `{}`, sha256 {}", about.data, about.data_sha256);
    let _ = writeln!(card, "- {} rows, {} of them true; {} rows could not be used", about.rows, about.positives, about.bad_rows);
    let read: Vec<String> = model.schema.columns.iter().map(|column| column.name.clone()).collect();
    let _ = writeln!(card, "- reads: {}", names(&read));
    let _ = writeln!(
        card,
        "- left out by wish: {}; left out as they tell nothing: {}\n",
        names(&model.schema.dropped),
        names(&model.schema.ignored)
    );
    let _ = writeln!(card, "## Learners\n\n| kind | weight |\n|---|---|");
    for (name, weight) in model.kinds() {
        let _ = writeln!(card, "| {name} | {weight:.3} |");
    }
    let _ = writeln!(
        card,
        "\n## On held-out rows\n\nEach row is judged by learners that were trained without it. Weights and threshold are chosen on the same"
    );
    let _ = writeln!(card, "rows, so that new rows come out a little worse.\n\n| figure | value |\n|---|---|");
    let _ = writeln!(card, "| rows, positives | {}, {} |", held_out.rows, held_out.positives);
    for (name, value) in
        [("PR-AUC", held_out.pr_auc), ("ROC-AUC", held_out.roc_auc), ("log loss", held_out.log_loss), ("ECE", held_out.ece)]
    {
        let _ = writeln!(card, "| {name} | {} |", shown(value));
    }
    let _ = writeln!(card, "| F1, precision, recall | {:.4}, {:.4}, {:.4} |", held_out.f1, held_out.precision, held_out.recall);
    let _ = writeln!(card, "| threshold | {:.3} |", held_out.threshold);
    card.push_str(LIMITS);
    card
}

const LIMITS: &str = "
## Limits

- It has seen these rows and no others: another shop, season or page layout changes what the columns mean.
- What is unknown counts as the middle, and a word that training did not have as a rare one.
- It must not decide about a person. It orders what is offered, and nothing else.
";
