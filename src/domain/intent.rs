/// What must be known before an intent can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: it is answered at once.
    Nothing,
    /// Which product is meant.
    Product,
}

/// How an intent is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntentKind {
    /// From the catalog and the shop's facts, by template.
    Fact,
    /// By the nearest entry of the FAQ.
    Faq,
    /// With recommendations.
    Recommend,
    /// By fetching a person.
    Handoff,
    /// By noting an order.
    Order,
    /// By a short courtesy.
    Smalltalk,
    /// Not for this desk; its examples teach what to refuse.
    OutOfScope,
}

/// One intent as the shop wrote it.
#[derive(Debug, Clone, PartialEq)]
pub struct IntentDefinition {
    /// Its name in records and logs.
    pub name: String,
    /// Its name in a question back: "Did you mean the price of a product?"
    pub title: String,
    /// How it is answered.
    pub kind: IntentKind,
    /// What must be known first.
    pub needs: Needs,
    /// What people say; at least one.
    pub examples: Vec<String>,
    /// Templates of answers (MiniJinja).
    pub answers: Vec<String>,
    /// What to ask where the product is not known.
    pub missing: Vec<String>,
}
