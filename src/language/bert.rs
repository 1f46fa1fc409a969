use candle_core::{D, DType, Device, Module, Result, Tensor};
use candle_nn::{Embedding, LayerNorm, Linear, VarBuilder, embedding, layer_norm, linear};

/// Dimensions of `all-MiniLM-L6-v2` (its `config.json`).
const LAYERS: usize = 6;
const HEADS: usize = 12;
pub(super) const WIDTH: usize = 384;
const INNER: usize = 1536;
const VOCABULARY: usize = 30_522;
const POSITIONS: usize = 512;
const EPSILON: f64 = 1e-12;

/// BERT's encoder (Devlin et al. 2019) at MiniLM's size, for one sentence at a time: without padding there is nothing to mask.
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
    query: Linear,
    key: Linear,
    value: Linear,
    attended: Linear,
    attention_norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
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
            layers: (0..LAYERS).map(|n| Layer::load(&weights.pp(format!("encoder.layer.{n}")))).collect::<Result<_>>()?,
        })
    }

    /// `tokens` is one sentence with its marks, at most 512 long. Returns the last layer's states, `[length, 384]`.
    pub(super) fn forward(&self, tokens: &[u32]) -> Result<Tensor> {
        let device = Device::Cpu;
        let ids = Tensor::new(tokens, &device)?;
        let places = Tensor::arange(0u32, tokens.len() as u32, &device)?;
        let kinds = Tensor::zeros(tokens.len(), DType::U32, &device)?;
        let sum = ((self.words.forward(&ids)? + self.positions.forward(&places)?)? + self.kinds.forward(&kinds)?)?;
        self.layers.iter().try_fold(self.norm.forward(&sum)?, |states, layer| layer.forward(&states))
    }
}

impl Layer {
    fn load(weights: &VarBuilder) -> Result<Self> {
        let attention = weights.pp("attention");
        Ok(Self {
            query: linear(WIDTH, WIDTH, attention.pp("self.query"))?,
            key: linear(WIDTH, WIDTH, attention.pp("self.key"))?,
            value: linear(WIDTH, WIDTH, attention.pp("self.value"))?,
            attended: linear(WIDTH, WIDTH, attention.pp("output.dense"))?,
            attention_norm: layer_norm(WIDTH, EPSILON, attention.pp("output.LayerNorm"))?,
            widen: linear(WIDTH, INNER, weights.pp("intermediate.dense"))?,
            narrow: linear(INNER, WIDTH, weights.pp("output.dense"))?,
            output_norm: layer_norm(WIDTH, EPSILON, weights.pp("output.LayerNorm"))?,
        })
    }

    fn forward(&self, states: &Tensor) -> Result<Tensor> {
        let attended = self.attended.forward(&self.attend(states)?)?;
        let states = self.attention_norm.forward(&(states + attended)?)?;
        let inner = self.narrow.forward(&self.widen.forward(&states)?.gelu_erf()?)?;
        self.output_norm.forward(&(states + inner)?)
    }

    /// Scaled dot-product attention (Vaswani et al. 2017), `[length, 384]` in and out.
    fn attend(&self, states: &Tensor) -> Result<Tensor> {
        let length = states.dim(0)?;
        let heads = |x: Tensor| x.reshape((length, HEADS, WIDTH / HEADS))?.transpose(0, 1)?.contiguous();
        let query = (heads(self.query.forward(states)?)? / ((WIDTH / HEADS) as f64).sqrt())?;
        let key = heads(self.key.forward(states)?)?;
        let value = heads(self.value.forward(states)?)?;
        let weights = candle_nn::ops::softmax_last_dim(&query.matmul(&key.transpose(D::Minus1, D::Minus2)?.contiguous()?)?)?;
        weights.matmul(&value)?.transpose(0, 1)?.reshape((length, WIDTH))
    }
}
