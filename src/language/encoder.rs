use std::path::Path;

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use tokenizers::{Tokenizer, TruncationParams};

use super::LanguageError;
use super::bert::{Bert, WIDTH};
use crate::weights::VerifiedFile;

/// Length of a sentence vector.
pub const EMBEDDING: usize = WIDTH;
/// Longer text is cut, in word pieces; the model was trained on 256.
const PIECES_MAX: usize = 256;

/// Encodes sentences as vectors, so that near meanings have a large dot product.
///
/// # Source
/// `all-MiniLM-L6-v2`; mean pooling as in Reimers & Gurevych, "Sentence-BERT" (2019), section 3.
pub struct Encoder {
    bert: Bert,
    tokenizer: Tokenizer,
    sha256: String,
}

impl Encoder {
    /// Loads checked weights and vocabulary.
    pub fn load(weights: &VerifiedFile, vocabulary: &VerifiedFile) -> Result<Self, LanguageError> {
        let bad = |path: &Path, reason: String| LanguageError::BadModel { path: path.to_owned(), reason };
        let mut tokenizer = Tokenizer::from_file(vocabulary.path()).map_err(|e| bad(vocabulary.path(), e.to_string()))?;
        // The file pads everything to 128 pieces, which makes a short sentence five times slower.
        tokenizer.with_padding(None);
        let truncation = TruncationParams { max_length: PIECES_MAX, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(|e| bad(vocabulary.path(), e.to_string()))?;
        // SAFETY: the file is mapped, and must not change while it is. It lies in the folder of the models, which only `make setup`
        // and `kioskd models pull` write, and both rename a new file over the old one: the mapping keeps the old content.
        let builder = unsafe { VarBuilder::from_mmaped_safetensors(&[weights.path()], DType::F32, &Device::Cpu) }
            .map_err(|e| bad(weights.path(), e.to_string()))?;
        let bert = Bert::load(&builder).map_err(|e| bad(weights.path(), e.to_string()))?;
        Ok(Self { bert, tokenizer, sha256: weights.sha256().to_owned() })
    }

    /// One sentence as `[384]`, L2 norm 1. The empty sentence has a vector too: that of its two marks.
    pub fn encode(&self, text: &str) -> Result<Vec<f32>, LanguageError> {
        let pieces =
            self.tokenizer.encode(text, true).map_err(|e| LanguageError::TooLittle(format!("the sentence cannot be read: {e}")))?;
        let mean = self.bert.forward(pieces.get_ids())?.mean(0)?.to_vec1::<f32>()?;
        let norm = mean.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        Ok(mean.into_iter().map(|x| x / norm).collect())
    }

    /// Many sentences, on as many threads as asked for; `done` is told after each.
    pub fn encode_all(&self, texts: &[String], threads: usize, done: &(dyn Fn() + Sync)) -> Result<Vec<Vec<f32>>, LanguageError> {
        let share = texts.len().div_ceil(threads.max(1)).max(1);
        std::thread::scope(|scope| {
            let encode_share =
                |part: &[String]| part.iter().map(|text| self.encode(text).inspect(|_| done())).collect::<Result<Vec<_>, _>>();
            let workers: Vec<_> = texts.chunks(share).map(|part| scope.spawn(move || encode_share(part))).collect();
            let mut all = Vec::with_capacity(texts.len());
            for worker in workers {
                match worker.join() {
                    Ok(vectors) => all.extend(vectors?),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Ok(all)
        })
    }

    /// Checksum of the weights: what was learnt on other weights' vectors is of no use with these.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}
