//! Labelled sentences in the two formats that the field's data sets come in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde::Deserialize;

use crate::cli::{Failure, open};
use crate::config::ShopFiles;
use crate::language::IntentExamples;

/// Headings under which the intent of a sentence may stand in a CSV file.
const INTENT_HEADINGS: [&str; 4] = ["category", "intent", "label", "class"];
const TEXT_HEADINGS: [&str; 4] = ["text", "sentence", "utterance", "query"];
/// The name that sentences for no desk are given.
const OUT_OF_SCOPE: &str = "out_of_scope";
/// Longer sentences are none.
const CHARS_MAX: usize = 10_000;

/// A data set: a part to learn from, and perhaps one to validate on or to test with.
pub(super) struct DataSet {
    pub(super) train: Option<IntentExamples>,
    pub(super) validation: Option<IntentExamples>,
    pub(super) test: Option<IntentExamples>,
}

/// As CLINC150 is published: lists of `[sentence, intent]`.
#[derive(Deserialize)]
struct ClincFile {
    #[serde(default)]
    train: Vec<(String, String)>,
    #[serde(default)]
    val: Vec<(String, String)>,
    #[serde(default)]
    test: Vec<(String, String)>,
    #[serde(default)]
    oos_train: Vec<(String, String)>,
    #[serde(default)]
    oos_val: Vec<(String, String)>,
    #[serde(default)]
    oos_test: Vec<(String, String)>,
}

/// Reads a CSV file, a JSON file like CLINC150's, or the folder `intents/` of a shop.
///
/// `names` are the intents of a trained classifier, whose order the labels then follow; without, they are those of the file by alphabet.
pub(super) fn read(path: &Path, names: Option<&[String]>) -> Result<DataSet, Failure> {
    if path.is_dir() {
        return shop(path);
    }
    let content = open::read(path)?;
    let text = String::from_utf8(content).map_err(|_| Failure::Input(format!("{} is not UTF-8 text", path.display())))?;
    if path.extension().is_some_and(|extension| extension == "json") {
        clinc(path, &text, names)
    } else {
        comma_separated(path, &text, names)
    }
}

fn shop(path: &Path) -> Result<DataSet, Failure> {
    let folder = if path.ends_with("intents") { path.parent().unwrap_or(path) } else { path };
    let files = ShopFiles::read(folder).map_err(|problems| Failure::Input(problems.join("\n")))?;
    Ok(DataSet { train: Some(IntentExamples::of_shop(&files.intents)), validation: None, test: None })
}

fn clinc(path: &Path, text: &str, names: Option<&[String]>) -> Result<DataSet, Failure> {
    let file: ClincFile = serde_json::from_str(text).map_err(|e| {
        Failure::Input(format!("{}: {e}; expected an object with lists of [sentence, intent] under train, val or test", path.display()))
    })?;
    let outsiders = [&file.oos_train, &file.oos_val, &file.oos_test];
    let outside: BTreeSet<&str> = outsiders.into_iter().flatten().map(|(_, intent)| intent.as_str()).collect();
    let mut own: Vec<String> = match names {
        Some(names) => names.to_vec(),
        None => {
            [&file.train, &file.val].into_iter().flatten().map(|(_, intent)| intent.clone()).collect::<BTreeSet<_>>().into_iter().collect()
        }
    };
    if names.is_none() {
        own.retain(|name| !outside.contains(name.as_str()));
        if !file.oos_train.is_empty() {
            own.push(OUT_OF_SCOPE.to_owned());
        }
    }
    let index: HashMap<&str, u32> = own.iter().map(String::as_str).zip(0..).collect();
    let part = |inside: &[(String, String)], outside: &[(String, String)]| {
        let inside = inside.iter().map(|(text, intent)| Ok((text.clone(), Some(intent.as_str()))));
        examples(path, &own, &index, inside.chain(outside.iter().map(|(text, _)| Ok((text.clone(), None)))))
    };
    Ok(DataSet {
        train: part(&file.train, &file.oos_train)?,
        validation: part(&file.val, &file.oos_val)?,
        test: part(&file.test, &file.oos_test)?,
    })
}

fn comma_separated(path: &Path, text: &str, names: Option<&[String]>) -> Result<DataSet, Failure> {
    let bad = |line: u64, reason: String| Failure::Input(format!("{}, line {line}: {reason}", path.display()));
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headings = reader.headers().map_err(|e| bad(1, e.to_string()))?.clone();
    let column = |wanted: &[&str], what: &str| {
        let found = headings.iter().position(|heading| wanted.contains(&heading.trim().to_lowercase().as_str()));
        found.ok_or_else(|| bad(1, format!("no column holds the {what}; expected a heading {}", wanted.join(", "))))
    };
    let (sentence, intent) = (column(&TEXT_HEADINGS, "sentence")?, column(&INTENT_HEADINGS, "intent")?);
    let mut rows: Vec<(String, String)> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| bad(e.position().map_or(0, csv::Position::line), "it is no row of this table".to_owned()))?;
        let line = record.position().map_or(0, csv::Position::line);
        match (record.get(sentence).map(str::trim), record.get(intent).map(str::trim)) {
            (Some(text), Some(intent)) if !text.is_empty() && !intent.is_empty() => {
                if text.chars().nth(CHARS_MAX).is_some() {
                    return Err(bad(line, format!("a sentence of more than {CHARS_MAX} characters")));
                }
                rows.push((text.to_owned(), intent.to_owned()));
            }
            _ => return Err(bad(line, "a sentence and its intent are expected, and one is missing".to_owned())),
        }
    }
    let is_outside = |intent: &str| ["oos", "out_of_scope", "out-of-scope"].contains(&intent.to_lowercase().as_str());
    let own: Vec<String> = match names {
        Some(names) => names.to_vec(),
        None => {
            let mut own: Vec<String> =
                rows.iter().map(|(_, intent)| intent.clone()).filter(|i| !is_outside(i)).collect::<BTreeSet<_>>().into_iter().collect();
            if rows.iter().any(|(_, intent)| is_outside(intent)) {
                own.push(OUT_OF_SCOPE.to_owned());
            }
            own
        }
    };
    let index: HashMap<&str, u32> = own.iter().map(String::as_str).zip(0..).collect();
    let labelled = rows.iter().map(|(text, intent)| Ok((text.clone(), (!is_outside(intent)).then_some(intent.as_str()))));
    let all = examples(path, &own, &index, labelled)?;
    Ok(DataSet { train: all.clone(), validation: None, test: all })
}

/// `None` for no rows. An intent of `None` is out of scope.
fn examples<'a>(
    path: &Path,
    names: &[String],
    index: &HashMap<&str, u32>,
    rows: impl Iterator<Item = Result<(String, Option<&'a str>), Failure>>,
) -> Result<Option<IntentExamples>, Failure> {
    let out_of_scope = index.get(OUT_OF_SCOPE).map(|at| *at as usize);
    // A classifier without a class for it still has to tell such sentences: they are labelled with a place after the last.
    let outside = out_of_scope.unwrap_or(names.len()) as u32;
    let mut found = IntentExamples { names: names.to_vec(), out_of_scope: Some(outside as usize), ..IntentExamples::default() };
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows {
        let (text, intent) = row?;
        let label = match intent {
            None => outside,
            Some(intent) => *index.get(intent).ok_or_else(|| {
                Failure::Input(format!("{}: the intent {intent:?} is none of the {} that the model knows", path.display(), names.len()))
            })?,
        };
        if let Some(other) = seen.insert(text.to_lowercase(), label)
            && other != label
        {
            let name = |label: u32| names.get(label as usize).map_or(OUT_OF_SCOPE, String::as_str);
            return Err(Failure::Input(format!(
                "{}: the sentence {text:?} stands under {:?} and under {:?}; keep one",
                path.display(),
                name(other),
                name(label)
            )));
        }
        found.texts.push(text);
        found.labels.push(label);
    }
    Ok((!found.texts.is_empty()).then_some(found))
}
