use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use tokenizers::{Tokenizer, TruncationParams};

use super::LanguageError;
use super::bert::{Bert, WIDTH, adapted};
use crate::weights::VerifiedFile;

/// Length of a sentence's [`SentenceVector::embedding`].
pub const EMBEDDING: usize = WIDTH;
/// Length of a whole [`SentenceVector`].
pub const FEATURES: usize = 2 * LAYERS.len() * WIDTH;
/// Layers whose mean states are features: the lower ones know words, the upper ones meanings.
const LAYERS: [usize; 4] = [0, 2, 4, 6];
/// Longer text is cut, in word pieces; the model was trained on 256.
const PIECES_MAX: usize = 256;
/// Sentences of one length that go through the network together: more than these are no faster.
const BATCH: usize = 8;

/// A sentence as numbers, `[3072]`: the mean states of layers 0, 2, 4 and 6 of the public network, then of the same layers of the one
/// adapted to service desks, each of L2 norm 1.
#[derive(Debug, Clone, PartialEq)]
pub struct SentenceVector(Vec<f32>);

impl SentenceVector {
    /// Takes over `[3072]` numbers; none where there are more or fewer.
    pub fn new(values: Vec<f32>) -> Option<Self> {
        (values.len() == FEATURES).then_some(Self(values))
    }

    /// All of it.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// `[384]`, L2 norm 1: the public network's own sentence vector, in which near meanings have a large dot product.
    pub fn embedding(&self) -> &[f32] {
        self.layer(LAYERS.len() - 1)
    }

    /// `[384]`, L2 norm 1: the last layer of the adapted network.
    pub(super) fn adapted(&self) -> &[f32] {
        self.layer(2 * LAYERS.len() - 1)
    }

    /// `[1536]`: all layers of the adapted network.
    pub(super) fn desk(&self) -> &[f32] {
        &self.0[LAYERS.len() * WIDTH..]
    }

    fn layer(&self, at: usize) -> &[f32] {
        &self.0[at * WIDTH..(at + 1) * WIDTH]
    }
}

/// Encodes sentences as vectors.
///
/// # Source
/// `all-MiniLM-L6-v2`; mean pooling as in Reimers & Gurevych, "Sentence-BERT" (2019), section 3. The adapter's card is
/// `models/adapters/README.md`.
pub struct Encoder {
    public: Bert,
    desk: Bert,
    tokenizer: Tokenizer,
    sha256: String,
    adapter_sha256: String,
}

impl Encoder {
    /// Loads checked weights, vocabulary and adapter.
    pub fn load(weights: &VerifiedFile, vocabulary: &VerifiedFile, adapter: &VerifiedFile) -> Result<Self, LanguageError> {
        let bad = |path: &Path, reason: String| LanguageError::BadModel { path: path.to_owned(), reason };
        let mut tokenizer = Tokenizer::from_file(vocabulary.path()).map_err(|e| bad(vocabulary.path(), e.to_string()))?;
        // The file pads everything to 128 pieces, which makes a short sentence five times slower.
        tokenizer.with_padding(None);
        let truncation = TruncationParams { max_length: PIECES_MAX, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|e| bad(vocabulary.path(), e.to_string()))?;
        let tensors = read(weights)?;
        let changed = adapted(&tensors, &read(adapter)?).map_err(|reason| bad(adapter.path(), reason))?;
        let network = |tensors: HashMap<String, Tensor>| Bert::load(&VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu));
        Ok(Self {
            public: network(tensors).map_err(|e| bad(weights.path(), e.to_string()))?,
            desk: network(changed).map_err(|e| bad(adapter.path(), e.to_string()))?,
            tokenizer,
            sha256: weights.sha256().to_owned(),
            adapter_sha256: adapter.sha256().to_owned(),
        })
    }

    /// One sentence. The empty sentence has a vector too: that of its two marks.
    pub fn encode(&self, text: &str) -> Result<SentenceVector, LanguageError> {
        let pieces = self.pieces(text)?;
        // The two networks read different weights, and what takes the time is reading them: on two cores both are read at once.
        let (public, desk) = std::thread::scope(|scope| {
            let desk = scope.spawn(|| means(&self.desk, &[&pieces]));
            (means(&self.public, &[&pieces]), desk.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let mut vectors = joined(public?, &desk?);
        vectors.pop().ok_or_else(|| LanguageError::TooLittle("there is no sentence".to_owned()))
    }

    /// Many sentences, in order, on as many threads as asked for; `done` is told after each.
    ///
    /// Sentences of one length go through the network together, which is several times faster than one by one.
    pub fn encode_all(&self, texts: &[String], threads: usize, done: &(dyn Fn() + Sync)) -> Result<Vec<SentenceVector>, LanguageError> {
        let pieces: Vec<Vec<u32>> = texts.iter().map(|text| self.pieces(text)).collect::<Result<_, _>>()?;
        let mut by_length: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        pieces.iter().enumerate().for_each(|(at, pieces)| by_length.entry(pieces.len()).or_default().push(at));
        let batches: Vec<&[usize]> = by_length.values().flat_map(|group| group.chunks(BATCH)).collect();
        let next = std::sync::atomic::AtomicUsize::new(0);
        let work = || {
            let mut found = Vec::new();
            while let Some(batch) = batches.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                let sentences: Vec<&[u32]> = batch.iter().map(|at| pieces[*at].as_slice()).collect();
                found.extend(batch.iter().copied().zip(self.encode_pieces(&sentences)?));
                batch.iter().for_each(|_| done());
            }
            Ok::<_, LanguageError>(found)
        };
        let mut found = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
            let joined = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            joined.collect::<Result<Vec<_>, _>>()
        })?
        .concat();
        found.sort_by_key(|(at, _)| *at);
        Ok(found.into_iter().map(|(_, vector)| vector).collect())
    }

    /// Checksum of the public weights: what was learnt on other weights' embeddings is of no use with these.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Checksums of weights and adapter: what was learnt on other weights' vectors is of no use with these.
    pub fn fingerprint(&self) -> String {
        // The last part stands for how the networks are computed: vectors of before half precision are a little others.
        format!("{}-{}-half", &self.sha256[..12], &self.adapter_sha256[..12])
    }

    fn pieces(&self, text: &str) -> Result<Vec<u32>, LanguageError> {
        let encoding = self.tokenizer.encode_fast(text, true);
        Ok(encoding.map_err(|e| LanguageError::TooLittle(format!("the sentence cannot be read: {e}")))?.get_ids().to_vec())
    }

    /// Sentences of one length.
    fn encode_pieces(&self, sentences: &[&[u32]]) -> Result<Vec<SentenceVector>, LanguageError> {
        Ok(joined(means(&self.public, sentences)?, &means(&self.desk, sentences)?))
    }
}

/// The mean states of [`LAYERS`] in one network, each of L2 norm 1, one after the other: `[1536]` for each sentence.
fn means(network: &Bert, sentences: &[&[u32]]) -> Result<Vec<Vec<f32>>, LanguageError> {
    let mut vectors = vec![Vec::with_capacity(FEATURES); sentences.len()];
    for states in network.pooled(sentences, &LAYERS)? {
        for (vector, mean) in vectors.iter_mut().zip(states.to_vec2::<f32>()?) {
            let norm = mean.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            vector.extend(mean.into_iter().map(|x| x / norm));
        }
    }
    Ok(vectors)
}

fn joined(public: Vec<Vec<f32>>, desk: &[Vec<f32>]) -> Vec<SentenceVector> {
    let join = |(mut vector, desk): (Vec<f32>, &Vec<f32>)| {
        vector.extend(desk);
        SentenceVector(vector)
    };
    public.into_iter().zip(desk).map(join).collect()
}

fn read(file: &VerifiedFile) -> Result<HashMap<String, Tensor>, LanguageError> {
    let bad = |reason: String| LanguageError::BadModel { path: file.path().to_owned(), reason };
    candle_core::safetensors::load(file.path(), &Device::Cpu).map_err(|e| bad(e.to_string()))
}
