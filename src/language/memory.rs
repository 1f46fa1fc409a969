use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};

use super::{EMBEDDING, Encoder, LanguageError};

/// First bytes of the SHA-256 of a sentence: enough to tell all sentences ever apart.
type Key = [u8; 16];

/// Vectors of the shop's own sentences, kept on disk, so that a start does not encode a thousand of them again (13 s).
///
/// It is a cache: a file that is missing, damaged or read-only costs time and nothing else.
pub struct SentenceMemory {
    path: PathBuf,
    vectors: HashMap<Key, Vec<f32>>,
}

impl SentenceMemory {
    /// Opens the memory of this encoder in a folder.
    pub fn open(folder: &Path, encoder: &Encoder) -> Self {
        let path = folder.join(format!("sentences-{}.safetensors", &encoder.sha256()[..12]));
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
    ) -> Result<Vec<Vec<f32>>, LanguageError> {
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
        let mut rows: Vec<(&Key, &Vec<f32>)> = self.vectors.iter().collect();
        rows.sort_by_key(|(key, _)| **key);
        let keys: Vec<u8> = rows.iter().flat_map(|(key, _)| key.iter().copied()).collect();
        let vectors: Vec<u8> = rows.iter().flat_map(|(_, v)| v.iter()).flat_map(|x| x.to_le_bytes()).collect();
        let write = || -> std::io::Result<()> {
            let view = |kind, shape, data| TensorView::new(kind, shape, data).map_err(std::io::Error::other);
            let tensors = [
                ("keys", view(Dtype::U8, vec![rows.len(), 16], &keys)?),
                ("vectors", view(Dtype::F32, vec![rows.len(), EMBEDDING], &vectors)?),
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

fn parse(bytes: &[u8]) -> Option<HashMap<Key, Vec<f32>>> {
    let tensors = SafeTensors::deserialize(bytes).ok()?;
    let (keys, vectors) = (tensors.tensor("keys").ok()?, tensors.tensor("vectors").ok()?);
    let fits = vectors.dtype() == Dtype::F32 && vectors.data().len() / (EMBEDDING * 4) == keys.data().len() / 16;
    fits.then(|| {
        let rows = vectors
            .data()
            .chunks_exact(EMBEDDING * 4)
            .map(|row| row.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect());
        keys.data().chunks_exact(16).filter_map(|key| key.try_into().ok()).zip(rows).collect()
    })
}
