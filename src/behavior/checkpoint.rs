use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::calibrate::Calibration;
use super::error::BehaviorError;
use super::features::{FEATURES, Standardisation, feature_names};
use super::fusion::PARAMETERS;
use super::inputs::{EmbeddingScale, InputScales, PHOTO, TEXT};
use super::outcome::{HEADS, Head};

/// Raised when a file of before can no longer be read.
const FORMAT: u32 = 1;
/// The one key of the safetensors header that is ours. One key with JSON inside keeps the file the same byte for byte, where several
/// would be written in the random order of a hash map.
const KEY: &str = "kioskd.behavior";

/// What a model was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// What the shoppers were, in words for people.
    pub data: String,
    /// Checksum of the weights that made the sentence embeddings.
    pub text_encoder_sha256: String,
    /// Checksum of the weights that made the photo embeddings.
    pub photo_encoder_sha256: String,
}

/// Everything a trained model is made of, as it lies on disk.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The weights by name, see `PARAMETERS` in `fusion.rs`.
    pub weights: BTreeMap<String, Tensor>,
    /// How inputs are scaled.
    pub scales: InputScales,
    /// How each head's logit becomes a probability.
    pub calibration: [Calibration; HEADS],
    /// What it was made from.
    pub provenance: Provenance,
}

/// What the header says beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Description {
    format: u32,
    features: Vec<String>,
    heads: Vec<String>,
    calibration: Vec<Calibration>,
    provenance: Provenance,
}

impl Checkpoint {
    /// As a safetensors file. The same checkpoint gives the same bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BehaviorError> {
        let mut tensors: BTreeMap<&str, (Vec<usize>, Vec<u8>)> = BTreeMap::new();
        for (name, tensor) in &self.weights {
            tensors.insert(name, (tensor.dims().to_vec(), little_endian(&tensor.flatten_all()?.to_vec1::<f32>()?)));
        }
        let scales = &self.scales;
        let factors = [scales.text.factor, scales.photo.factor];
        for (name, values) in [
            ("scale.text.mean", scales.text.mean.as_slice()),
            ("scale.photo.mean", &scales.photo.mean),
            ("scale.factors", &factors),
            ("scale.session.mean", &scales.session.mean),
            ("scale.session.deviation", &scales.session.deviation),
        ] {
            tensors.insert(name, (vec![values.len()], little_endian(values)));
        }
        let unsaved = |reason: String| BehaviorError::NotSafetensors { origin: "the new model".to_owned(), reason };
        let views: Vec<(&str, TensorView<'_>)> = tensors
            .iter()
            .map(|(name, (shape, bytes))| Ok((*name, TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<_, safetensors::SafeTensorError>>()
            .map_err(|e| unsaved(e.to_string()))?;
        let header = HashMap::from([(KEY.to_owned(), self.describe()?)]);
        safetensors::serialize(views, Some(header)).map_err(|e| unsaved(e.to_string()))
    }

    fn describe(&self) -> Result<String, BehaviorError> {
        let description = Description {
            format: FORMAT,
            features: feature_names().map(str::to_owned).to_vec(),
            heads: Head::ALL.map(|head| head.name().to_owned()).to_vec(),
            calibration: self.calibration.to_vec(),
            provenance: self.provenance.clone(),
        };
        let failed = |e: serde_json::Error| BehaviorError::OtherModel { origin: "the new model".to_owned(), reason: e.to_string() };
        serde_json::to_string(&description).map_err(failed)
    }

    /// Writes the file so that its name always means a whole one.
    pub fn write(&self, path: &Path) -> Result<(), BehaviorError> {
        let failed = |source| BehaviorError::Io { doing: "write", path: path.to_owned(), source };
        crate::weights::write_atomically(path, &self.to_bytes()?).map_err(failed)
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, BehaviorError> {
        let failed = |source| BehaviorError::Io { doing: "read", path: path.to_owned(), source };
        Self::from_bytes(&path.display().to_string(), &std::fs::read(path).map_err(failed)?)
    }

    /// Reads the bytes of a file; `origin` names it in errors.
    /// # Errors
    /// Where the bytes are no whole safetensors file, describe another model or other features, lack a tensor, or where a tensor has
    /// another shape or holds a number that is not finite.
    pub fn from_bytes(origin: &str, bytes: &[u8]) -> Result<Self, BehaviorError> {
        let broken = |e: safetensors::SafeTensorError| BehaviorError::NotSafetensors { origin: origin.to_owned(), reason: e.to_string() };
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let own = header.metadata().as_ref().and_then(|map| map.get(KEY));
        let description = Description::parse(origin, own.map(String::as_str))?;
        let file = TensorFile { origin, tensors: SafeTensors::deserialize(bytes).map_err(broken)? };
        let mut weights = BTreeMap::new();
        for (name, shape) in PARAMETERS {
            weights.insert(name.to_owned(), Tensor::from_vec(file.floats(name, shape)?, shape, &Device::Cpu)?);
        }
        let calibration = std::array::from_fn(|head| description.calibration[head]);
        Ok(Self { weights, scales: file.scales()?, calibration, provenance: description.provenance })
    }
}

impl Description {
    /// Refuses everything that was not written for this network.
    fn parse(origin: &str, json: Option<&str>) -> Result<Self, BehaviorError> {
        let other = |reason: String| BehaviorError::OtherModel { origin: origin.to_owned(), reason };
        let json = json.ok_or_else(|| other(format!("its header has no {KEY:?}")))?;
        let found: Description = serde_json::from_str(json).map_err(|e| other(e.to_string()))?;
        if found.format != FORMAT {
            return Err(other(format!("its format is {}, this kioskd reads {FORMAT}", found.format)));
        }
        if found.features != feature_names() {
            let expected = feature_names().join(", ");
            return Err(BehaviorError::OtherFeatures { origin: origin.to_owned(), found: found.features.join(", "), expected });
        }
        if found.heads != Head::ALL.map(Head::name) {
            return Err(other(format!("its outcomes are [{}]", found.heads.join(", "))));
        }
        if found.calibration.len() != HEADS || !found.calibration.iter().all(Calibration::is_sound) {
            return Err(other("its calibration is not one positive scale and one shift for each outcome".to_owned()));
        }
        Ok(found)
    }
}

/// An open file and its name.
struct TensorFile<'a> {
    origin: &'a str,
    tensors: SafeTensors<'a>,
}

impl TensorFile<'_> {
    fn scales(&self) -> Result<InputScales, BehaviorError> {
        let factors = self.floats("scale.factors", &[2])?;
        let session = Standardisation { mean: self.features("scale.session.mean")?, deviation: self.features("scale.session.deviation")? };
        if session.deviation.iter().chain(&factors).any(|x| *x <= 0.0) {
            let reason = "its scales are not above zero".to_owned();
            return Err(BehaviorError::OtherModel { origin: self.origin.to_owned(), reason });
        }
        Ok(InputScales {
            text: EmbeddingScale { mean: self.floats("scale.text.mean", &[TEXT])?, factor: factors[0] },
            photo: EmbeddingScale { mean: self.floats("scale.photo.mean", &[PHOTO])?, factor: factors[1] },
            session,
        })
    }

    fn features(&self, name: &str) -> Result<[f32; FEATURES], BehaviorError> {
        let values = self.floats(name, &[FEATURES])?;
        Ok(std::array::from_fn(|at| values[at]))
    }

    /// The numbers of a tensor of this very shape.
    fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, BehaviorError> {
        let (origin, tensor) = (self.origin.to_owned(), name.to_owned());
        let Ok(view) = self.tensors.tensor(name) else { return Err(BehaviorError::MissingTensor { origin, tensor }) };
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            let found = format!("{:?} {:?}", view.dtype(), view.shape());
            return Err(BehaviorError::WrongTensor { origin, tensor, found, expected: format!("F32 {shape:?}") });
        }
        let values: Vec<f32> = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        if values.iter().all(|x| x.is_finite()) { Ok(values) } else { Err(BehaviorError::NotFinite { origin, tensor }) }
    }
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|x| x.to_le_bytes()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::train::initial_weights;
    use super::*;

    pub fn provenance() -> Provenance {
        Provenance { data: "a test".to_owned(), text_encoder_sha256: "aa".to_owned(), photo_encoder_sha256: "bb".to_owned() }
    }

    /// A network as it is before training, with scales that change nothing.
    pub fn untrained(seed: u64) -> Checkpoint {
        let flat = |width: usize| EmbeddingScale { mean: vec![0.0; width], factor: 1.0 };
        let weights = initial_weights(seed).unwrap();
        Checkpoint {
            weights: weights.iter().map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect(),
            scales: InputScales {
                text: EmbeddingScale { factor: (TEXT as f32).sqrt(), ..flat(TEXT) },
                photo: EmbeddingScale { factor: (PHOTO as f32).sqrt(), ..flat(PHOTO) },
                session: Standardisation { mean: [0.0; FEATURES], deviation: [1.0; FEATURES] },
            },
            calibration: [Calibration { scale: 0.8, shift: -0.5 }; HEADS],
            provenance: provenance(),
        }
    }

    fn refusal(bytes: &[u8]) -> String {
        Checkpoint::from_bytes("fusion.safetensors", bytes).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_is_read_back_whole_and_always_in_the_same_bytes() {
        let bytes = untrained(3).to_bytes().unwrap();
        assert_eq!(bytes, untrained(3).to_bytes().unwrap());
        let read = Checkpoint::from_bytes("it", &bytes).unwrap();
        assert_eq!(read.to_bytes().unwrap(), bytes);
        assert_eq!(read.scales, untrained(3).scales);
    }

    #[test]
    fn a_file_cut_short_at_any_place_is_refused() {
        let bytes = untrained(3).to_bytes().unwrap();
        for length in [0, 4, 9, 200, bytes.len() / 2, bytes.len() - 1] {
            assert!(refusal(&bytes[..length]).contains("no complete safetensors file"), "{length}");
        }
    }

    #[test]
    fn a_tensor_of_another_shape_is_named_with_both_shapes() {
        let mut other = untrained(3);
        other.weights.insert("mix.bias".to_owned(), Tensor::zeros(3, candle_core::DType::F32, &Device::Cpu).unwrap());
        let said = refusal(&other.to_bytes().unwrap());
        assert_eq!(said, "fusion.safetensors: tensor \"mix.bias\" is F32 [3], but this kioskd expects F32 [64]; train it anew");
    }

    #[test]
    fn a_missing_tensor_nan_and_a_foreign_file_are_refused() {
        let mut other = untrained(3);
        other.weights.remove("gate.bias");
        assert!(refusal(&other.to_bytes().unwrap()).contains("lacks the tensor \"gate.bias\""));
        let mut other = untrained(3);
        other.scales.text.mean[7] = f32::NAN;
        assert!(refusal(&other.to_bytes().unwrap()).contains("\"scale.text.mean\" holds a number that is not finite"));
        let none: [(&str, TensorView<'_>); 0] = [];
        assert!(refusal(&safetensors::serialize(none, None).unwrap()).contains("no kioskd behaviour model"));
    }

    #[test]
    fn other_feature_names_are_refused_with_both_lists() {
        let json = untrained(3).describe().unwrap().replace("basket_log", "ratings");
        let said = Description::parse("it", Some(&json)).unwrap_err().to_string();
        assert!(said.contains("ratings") && said.contains("basket_log") && said.ends_with("train it anew"), "{said}");
    }
}
