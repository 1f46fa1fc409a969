use super::ProductId;

/// What a conversation has come to: all that the next turn needs to know of the ones before. It is kept with each turn in the log,
/// so a conversation goes on after a restart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DialogueState {
    /// Turns taken.
    pub turns: u32,
    /// When the first one was taken, in milliseconds since 1970 (UTC); 0 before.
    pub started_unix_ms: u64,
    /// The language spoken, as a two-letter code; none before anything was heard.
    pub language: Option<String>,
    /// The product talked about.
    pub product: Option<ProductId>,
    /// The intent that waits for a product to be named.
    pub pending_intent: Option<String>,
    /// What was said last, for "say that again".
    pub last_answer: Option<String>,
    /// Turns in a row that could not be answered.
    pub failures: u32,
    /// Turns that could not be answered, in all.
    pub unanswered: u32,
    /// Turns that asked for a fact of a product.
    pub product_questions: u32,
    /// Lowest sentiment so far.
    pub sentiment_min: Option<f32>,
    /// What was ordered, in words.
    pub basket: Vec<String>,
    /// The products among it.
    pub basket_products: Vec<ProductId>,
}
