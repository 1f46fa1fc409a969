//! A model as one file: safetensors with its description in the header, so that weights and encodings cannot part.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use serde::{Deserialize, Serialize};

use super::bins::Feature;
use super::columns::Schema;
use super::dense::Dense;
use super::error::TabularError;
use super::inputs::InputEncoding;
use super::model::{About, Learners, Part, TabularModel};
use super::shrink::steps_of;
use super::stored_trees::{pack, unpack};

/// The file in a model's folder.
pub const MODEL_FILE: &str = "model.safetensors";
/// Header entry that holds the description.
const KEY: &str = "kioskd.tabular";
/// Raised when old files can no longer be read.
const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    format: u32,
    about: About,
    schema: Schema,
    inputs: InputEncoding,
    parts: Vec<PartDescription>,
    shift: f32,
    threshold: f32,
    is_eight_bit: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartDescription {
    name: String,
    weight: f32,
    learners: LearnersDescription,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum LearnersDescription {
    Networks { sizes: Vec<usize>, count: usize },
    Trees { features: Vec<Feature>, base: f32 },
}

impl TabularModel {
    /// Where the model lies in its folder.
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(MODEL_FILE)
    }

    /// Writes the model into its folder, so that its name always means a whole one.
    pub fn write(&self, folder: &Path) -> Result<(), TabularError> {
        let path = Self::path(folder);
        let bytes = self.to_bytes()?;
        crate::weights::write_atomically(&path, &bytes).map_err(|source| TabularError::Io { doing: "write", path, source })
    }

    /// Reads the model of a folder.
    pub fn read(folder: &Path) -> Result<Self, TabularError> {
        let path = Self::path(folder);
        let bytes = std::fs::read(&path).map_err(|source| TabularError::Io { doing: "read", path: path.clone(), source })?;
        Self::from_bytes(&path.display().to_string(), &bytes)
    }

    /// The bytes of the file; the same model gives the same bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, TabularError> {
        let mut tensors = Tensors::default();
        let mut parts = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            let learners = match &part.learners {
                Learners::Networks(networks) => {
                    for (member, network) in networks.iter().enumerate() {
                        let name = format!("parts.{at}.networks.{member}");
                        match self.is_eight_bit {
                            true => pack_bytes(network, &name, &mut tensors),
                            false => tensors.floats(name, network.weights()),
                        }
                    }
                    let sizes = networks.first().map(|network| network.sizes().to_vec()).unwrap_or_default();
                    LearnersDescription::Networks { sizes, count: networks.len() }
                }
                Learners::Trees { features, trees } => {
                    pack(trees, at, &mut tensors);
                    LearnersDescription::Trees { features: features.clone(), base: trees.base }
                }
            };
            parts.push(PartDescription { name: part.name.clone(), weight: part.weight, learners });
        }
        let description = Description {
            format: FORMAT,
            about: self.about.clone(),
            schema: self.schema.clone(),
            inputs: self.inputs.clone(),
            parts,
            shift: self.shift,
            threshold: self.threshold,
            is_eight_bit: self.is_eight_bit,
        };
        let unwritable = |e: &dyn std::fmt::Display| TabularError::Unwritable(e.to_string());
        let json = serde_json::to_string(&description).map_err(|e| unwritable(&e))?;
        tensors.serialize(json).map_err(|e| unwritable(&e))
    }

    /// Reads the bytes of a file; `path` names it in errors.
    /// # Errors
    /// Where the bytes are no whole safetensors file, describe something else, or hold a tensor of another shape or with numbers that
    /// are not finite.
    pub fn from_bytes(path: &str, bytes: &[u8]) -> Result<Self, TabularError> {
        let broken = |e: safetensors::SafeTensorError| TabularError::NotSafetensors { path: path.to_owned(), reason: e.to_string() };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let other = |reason: String| TabularError::OtherModel { path: path.to_owned(), reason };
        let json = header.metadata().as_ref().and_then(|map| map.get(KEY));
        let json = json.ok_or_else(|| other(format!("its header has no {KEY:?}")))?;
        let found: Description = serde_json::from_str(json).map_err(|e| other(e.to_string()))?;
        if found.format != FORMAT {
            return Err(other(format!("its format is {}, this kioskd reads {FORMAT}", found.format)));
        }
        found.check().map_err(other)?;
        let file = TensorFile { path, tensors: SafeTensors::deserialize(bytes).map_err(broken)? };
        let mut parts = Vec::new();
        for (at, part) in found.parts.into_iter().enumerate() {
            let learners = match part.learners {
                LearnersDescription::Networks { sizes, count } => {
                    Learners::Networks(file.networks(at, &sizes, count, found.is_eight_bit)?)
                }
                LearnersDescription::Trees { features, base } => {
                    let trees = unpack(&file, at, base, &features)?;
                    Learners::Trees { features, trees }
                }
            };
            parts.push(Part { name: part.name, weight: part.weight, learners });
        }
        Ok(Self {
            schema: found.schema,
            about: found.about,
            inputs: found.inputs,
            parts,
            shift: found.shift,
            threshold: found.threshold,
            is_eight_bit: found.is_eight_bit,
        })
    }
}

impl Description {
    /// Refuses what would count outside its columns later.
    fn check(&self) -> Result<(), String> {
        let columns = &self.schema.columns;
        let is_number = |at: &usize| columns.get(*at).is_some_and(|column| column.is_number);
        let has_levels = |at: &usize| columns.get(*at).is_some_and(|column| !column.levels.is_empty());
        let derived_are_sound = self.inputs.derived.iter().all(|derived| derived.parts().iter().all(is_number));
        let numbers = self.inputs.numbers.iter().take(columns.len());
        let numbers_match = numbers.clone().zip(columns).all(|(number, column)| number.is_some() == column.is_number)
            && self.inputs.numbers.len() == columns.len() + self.inputs.derived.len()
            && self.inputs.numbers.iter().skip(columns.len()).all(Option::is_some);
        let levels_match = self.inputs.levels.iter().copied().eq(columns.iter().map(|column| column.levels.len()));
        let features_are_sound = self.parts.iter().all(|part| match &part.learners {
            LearnersDescription::Networks { .. } => true,
            LearnersDescription::Trees { features, .. } => features.iter().all(|feature| match feature {
                Feature::Number { column, .. } => is_number(column),
                Feature::Derived { of, .. } => of.parts().iter().all(is_number),
                Feature::Word { column } | Feature::Letter { column } => has_levels(column),
            }),
        });
        let are_finite = self.shift.is_finite() && self.threshold.is_finite() && self.parts.iter().all(|part| part.weight.is_finite());
        let width = self.inputs.width();
        let sizes_match = self.parts.iter().all(|part| match &part.learners {
            LearnersDescription::Networks { sizes, .. } => sizes.first() == Some(&width),
            LearnersDescription::Trees { .. } => true,
        });
        match sizes_match && derived_are_sound && numbers_match && levels_match && features_are_sound && are_finite {
            true => Ok(()),
            false => Err("its description contradicts itself".to_owned()),
        }
    }
}

/// Weights as steps, and beside them the size of each unit's step and its bias, layer by layer.
fn pack_bytes(network: &Dense, name: &str, tensors: &mut Tensors) {
    let (mut counts, mut floats) = (Vec::new(), Vec::new());
    for layer in network.layers() {
        let steps = steps_of(network, &layer);
        let of = |(at, weight): (usize, &f32)| {
            let step = steps[at % layer.outputs];
            (if step > 0.0 { (weight / step).round().clamp(-127.0, 127.0) } else { 0.0 }) as i8 as u8
        };
        counts.extend(network.weights()[layer.matrix()].iter().enumerate().map(of));
        floats.extend(steps.iter().chain(&network.weights()[layer.bias()]));
    }
    tensors.bytes(name.to_owned(), Dtype::I8, counts);
    tensors.floats(format!("{name}.scales"), &floats);
}

/// Tensors to be written.
#[derive(Default)]
pub(super) struct Tensors {
    all: Vec<(String, Dtype, Vec<u8>)>,
}

impl Tensors {
    pub fn floats(&mut self, name: String, values: &[f32]) {
        self.all.push((name, Dtype::F32, values.iter().flat_map(|x| x.to_le_bytes()).collect()));
    }

    pub fn bytes(&mut self, name: String, dtype: Dtype, bytes: Vec<u8>) {
        self.all.push((name, dtype, bytes));
    }

    fn serialize(&self, description: String) -> Result<Vec<u8>, safetensors::SafeTensorError> {
        let mut views = Vec::new();
        for (name, dtype, bytes) in &self.all {
            let count = bytes.len() * 8 / dtype.bitsize();
            views.push((name.as_str(), TensorView::new(*dtype, vec![count], bytes)?));
        }
        safetensors::serialize(views, Some(HashMap::from([(KEY.to_owned(), description)])))
    }
}

/// An open file and its name.
pub(super) struct TensorFile<'a> {
    path: &'a str,
    tensors: SafeTensors<'a>,
}

impl TensorFile<'_> {
    fn networks(&self, part: usize, sizes: &[usize], count: usize, is_eight_bit: bool) -> Result<Vec<Dense>, TabularError> {
        let mut networks = Vec::new();
        for member in 0..count {
            let name = format!("parts.{part}.networks.{member}");
            let weights = if is_eight_bit { self.unpack_bytes(&name, sizes)? } else { self.floats(&name)? };
            let found = weights.len();
            let fits = Dense::from_weights(sizes.to_vec(), weights);
            networks.push(fits.ok_or_else(|| self.bad(&name, format!("has {found} numbers, which is not what layers of {sizes:?} take")))?);
        }
        Ok(networks)
    }

    /// Weights from their steps; biases are floats.
    fn unpack_bytes(&self, name: &str, sizes: &[usize]) -> Result<Vec<f32>, TabularError> {
        let counts = self.bytes(name, Dtype::I8)?;
        let floats = self.floats(&format!("{name}.scales"))?;
        let (mut counts, mut floats) = (counts.iter().map(|count| f32::from(*count as i8)), floats.chunks(1).map(|one| one[0]));
        let mut weights = Vec::new();
        for pair in sizes.windows(2) {
            let steps: Vec<f32> = floats.by_ref().take(pair[1]).collect();
            weights
                .extend(counts.by_ref().take(pair[0].saturating_mul(pair[1])).zip(steps.iter().cycle()).map(|(count, step)| count * step));
            weights.extend(floats.by_ref().take(pair[1]));
        }
        Ok(weights)
    }

    pub fn bad(&self, tensor: &str, problem: String) -> TabularError {
        TabularError::BadTensor { path: self.path.to_owned(), tensor: tensor.to_owned(), problem }
    }

    pub fn floats(&self, name: &str) -> Result<Vec<f32>, TabularError> {
        let bytes = self.bytes(name, Dtype::F32)?;
        let values: Vec<f32> = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        if values.iter().all(|x| x.is_finite()) { Ok(values) } else { Err(self.bad(name, "holds a number that is not finite".to_owned())) }
    }

    pub fn bytes(&self, name: &str, dtype: Dtype) -> Result<&[u8], TabularError> {
        let view = self.tensors.tensor(name).map_err(|_| self.bad(name, "is missing".to_owned()))?;
        if view.dtype() != dtype || view.shape().len() != 1 {
            return Err(self.bad(name, format!("is {:?} {:?}, but a row of {dtype:?} is expected", view.dtype(), view.shape())));
        }
        Ok(view.data())
    }
}

#[cfg(test)]
mod tests {
    use super::super::learn::learn;
    use super::super::learn::tests::{about, labelled, quick};
    use super::super::recipe::Preset;
    use super::*;

    fn model() -> TabularModel {
        learn(&labelled(200), &quick(Preset::Blend, 2), about(), &|_, _| ()).unwrap().model
    }

    fn refusal(bytes: &[u8]) -> String {
        TabularModel::from_bytes("model.safetensors", bytes).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_back_whole() {
        let model = model();
        let bytes = model.to_bytes().unwrap();
        let read = TabularModel::from_bytes("it", &bytes).unwrap();
        assert_eq!(read, model);
        assert_eq!(read.to_bytes().unwrap(), bytes);
    }

    #[test]
    fn a_file_cut_short_at_any_place_is_refused() {
        let bytes = model().to_bytes().unwrap();
        for length in [0, 4, 9, 200, bytes.len() / 2, bytes.len() - 1] {
            assert!(refusal(&bytes[..length]).contains("no complete safetensors file"), "{length}");
        }
    }

    #[test]
    fn weights_of_another_shape_and_numbers_that_are_none_are_named() {
        let mut other = model();
        let Learners::Networks(networks) = &mut other.parts[0].learners else { panic!("networks come first") };
        networks[1] = Dense::new(vec![3, 1], super::super::dense::Start::He, 1);
        let said = refusal(&other.to_bytes().unwrap());
        assert!(said.starts_with("model.safetensors: tensor \"parts.0.networks.1\" has 4 numbers"), "{said}");
        let Learners::Networks(networks) = &mut other.parts[0].learners else { panic!("networks come first") };
        networks[0].weights_mut()[2] = f32::NAN;
        assert!(refusal(&other.to_bytes().unwrap()).contains("\"parts.0.networks.0\" holds a number that is not finite"));
    }

    #[test]
    fn trees_that_would_never_end_are_refused() {
        let mut other = model();
        let Some(Learners::Trees { trees, .. }) = other.parts.get_mut(1).map(|part| &mut part.learners) else {
            panic!("trees come second")
        };
        trees.trees[0].nodes[0].left = 0;
        assert!(refusal(&other.to_bytes().unwrap()).contains("\"parts.1.trees.left\" leads out of its tree"));
    }

    #[test]
    fn another_models_file_is_refused() {
        let none: [(&str, TensorView<'_>); 0] = [];
        assert!(refusal(&safetensors::serialize(none, None).unwrap()).contains("no model of a table"));
    }
}
