use crate::domain::{IntentDefinition, IntentKind};
use crate::language::{LanguageError, SentenceVector};

/// Sentences with the intent of each, for training or evaluation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IntentExamples {
    /// Names of the intents.
    pub names: Vec<String>,
    /// Place of the intent whose examples are for no desk, if there is one.
    pub out_of_scope: Option<usize>,
    /// What was said.
    pub texts: Vec<String>,
    /// Place of each sentence's intent in `names`.
    pub labels: Vec<u32>,
}

impl IntentExamples {
    /// Those that a shop wrote into its config.
    pub fn of_shop(definitions: &[IntentDefinition]) -> Self {
        let labels = definitions.iter().zip(0u32..).flat_map(|(d, class)| d.examples.iter().map(move |_| class)).collect();
        Self {
            names: definitions.iter().map(|d| d.name.clone()).collect(),
            out_of_scope: definitions.iter().position(|d| d.kind == IntentKind::OutOfScope),
            texts: definitions.iter().flat_map(|d| d.examples.iter().cloned()).collect(),
            labels,
        }
    }

    /// Refuses what nothing can be learnt from: `vectors` must be those of the texts, and every intent needs two examples.
    pub(super) fn check(&self, vectors: &[SentenceVector]) -> Result<(), LanguageError> {
        let count = |class: usize| self.labels.iter().filter(|label| **label as usize == class).count();
        let few = self.names.iter().enumerate().find(|(class, _)| count(*class) < 2);
        if let Some((_, few)) = few {
            return Err(LanguageError::TooLittle(format!("intent {few:?} has fewer than two examples; write at least ten")));
        }
        if self.names.len() < 2 || self.labels.len() != vectors.len() || self.texts.len() != vectors.len() {
            return Err(LanguageError::TooLittle("at least two intents with examples are needed to tell them apart".to_owned()));
        }
        Ok(())
    }

    /// The same where no sentence is out of scope: then there is no class for it.
    pub fn without_unknown_class(&self) -> Self {
        let unknown = self.out_of_scope.is_some_and(|at| at >= self.names.len());
        Self { out_of_scope: self.out_of_scope.filter(|_| !unknown), ..self.clone() }
    }

    /// Whether a sentence is for this desk, by its label.
    pub(super) fn in_scope(&self, at: usize) -> bool {
        Some(self.labels[at] as usize) != self.out_of_scope
    }
}

/// Whether a sentence is kept back for calibration where there are many: one in eight, by its words alone (FNV-1a, 64 bit).
///
/// The adapter of the encoder was trained on public sentences by the same rule, so that those kept back here were never seen by it.
pub(in crate::language) fn kept_back(text: &str) -> bool {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = text.trim().to_lowercase().bytes().fold(0xcbf2_9ce4_8422_2325, step);
    (hash ^ (hash >> 32)) % 8 == 0
}
