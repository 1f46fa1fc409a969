use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};

use super::{Encoder, FEATURES, LanguageError, SentenceVector};

/// First bytes of the SHA-256 of a sentence: enough to tell all sentences ever apart.
type Key = [u8; 16];

/// Vectors of the shop's own sentences, kept on disk, so that a start does not encode a thousand of them again.
///
/// It is a cache: a file that is missing, damaged or read-only costs time and nothing else.
pub struct SentenceMemory {
    path: PathBuf,
    vectors: HashMap<Key, SentenceVector>,
}

impl SentenceMemory {
    /// Opens the memory of this encoder in a folder.
    pub fn open(folder: &Path, encoder: &Encoder) -> Self {
        let path = folder.join(format!("sentences-{}.safetensors", encoder.fingerprint()));
        let vectors = std::fs::read(&path).ok().and_then(|bytes| parse(&bytes)).unwrap_or_default();
        Self { path, vectors }
    }

    /// Vectors of these sentences, in order; those not known yet are encoded on as many threads as asked for. `progress` is told how
    /// many of how many are done.
    pub fn recall(
        &mut self,
        texts: &[String],
        encoder: &Encoder,
        threads: usize,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Vec<SentenceVector>, LanguageError> {
        let mut missing: Vec<String> = texts.iter().filter(|text| !self.vectors.contains_key(&key(text))).cloned().collect();
        missing.sort();
        missing.dedup();
        if !missing.is_empty() {
            let done = std::sync::atomic::AtomicUsize::new(0);
            let tick = || progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1, missing.len());
            let vectors = encoder.encode_all(&missing, threads, &tick)?;
            self.vectors.extend(missing.iter().map(|text| key(text)).zip(vectors));
            self.save();
        }
        Ok(texts.iter().filter_map(|text| self.vectors.get(&key(text)).cloned()).collect())
    }

    fn save(&self) {
        let mut rows: Vec<(&Key, &SentenceVector)> = self.vectors.iter().collect();
        rows.sort_by_key(|(key, _)| **key);
        let keys: Vec<u8> = rows.iter().flat_map(|(key, _)| key.iter().copied()).collect();
        let vectors: Vec<u8> = rows.iter().flat_map(|(_, v)| v.as_slice()).flat_map(|x| x.to_le_bytes()).collect();
        let write = || -> std::io::Result<()> {
            let view = |kind, shape, data| TensorView::new(kind, shape, data).map_err(std::io::Error::other);
            let tensors = [
                ("keys", view(Dtype::U8, vec![rows.len(), 16], &keys)?),
                ("vectors", view(Dtype::F32, vec![rows.len(), FEATURES], &vectors)?),
            ];
            crate::weights::write_atomically(&self.path, &safetensors::serialize(tensors, None).map_err(std::io::Error::other)?)
        };
        if let Err(error) = write() {
            tracing::warn!(path = %self.path.display(), %error, "sentences were not kept, the next start encodes them again");
        }
    }
}

fn key(text: &str) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&Sha256::digest(text)[..16]);
    key
}

fn parse(bytes: &[u8]) -> Option<HashMap<Key, SentenceVector>> {
    let tensors = SafeTensors::deserialize(bytes).ok()?;
    let (keys, vectors) = (tensors.tensor("keys").ok()?, tensors.tensor("vectors").ok()?);
    let fits = vectors.dtype() == Dtype::F32 && vectors.data().len() / (FEATURES * 4) == keys.data().len() / 16;
    fits.then(|| {
        let rows = vectors
            .data()
            .chunks_exact(FEATURES * 4)
            .filter_map(|row| SentenceVector::new(row.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()));
        keys.data().chunks_exact(16).filter_map(|key| key.try_into().ok()).zip(rows).collect()
    })
}
