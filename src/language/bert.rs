use std::collections::HashMap;

use candle_core::{D, DType, Device, Module, Result, Tensor};
use candle_nn::{Embedding, LayerNorm, VarBuilder, embedding, layer_norm};

use super::dense::Dense;
use super::gelu::Gelu;

/// Dimensions of `all-MiniLM-L6-v2` (its `config.json`).
const LAYERS: usize = 6;
const HEADS: usize = 12;
pub(super) const WIDTH: usize = 384;
const INNER: usize = 1536;
const VOCABULARY: usize = 30_522;
const POSITIONS: usize = 512;
const EPSILON: f64 = 1e-12;

/// Where the tensors of a layer are found, by the names of the public weights.
const LAYER_PREFIX: &str = "encoder.layer.";

/// BERT's encoder (Devlin et al. 2019) at MiniLM's size, for sentences of one length at a time: without padding there is nothing to
/// mask.
///
/// candle-transformers has one too; it compiles every model family it knows for the sake of this one.
pub(super) struct Bert {
    words: Embedding,
    positions: Embedding,
    kinds: Embedding,
    norm: LayerNorm,
    layers: Vec<Layer>,
}

struct Layer {
    query: Dense,
    key: Dense,
    value: Dense,
    attended: Dense,
    attention_norm: LayerNorm,
    widen: Dense,
    narrow: Dense,
    output_norm: LayerNorm,
}

impl Bert {
    pub(super) fn load(weights: &VarBuilder) -> Result<Self> {
        let embeddings = weights.pp("embeddings");
        Ok(Self {
            words: embedding(VOCABULARY, WIDTH, embeddings.pp("word_embeddings"))?,
            positions: embedding(POSITIONS, WIDTH, embeddings.pp("position_embeddings"))?,
            kinds: embedding(2, WIDTH, embeddings.pp("token_type_embeddings"))?,
            norm: layer_norm(WIDTH, EPSILON, embeddings.pp("LayerNorm"))?,
            layers: (0..LAYERS).map(|n| Layer::load(&weights.pp(format!("{LAYER_PREFIX}{n}")))).collect::<Result<_>>()?,
        })
    }

    /// The mean states of the layers asked for, by sentence: `[sentences, 384]` for each of `layers`, where 0 is what goes into the
    /// first layer and 6 what comes out of the last.
    ///
    /// All sentences have the same length in `tokens`, marks included, of at most 512.
    pub(super) fn pooled(&self, sentences: &[&[u32]], layers: &[usize]) -> Result<Vec<Tensor>> {
        let device = Device::Cpu;
        let length = sentences.first().map_or(0, |tokens| tokens.len());
        let ids = Tensor::new(sentences.concat(), &device)?;
        let places = Tensor::arange(0u32, length as u32, &device)?.repeat(sentences.len())?;
        let kinds = Tensor::zeros(ids.elem_count(), DType::U32, &device)?;
        let sum = ((self.words.forward(&ids)? + self.positions.forward(&places)?)? + self.kinds.forward(&kinds)?)?;
        let mut states = self.norm.forward(&sum)?;
        let mean = |states: &Tensor| states.reshape((sentences.len(), length, WIDTH))?.mean(1);
        let mut found = Vec::with_capacity(layers.len());
        for (at, layer) in self.layers.iter().enumerate() {
            if layers.contains(&at) {
                found.push(mean(&states)?);
            }
            states = layer.forward(&states, sentences.len())?;
        }
        if layers.contains(&self.layers.len()) {
            found.push(mean(&states)?);
        }
        Ok(found)
    }
}

impl Layer {
    fn load(weights: &VarBuilder) -> Result<Self> {
        let attention = weights.pp("attention");
        Ok(Self {
            query: Dense::load(WIDTH, WIDTH, &attention.pp("self.query"))?,
            key: Dense::load(WIDTH, WIDTH, &attention.pp("self.key"))?,
            value: Dense::load(WIDTH, WIDTH, &attention.pp("self.value"))?,
            attended: Dense::load(WIDTH, WIDTH, &attention.pp("output.dense"))?,
            attention_norm: layer_norm(WIDTH, EPSILON, attention.pp("output.LayerNorm"))?,
            widen: Dense::load(WIDTH, INNER, &weights.pp("intermediate.dense"))?,
            narrow: Dense::load(INNER, WIDTH, &weights.pp("output.dense"))?,
            output_norm: layer_norm(WIDTH, EPSILON, weights.pp("output.LayerNorm"))?,
        })
    }

    /// `[sentences * length, 384]` in and out.
    fn forward(&self, states: &Tensor, sentences: usize) -> Result<Tensor> {
        let attended = self.attended.forward(&self.attend(states, sentences)?)?;
        let states = self.attention_norm.forward(&(states + attended)?)?;
        let inner = self.narrow.forward(&self.widen.forward(&states)?.apply_op1_no_bwd(&Gelu)?)?;
        self.output_norm.forward(&(states + inner)?)
    }

    /// Scaled dot-product attention (Vaswani et al. 2017), each sentence within itself.
    fn attend(&self, states: &Tensor, sentences: usize) -> Result<Tensor> {
        let length = states.dim(0)? / sentences.max(1);
        let heads = |x: Tensor| x.reshape((sentences, length, HEADS, WIDTH / HEADS))?.transpose(1, 2)?.contiguous();
        let query = (heads(self.query.forward(states)?)? / ((WIDTH / HEADS) as f64).sqrt())?;
        let key = heads(self.key.forward(states)?)?;
        let value = heads(self.value.forward(states)?)?;
        let weights = candle_nn::ops::softmax_last_dim(&query.matmul(&key.transpose(D::Minus1, D::Minus2)?.contiguous()?)?)?;
        weights.matmul(&value)?.transpose(1, 2)?.reshape((sentences * length, WIDTH))
    }
}

/// `weights` with an adapter merged in: `<matrix>.lora_A [rank, in]` and `<matrix>.lora_B [out, rank]` add `B A` to a matrix (Hu et
/// al., "LoRA", 2021), `<vector>.delta` adds to a vector. What the adapter leaves alone is shared, not copied.
pub(super) fn adapted(
    weights: &HashMap<String, Tensor>,
    adapter: &HashMap<String, Tensor>,
) -> std::result::Result<HashMap<String, Tensor>, String> {
    let mut merged = weights.clone();
    for name in adapter.keys() {
        let (target, change) = if let Some(matrix) = name.strip_suffix(".lora_B") {
            let low = adapter.get(&format!("{matrix}.lora_A")).ok_or_else(|| format!("{matrix}.lora_A is missing"))?;
            (matrix, widened(&adapter[name]).and_then(|high| high.matmul(&widened(low)?)))
        } else if let Some(vector) = name.strip_suffix(".delta") {
            (vector, widened(&adapter[name]))
        } else if name.ends_with(".lora_A") {
            continue;
        } else {
            return Err(format!("{name} is neither lora_A, lora_B nor delta"));
        };
        let before = weights.get(target).ok_or_else(|| format!("{target} is in no weights"))?;
        let after = change.and_then(|change| before + change).map_err(|e| format!("{name} does not fit: {e}"))?;
        merged.insert(target.to_owned(), after);
    }
    Ok(merged)
}

fn widened(tensor: &Tensor) -> Result<Tensor> {
    tensor.to_dtype(DType::F32)
}
