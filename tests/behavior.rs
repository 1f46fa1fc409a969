//! A model is learnt from a table, measured, and never harmed by what is wrong with another.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn kioskd(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_kioskd")).arg("behavior").args(arguments).output().expect("the program runs")
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", told(output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stdout)))
}

fn room() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).expect("writes");
    path.to_string_lossy().into_owned()
}

/// Visits of which those with many pages and "back" as their kind mostly buy.
fn visits(rows: usize) -> String {
    let row = |at: usize| {
        let (pages, kind, noise) = ((at * 7) % 40, ["new", "back", "staff"][(at / 3) % 3], (at * 31) % 17);
        let buys = (pages > 20 && kind == "back") != (noise == 0);
        format!("{pages},{:.1},{kind},{buys}\n", pages as f64 * 2.5 + noise as f64)
    };
    format!("Pages,Pages_Duration,Kind,Buys\n{}", (0..rows).map(row).collect::<String>())
}

/// A small model in `folder/model`.
fn trained(folder: &Path) -> String {
    let data = write(folder, "visits.csv", visits(400));
    let out = folder.join("model").to_string_lossy().into_owned();
    json(&kioskd(&["train", "--data", &data, "--label", "Buys", "--preset", "network", "--epochs", "10", "--out", &out, "--json"]));
    out
}

#[test]
fn a_trained_model_is_measured_with_exactly_the_promised_figures() {
    let room = room();
    let model = trained(room.path());
    let new = write(room.path(), "new.csv", visits(120));
    let figures = json(&kioskd(&["evaluate", "--model", &model, "--data", &new, "--json"]));
    let keys: Vec<&str> = figures.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut promised = ["rows", "positives", "accuracy", "f1", "precision", "recall", "roc_auc", "pr_auc", "log_loss", "ece", "threshold"];
    promised.sort_unstable();
    assert_eq!(
        {
            let mut keys = keys;
            keys.sort_unstable();
            keys
        },
        promised
    );
    assert_eq!(figures["rows"], 120);
    assert!(figures["pr_auc"].as_f64().is_some_and(|area| area > 0.7), "{figures}");
    let card = std::fs::read_to_string(PathBuf::from(&model).join("README.md")).expect("a card");
    assert!(card.contains("400 rows") && card.contains("Pages_Duration"), "{card}");
}

#[test]
fn a_bad_row_is_told_of_with_its_line_counted_and_left_out() {
    let room = room();
    let mut text = visits(200);
    text.push_str("1,2,new\nmany,2,new,true\n3,4,back,\n");
    let data = write(room.path(), "visits.csv", text);
    let out = room.path().join("model").to_string_lossy().into_owned();
    let output = kioskd(&["train", "--data", &data, "--label", "Buys", "--preset", "seed", "--out", &out, "--json"]);
    let printed = json(&output);
    assert_eq!((printed["rows"].as_u64(), printed["bad_rows"].as_u64()), (Some(200), Some(3)));
    for said in ["line 202: it has 3 cells", "line 203: column \"Pages\" holds \"many\"", "line 204: its label \"Buys\" is missing"] {
        assert!(told(&output).contains(said), "{said}: {}", told(&output));
    }
}

/// Everything that a file can have wrong is one sentence and exit code 2, and the model that is there stays as it is.
#[test]
fn what_is_wrong_with_a_file_is_one_sentence_and_the_model_in_use_stays() {
    let room = room();
    let model = trained(room.path());
    let file = PathBuf::from(&model).join("model.safetensors");
    let before = std::fs::read(&file).expect("a model");
    let rows: String = (0..40).map(|row| format!("{row}.5,{}\n", row % 2)).collect();
    let table = [
        ("empty.csv", String::new(), "the file is empty"),
        ("header.csv", "x,Buys\n".to_owned(), "holds no rows"),
        ("one_class.csv", format!("x,Buys\n{}", rows.replace(",1\n", ",0\n")), "is false in every row"),
        ("no_label.csv", format!("x,y\n{rows}"), "has no column \"Buys\"; it has x, y"),
        ("label.csv", format!("x,Buys\n{rows}1.5,maybe\n"), "line 42: the label column \"Buys\" holds \"maybe\""),
        ("long.csv", format!("x,Buys\n{rows}{},1\n", "9".repeat(10_000)), "line 42: the cell of column \"x\" has 10000 characters"),
        ("nan.csv", format!("x,Buys\n{rows}NaN,1\n"), "line 42: column \"x\" holds \"NaN\""),
        ("infinity.csv", format!("x,Buys\n{rows}-inf,1\n"), "line 42: column \"x\" holds \"-inf\""),
        ("twice.csv", format!("x,x,Buys\n{rows}"), "two columns have the name \"x\""),
    ];
    for (name, text, says) in table {
        let data = write(room.path(), name, text);
        check_refused(&kioskd(&["train", "--data", &data, "--label", "Buys", "--out", &model]), says);
    }
    let data = write(room.path(), "good.csv", visits(100));
    check_refused(&kioskd(&["train", "--data", &data, "--label", "Buys", "--drop", "Price", "--out", &model]), "has no column \"Price\"");
    check_refused(&kioskd(&["train", "--data", "nowhere.csv", "--label", "Buys", "--out", &model]), "nowhere.csv");
    check_refused(&kioskd(&["train", "--data", &data, "--label", "Buys", "--dropout", "2", "--out", &model]), "dropout is 2");
    assert_eq!(std::fs::read(&file).expect("a model"), before);
}

#[test]
fn weights_that_are_cut_or_of_something_else_are_refused() {
    let room = room();
    let model = trained(room.path());
    let data = write(room.path(), "new.csv", visits(60));
    let file = PathBuf::from(&model).join("model.safetensors");
    let whole = std::fs::read(&file).expect("a model");
    std::fs::write(&file, &whole[..whole.len() / 2]).expect("writes");
    check_refused(&kioskd(&["evaluate", "--model", &model, "--data", &data]), "is no complete safetensors file");
    std::fs::copy("models/behavior/fusion.safetensors", &file).expect("copies");
    check_refused(&kioskd(&["evaluate", "--model", &model, "--data", &data]), "holds no model of a table");
    check_refused(&kioskd(&["evaluate", "--model", "nowhere", "--data", &data]), "nowhere");
}

#[track_caller]
fn check_refused(output: &Output, says: &str) {
    let told = told(output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(says), "{says:?} is not in {told:?}");
    assert!(!told.contains("panicked") && told.trim_end().lines().count() == 1 && output.stdout.is_empty(), "{told}");
}

/// The rows that are published of the UCI Online Shoppers set lie beside the project where it is developed.
#[test]
fn the_plain_network_learns_from_real_shoppers() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/shoppers/train.csv");
    if !data.exists() {
        eprintln!("SKIPPED: {} is not there", data.display());
        return;
    }
    let room = room();
    let out = room.path().join("model").to_string_lossy().into_owned();
    let data = data.to_string_lossy();
    let printed =
        json(&kioskd(&["train", "--data", &data, "--label", "Revenue", "--preset", "network", "--epochs", "8", "--out", &out, "--json"]));
    assert_eq!(printed["bad_rows"], 0);
    assert!(printed["held_out"]["pr_auc"].as_f64().is_some_and(|area| area > 0.69), "{printed}");
}
