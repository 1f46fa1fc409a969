use super::Probability;

/// Where a person speaks from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A kiosk with microphone and perhaps camera.
    Kiosk,
    /// A telephone line.
    Phone,
    /// Typed text.
    Typed,
}

impl Channel {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Kiosk => "kiosk",
            Channel::Phone => "phone",
            Channel::Typed => "typed",
        }
    }
}

/// What is known of the session when a turn is predicted: the named tabular features of the behaviour model.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionFeatures {
    /// Turns so far, this one included.
    pub turns: u32,
    /// Seconds since the session began.
    pub seconds: f32,
    /// Hour of the day, 0..24, local time of the shop.
    pub hour: f32,
    /// Where the person speaks from.
    pub channel: Channel,
    /// Sentiment of this turn in -1..=1, where it is known.
    pub sentiment: Option<f32>,
    /// Lowest sentiment of the session so far.
    pub sentiment_min: Option<f32>,
    /// Turns that could not be answered so far.
    pub unanswered: u32,
    /// Turns that asked for a fact of a product so far.
    pub product_questions: u32,
    /// Whether this turn asks for a person.
    pub asks_for_person: bool,
    /// Probability of the best intent of this turn, where something was said.
    pub intent_confidence: Option<f32>,
    /// Price of the product talked about, in cents, where there is one.
    pub price_cents: Option<u32>,
    /// Whether the product talked about is on offer.
    pub on_offer: bool,
    /// Whether the product talked about is in stock; `None` without a product.
    pub in_stock: Option<bool>,
    /// Items noted for the person so far.
    pub basket: u32,
}

/// How much each kind of input had to say, summing to 1 over those present.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModalityShares {
    /// The words.
    pub text: f32,
    /// The photo.
    pub photo: f32,
    /// The session's features.
    pub session: f32,
}

/// What pushed a prediction, and which way.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// Name of the feature or modality.
    pub feature: String,
    /// Change of the purchase logit that it causes against an average shopper.
    pub effect: f32,
}

/// What the person is about to do.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Buys what was talked about.
    pub purchase: Probability,
    /// Takes a recommendation.
    pub accept_recommendation: Probability,
    /// Needs a person.
    pub handoff_needed: Probability,
    /// Leaves without an answer.
    pub abandon: Probability,
    /// How unlike other sessions this one is, one half for a session among many; `None` where nothing says what is usual.
    pub anomaly: Option<Probability>,
    /// How much each modality had to say.
    pub shares: ModalityShares,
    /// The strongest pushes on `purchase`, strongest first.
    pub because: Vec<Push>,
}
