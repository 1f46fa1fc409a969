use std::fmt;

/// A number that was to be a unit and is none.
#[derive(Debug, Clone, PartialEq)]
pub enum UnitError {
    /// Not a number in 0..=1.
    NotAProbability(f32),
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UnitError::NotAProbability(value) => write!(f, "{value} is not a probability; expected a number from 0 to 1"),
        }
    }
}

impl std::error::Error for UnitError {}

/// A number in 0..=1, never NaN.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Probability(f32);

impl Probability {
    /// Refuses NaN and whatever lies outside 0..=1.
    pub fn new(value: f32) -> Result<Self, UnitError> {
        if (0.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(UnitError::NotAProbability(value)) }
    }

    /// For the end of an arithmetic that can only leave the range by rounding; NaN becomes 0.
    pub fn clamped(value: f32) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    /// The number itself.
    pub fn get(self) -> f32 {
        self.0
    }
}

/// A price in cents of the shop's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PriceCents(pub u32);

impl PriceCents {
    /// The price as it is spoken: "79 cents", "2 euros", "2 euros 49". `currency_word` is the plural ("euros").
    pub fn spoken(self, currency_word: &str) -> String {
        let (whole, cents) = (self.0 / 100, self.0 % 100);
        let word = if whole == 1 { currency_word.strip_suffix('s').unwrap_or(currency_word) } else { currency_word };
        match (whole, cents) {
            (0, 1) => "1 cent".to_owned(),
            (0, _) => format!("{cents} cents"),
            (_, 0) => format!("{whole} {word}"),
            _ => format!("{whole} {word} {cents:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probability_is_never_nan_nor_outside_its_range() {
        assert!(Probability::new(f32::NAN).is_err());
        assert!(Probability::new(-0.1).is_err());
        assert!(Probability::new(1.1).is_err());
        assert_eq!(Probability::new(0.5).map(Probability::get), Ok(0.5));
        assert_eq!(Probability::clamped(f32::NAN).get(), 0.0);
    }

    #[test]
    fn a_price_is_spoken_as_people_say_it() {
        let spoken = |cents| PriceCents(cents).spoken("euros");
        assert_eq!(spoken(79), "79 cents");
        assert_eq!(spoken(100), "1 euro");
        assert_eq!(spoken(200), "2 euros");
        assert_eq!(spoken(249), "2 euros 49");
        assert_eq!(spoken(105), "1 euro 05");
    }
}
