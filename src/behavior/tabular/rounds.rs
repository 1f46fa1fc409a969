//! Learning of several shops together: each changes a copy of the model on its own rows, and only the changes travel.

use std::collections::HashMap;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use super::dense::Dense;
use super::error::TabularError;
use super::fit::{FitConfig, Rows, fit_from};
use super::labelled::Labelled;
use super::model::TabularModel;

const KEY: &str = "kioskd.update";
const FORMAT: u32 = 1;

/// What a shop sends: how the weights of a model changed on its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// Checksum of the model's file that was changed.
    pub base_sha256: String,
    /// Rows that it was changed on.
    pub rows: usize,
    /// Change of each weight.
    pub change: Vec<f32>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    format: u32,
    base_sha256: String,
    rows: usize,
}

impl Update {
    /// Trains a copy of the model on a shop's rows and tells the change.
    /// # Errors
    /// Where the model is not a single network, or the training diverges.
    pub fn learn(model: &TabularModel, base_sha256: String, data: &Labelled, config: &FitConfig, seed: u64) -> Result<Self, TabularError> {
        config.check()?;
        let base = model.network()?;
        let inputs = model.inputs.apply(&data.frame);
        let targets: Vec<f32> = data.labels.iter().map(|label| f32::from(u8::from(*label))).collect();
        let rows = Rows { inputs: &inputs, width: model.inputs.width(), labels: &targets };
        let all: Vec<u32> = (0..data.frame.rows as u32).collect();
        let changed = fit_from(base.clone(), &rows, &all, &[], config, seed, &mut |_, _| ())?;
        let change = changed.weights().iter().zip(base.weights()).map(|(after, before)| after - before).collect();
        Ok(Self { base_sha256, rows: data.frame.rows, change })
    }

    /// Writes the update as a safetensors file.
    pub fn write(&self, path: &Path) -> Result<(), TabularError> {
        let unwritable = |e: &dyn std::fmt::Display| TabularError::Unwritable(e.to_string());
        let description = Description { format: FORMAT, base_sha256: self.base_sha256.clone(), rows: self.rows };
        let json = serde_json::to_string(&description).map_err(|e| unwritable(&e))?;
        let bytes: Vec<u8> = self.change.iter().flat_map(|x| x.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![self.change.len()], &bytes).map_err(|e| unwritable(&e))?;
        let file = safetensors::serialize([("change", view)], Some(HashMap::from([(KEY.to_owned(), json)])));
        let file = file.map_err(|e| unwritable(&e))?;
        crate::weights::write_atomically(path, &file).map_err(|source| TabularError::Io { doing: "write", path: path.to_owned(), source })
    }

    /// Reads an update for the model with this checksum.
    /// # Errors
    /// Where the file is cut, is something else, or was made from another model.
    pub fn read(path: &Path, base_sha256: &str, weights: usize) -> Result<Self, TabularError> {
        let bytes = std::fs::read(path).map_err(|source| TabularError::Io { doing: "read", path: path.to_owned(), source })?;
        let name = path.display().to_string();
        let broken = |e: safetensors::SafeTensorError| TabularError::NotSafetensors { path: name.clone(), reason: e.to_string() };
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(broken)?;
        let file = SafeTensors::deserialize(&bytes).map_err(broken)?;
        let other = |reason: String| TabularError::OtherModel { path: name.clone(), reason };
        let json = header.metadata().as_ref().and_then(|map| map.get(KEY)).ok_or_else(|| other(format!("its header has no {KEY:?}")))?;
        let found: Description = serde_json::from_str(json).map_err(|e| other(e.to_string()))?;
        if found.format != FORMAT {
            return Err(other(format!("its format is {}, this kioskd reads {FORMAT}", found.format)));
        }
        if found.base_sha256 != base_sha256 {
            return Err(TabularError::OtherBase { path: name, found: found.base_sha256, expected: base_sha256.to_owned() });
        }
        let bad = |problem: String| TabularError::BadTensor { path: name.clone(), tensor: "change".to_owned(), problem };
        let view = file.tensor("change").map_err(|_| bad("is missing".to_owned()))?;
        if view.dtype() != Dtype::F32 || view.shape() != [weights] {
            return Err(bad(format!("is {:?} {:?}, but the model has {weights} weights", view.dtype(), view.shape())));
        }
        let change: Vec<f32> = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        if !change.iter().all(|x| x.is_finite()) {
            return Err(bad("holds a number that is not finite".to_owned()));
        }
        Ok(Self { base_sha256: found.base_sha256, rows: found.rows, change })
    }

    fn length(&self) -> f64 {
        self.change.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt()
    }
}

/// The model after all shops' changes: their mean, each weighing as much as it has rows, and none longer than `clip` times the median
/// length, so that no single shop carries the model away.
/// # Source
/// McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data" (2017).
/// # Errors
/// Where the model is not a single network, there is no update, or `clip` is not above 0.
pub fn merge(model: &TabularModel, updates: &[Update], clip: f64) -> Result<TabularModel, TabularError> {
    if !(clip > 0.0 && clip.is_finite()) {
        return Err(TabularError::BadSetting { key: "--clip", found: clip.to_string(), expected: "a number above 0" });
    }
    if updates.is_empty() {
        return Err(TabularError::BadSetting { key: "updates", found: "none".to_owned(), expected: "at least one" });
    }
    let base = model.network()?;
    let mut lengths: Vec<f64> = updates.iter().map(Update::length).collect();
    lengths.sort_unstable_by(f64::total_cmp);
    let longest = clip * lengths[lengths.len() / 2];
    let rows: f64 = updates.iter().map(|update| update.rows as f64).sum();
    let mut weights = base.weights().to_vec();
    for update in updates {
        let share = update.rows as f64 / rows.max(1.0);
        let factor = (share * (longest / update.length().max(1e-12)).min(1.0)) as f32;
        for (weight, change) in weights.iter_mut().zip(&update.change) {
            *weight += factor * change;
        }
    }
    // Updates that were read have as many numbers as the model has weights.
    let network = Dense::from_weights(base.sizes().to_vec(), weights).unwrap_or_else(|| base.clone());
    let mut merged = model.with_network(network);
    merged.about.preset = "merged".to_owned();
    merged.about.rows += rows as usize;
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::super::learn::learn;
    use super::super::learn::tests::{about, labelled, quick};
    use super::super::recipe::Preset;
    use super::*;

    fn model() -> TabularModel {
        learn(&labelled(200), &quick(Preset::Network, 1), about(), &|_, _| ()).unwrap().model
    }

    fn update(rows: usize, change: f32) -> Update {
        Update { base_sha256: "aa".to_owned(), rows, change: vec![change; model().network().unwrap().weights().len()] }
    }

    #[test]
    fn a_shop_weighs_as_much_as_it_has_rows_and_none_carries_the_model_away() {
        let base = model();
        let first =
            |updates: &[Update]| merge(&base, updates, 1.0).unwrap().network().unwrap().weights()[0] - base.network().unwrap().weights()[0];
        assert!((first(&[update(300, 0.1), update(100, -0.1)]) - 0.05).abs() < 1e-6);
        assert!((first(&[update(100, 0.1), update(100, 0.1), update(100, 1e6)]) - 0.1).abs() < 1e-6);
        assert!(merge(&base, &[], 1.0).is_err() && merge(&base, &[update(1, 0.1)], 0.0).is_err());
    }

    #[test]
    fn an_update_of_another_model_or_shape_is_refused() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("shop.safetensors");
        let sent = update(100, 0.25);
        sent.write(&path).unwrap();
        assert_eq!(Update::read(&path, "aa", sent.change.len()).unwrap(), sent);
        let refusal = |base: &str, weights: usize| Update::read(&path, base, weights).unwrap_err().to_string();
        assert!(refusal("bb", sent.change.len()).contains("was made from the model aa, but bb is to be changed"));
        assert!(refusal("aa", 3).contains("but the model has 3 weights"));
        std::fs::write(&path, &std::fs::read(&path).unwrap()[..50]).unwrap();
        assert!(refusal("aa", 3).contains("no complete safetensors file"));
    }

    #[test]
    fn a_shops_change_reaches_the_model() {
        let base = model();
        let data = labelled(400);
        let config = FitConfig { epochs_max: 2, ..FitConfig::careful() };
        let change = Update::learn(&base, "aa".to_owned(), &data, &config, 1).unwrap();
        let merged = merge(&base, &[change.clone(), change], 1.0).unwrap();
        assert_ne!(merged.network().unwrap(), base.network().unwrap());
        assert_eq!(merged.about.rows, base.about.rows + 800);
    }
}
