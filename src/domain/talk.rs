/// Words by which people point at what was just talked about. Lower case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PointingWords {
    /// "the other one".
    pub other: Vec<String>,
    /// "the first one", "the second", in this order.
    pub places: Vec<Vec<String>>,
    /// "the last one".
    pub last: Vec<String>,
    /// "the cheaper one".
    pub cheapest: Vec<String>,
    /// "the dearer one".
    pub dearest: Vec<String>,
    /// "one", "ones": what stands for a product.
    pub one: Vec<String>,
    /// "and", "what about": a sentence that begins so and names a product asks the same again.
    pub again: Vec<String>,
    /// "it", "this", "them": what was talked about, and nothing else.
    pub same: Vec<String>,
    /// What says nothing about a product: "the", "and".
    pub filler: Vec<String>,
}

/// A sentence that is known by its words, before anything else is thought of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its name in records; its words are the saying `rules.NAME`.
    pub name: String,
    /// Words and phrases, lower case.
    pub words: Vec<String>,
    /// So many different ones must be there.
    pub at_least: usize,
    /// Where one of these is there too, the rule does not hold.
    pub unless: Vec<String>,
    /// Whether a question of the FAQ that is meant goes before it.
    pub after_faq: bool,
    /// Whether a member of staff should come.
    pub fetches_staff: bool,
}
