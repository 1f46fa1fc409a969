use std::path::PathBuf;

use super::inputs::Modality;

/// Why a behaviour model could not be loaded, trained or asked.
#[derive(Debug, thiserror::Error)]
pub enum BehaviorError {
    /// The disk said no.
    #[error("cannot {doing} {path}: {source}; check that the folder exists and that this user may use it")]
    Io {
        /// "read" or "write".
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not a safetensors file, or one cut short.
    #[error("{origin} is no complete safetensors file ({reason}); copy it again or train it anew with `kioskd behavior train-simulated`")]
    NotSafetensors {
        /// Where the bytes came from.
        origin: String,
        /// What the parser said.
        reason: String,
    },
    /// Weights of something else.
    #[error("{origin} holds no kioskd behaviour model ({reason}); give the fusion.safetensors that `kioskd behavior` wrote")]
    OtherModel {
        /// Where the bytes came from.
        origin: String,
        /// What is missing or different in its description.
        reason: String,
    },
    /// Trained on other session features than this program measures.
    #[error("{origin} was trained on the session features [{found}], but this kioskd measures [{expected}]; train it anew")]
    OtherFeatures {
        /// Where the bytes came from.
        origin: String,
        /// Names in the file.
        found: String,
        /// Names in this program.
        expected: String,
    },
    /// A tensor is not there.
    #[error("{origin} lacks the tensor {tensor:?}; the file is of another version or damaged, train it anew")]
    MissingTensor {
        /// Where the bytes came from.
        origin: String,
        /// Its name.
        tensor: String,
    },
    /// A tensor has the wrong type or shape.
    #[error("{origin}: tensor {tensor:?} is {found}, but this kioskd expects {expected}; train it anew")]
    WrongTensor {
        /// Where the bytes came from.
        origin: String,
        /// Its name.
        tensor: String,
        /// Its type and shape in the file.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// NaN or infinity among the weights.
    #[error("{origin}: tensor {tensor:?} holds a number that is not finite; the training went wrong, train it anew with a lower rate")]
    NotFinite {
        /// Where the bytes came from.
        origin: String,
        /// Its name.
        tensor: String,
    },
    /// The vectors come from other weights than in training.
    #[error(
        "the behaviour model was trained with the {modality} encoder {expected}, but {found} is in use; train it anew or use that encoder"
    )]
    OtherEncoder {
        /// Whose vectors.
        modality: Modality,
        /// Checksum of the encoder of the training.
        expected: String,
        /// Checksum of the encoder in use.
        found: String,
    },
    /// An embedding that the network cannot take.
    #[error("the {modality} embedding {problem}; expected {expected} finite numbers that are not all zero")]
    BadEmbedding {
        /// Whose.
        modality: Modality,
        /// What is wrong, as the end of a sentence.
        problem: String,
        /// Numbers expected.
        expected: usize,
    },
    /// A part of the data is too small to learn from or to measure with.
    #[error("the {part} part has {found} shoppers, but at least {needed} are needed; simulate more")]
    TooFewExamples {
        /// "training", "validation" or "test".
        part: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        needed: usize,
    },
    /// The log holds too little to learn from.
    #[error(
        "the {part} slice has {found} sessions with a known outcome, but at least {needed} are needed; tell what becomes of more of them"
    )]
    TooFewSessions {
        /// "training", "validation" or "held-out".
        part: &'static str,
        /// How many there are.
        found: usize,
        /// How many there should be.
        needed: usize,
    },
    /// There is nothing to go back to.
    #[error("there is no earlier version to go back to; `kioskd behavior versions` lists those there are")]
    NoEarlierVersion,
    /// A head with one answer only cannot be learnt.
    #[error("in the {part} part the outcome {head:?} is the same for every shopper; it cannot be learnt or measured")]
    OneClass {
        /// "training", "validation" or "test".
        part: &'static str,
        /// Which outcome.
        head: &'static str,
    },
    /// A setting out of its range.
    #[error("behaviour setting {key} is {found}; expected {expected}")]
    BadSetting {
        /// Its name in the configuration.
        key: &'static str,
        /// What was given.
        found: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// What the simulation needs and was not given.
    #[error("shoppers cannot be simulated: {0}")]
    CannotSimulate(String),
    /// The loss became NaN or infinite.
    #[error("the training diverged in pass {epoch}: the loss is no longer a number; lower learning_rate")]
    Diverged {
        /// From 1.
        epoch: usize,
    },
    /// Arithmetic failed inside candle: a bug here, as shapes are checked before.
    #[error("the network could not be computed: {0}")]
    Tensor(#[from] candle_core::Error),
}
