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

/// What an intent does beside being answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Something of the order is taken out.
    OrderRemove,
    /// What the order costs is told.
    OrderTotal,
    /// The order is read back.
    OrderReview,
    /// The order is right.
    OrderConfirm,
    /// The order is dropped.
    OrderCancel,
    /// The last answer is said again.
    Repeat,
    /// The conversation begins anew.
    StartOver,
    /// Two products are set side by side.
    Compare,
    /// What goes with a product is told: only that is offered, and the answer names what is offered.
    GoWith,
}

/// How an intent is treated, beyond [`IntentDefinition`]: all of it may be absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IntentManner {
    /// What it does.
    pub act: Option<Act>,
    /// The intent that is meant instead where no product is named and the order was talked about last: "how much is that?".
    pub after_order: Option<String>,
    /// Whether a question of the FAQ that is only roughly near goes before the intent's own answer.
    pub faq_first: bool,
    /// Templates for where a category was named and not one product; `products` holds those of it.
    pub several: Vec<String>,
    /// A longer text for a screen (MiniJinja).
    pub details: Option<String>,
}
