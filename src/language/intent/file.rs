use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::calibration::Calibration;
use super::neighbours::{Neighbours, WIDTH};
use super::{IntentClassifier, LanguageError};
use crate::language::FEATURES;
use crate::language::lexical::Lexicon;
use crate::language::svm::LinearSvm;

/// Larger files are none of ours.
const BYTES_MAX: u64 = 1 << 30;

impl IntentClassifier {
    /// Writes the classifier, whole or not at all.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let c = self.calibration;
        let numbers = [c.temperature, c.score.0, c.score.1, c.nearness.0, c.nearness.1, c.threshold];
        let floats = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let (columns, rarity, words) = self.lexicon.parts();
        let out_of_scope = self.out_of_scope.map_or(u32::MAX, |at| at as u32);
        let whole: Vec<u8> = [words as u32, out_of_scope].into_iter().flat_map(u32::to_le_bytes).collect();
        let labels: Vec<u8> = self.neighbours.labels.iter().flat_map(|v| v.to_le_bytes()).collect();
        let places: Vec<u8> = self.neighbours.places.iter().map(|v| v.cast_unsigned()).collect();
        let (names, columns, fingerprint) = (self.names.join("\n"), columns.join("\n"), &self.encoder);
        let (dense, sparse, bias) = (floats(&self.head.dense), floats(&self.head.sparse), floats(&self.head.bias));
        let (rarity_bytes, numbers) = (floats(&rarity), floats(&numbers));
        let classes = self.names.len();
        let view = |kind, shape, data| TensorView::new(kind, shape, data).map_err(std::io::Error::other);
        let tensors = [
            ("names", view(Dtype::U8, vec![names.len()], names.as_bytes())?),
            ("encoder", view(Dtype::U8, vec![fingerprint.len()], fingerprint.as_bytes())?),
            ("columns", view(Dtype::U8, vec![columns.len()], columns.as_bytes())?),
            ("rarity", view(Dtype::F32, vec![rarity.len()], &rarity_bytes)?),
            ("whole", view(Dtype::U32, vec![2], &whole)?),
            ("dense", view(Dtype::F32, vec![classes, FEATURES], &dense)?),
            ("sparse", view(Dtype::F32, vec![classes, rarity.len()], &sparse)?),
            ("bias", view(Dtype::F32, vec![classes], &bias)?),
            ("places", view(Dtype::I8, vec![self.neighbours.labels.len(), WIDTH], &places)?),
            ("labels", view(Dtype::U32, vec![self.neighbours.labels.len()], &labels)?),
            ("calibration", view(Dtype::F32, vec![6], &numbers)?),
        ];
        crate::weights::write_atomically(path, &safetensors::serialize(tensors, None).map_err(std::io::Error::other)?)
    }

    /// Reads what [`IntentClassifier::save`] wrote.
    pub fn load(path: &Path) -> Result<Self, LanguageError> {
        let bad = |reason: String| LanguageError::BadHead { what: path.display().to_string(), reason };
        let size = std::fs::metadata(path).map_err(|e| bad(e.to_string()))?.len();
        if size > BYTES_MAX {
            return Err(bad(format!("it has {size} bytes, more than an intent model ever has")));
        }
        let bytes = std::fs::read(path).map_err(|e| bad(e.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| bad(e.to_string()))?;
        let raw = |name: &str, kind: Dtype| {
            let tensor = tensors.tensor(name).map_err(|e| bad(format!("{name}: {e}")))?;
            if tensor.dtype() == kind { Ok(tensor.data().to_vec()) } else { Err(bad(format!("{name} is {:?}", tensor.dtype()))) }
        };
        let floats = |name: &str| {
            let values: Vec<f32> = words(&raw(name, Dtype::F32)?).map(f32::from_le_bytes).collect();
            if values.iter().all(|v| v.is_finite()) { Ok(values) } else { Err(bad(format!("{name} has a number that is none"))) }
        };
        let whole = |name: &str| Ok::<Vec<u32>, LanguageError>(words(&raw(name, Dtype::U32)?).map(u32::from_le_bytes).collect());
        let text = |name: &str| String::from_utf8(raw(name, Dtype::U8)?).map_err(|_| bad(format!("{name} is no text")));

        let names: Vec<String> = text("names")?.split('\n').map(str::to_owned).collect();
        let columns = text("columns")?;
        let columns: Vec<&str> = if columns.is_empty() { Vec::new() } else { columns.split('\n').collect() };
        let [first_letters, out_of_scope] = whole("whole")?[..] else { return Err(bad("whole has not two numbers".to_owned())) };
        let lexicon = Lexicon::from_parts(&columns, &floats("rarity")?, first_letters as usize)
            .ok_or_else(|| bad(format!("it has {} columns, but not as many rarities", columns.len())))?;
        let head = LinearSvm { dense: floats("dense")?, sparse: floats("sparse")?, bias: floats("bias")? };
        let places = raw("places", Dtype::I8)?.into_iter().map(u8::cast_signed).collect();
        let neighbours = Neighbours { places, labels: whole("labels")? };
        let [temperature, sm, sd, nm, nd, threshold] = floats("calibration")?[..] else {
            return Err(bad("calibration has not six numbers".to_owned()));
        };
        let (classes, out_of_scope) = (names.len(), (out_of_scope != u32::MAX).then_some(out_of_scope as usize));
        let fits = classes >= 2
            && head.bias.len() == classes
            && head.dense.len() == classes * FEATURES
            && head.sparse.len() == classes * lexicon.width()
            && neighbours.places.len() == neighbours.labels.len() * WIDTH
            && neighbours.labels.iter().all(|&label| (label as usize) < classes)
            && out_of_scope.is_none_or(|at| at < classes)
            && temperature > 0.0;
        if !fits {
            return Err(bad(format!("its tensors do not fit its {classes} intents")));
        }
        let calibration = Calibration { temperature, score: (sm, sd), nearness: (nm, nd), threshold };
        Ok(Self { names, out_of_scope, encoder: text("encoder")?, lexicon, head, neighbours, calibration })
    }
}

fn words(bytes: &[u8]) -> impl Iterator<Item = [u8; 4]> {
    bytes.chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]])
}
