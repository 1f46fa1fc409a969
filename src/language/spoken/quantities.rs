//! Amounts with their unit: "250 g", "two hundred and fifty grams", "one point five litres".

use super::{numbers, scan};

/// A unit of weight, volume or length that products are sold by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// mg
    Milligram,
    /// g
    Gram,
    /// kg
    Kilogram,
    /// ml
    Millilitre,
    /// cl
    Centilitre,
    /// l
    Litre,
    /// oz
    Ounce,
    /// lb
    Pound,
    /// mm
    Millimetre,
    /// cm
    Centimetre,
    /// km
    Kilometre,
    /// kcal
    Kilocalorie,
}

/// Each unit: how it is written short, how one of it is said, how many are said.
const UNITS: [(Unit, &str, &str, &str); 12] = [
    (Unit::Milligram, "mg", "milligram", "milligrams"),
    (Unit::Gram, "g", "gram", "grams"),
    (Unit::Kilogram, "kg", "kilogram", "kilograms"),
    (Unit::Millilitre, "ml", "millilitre", "millilitres"),
    (Unit::Centilitre, "cl", "centilitre", "centilitres"),
    (Unit::Litre, "l", "litre", "litres"),
    (Unit::Ounce, "oz", "ounce", "ounces"),
    (Unit::Pound, "lb", "pound", "pounds"),
    (Unit::Millimetre, "mm", "millimetre", "millimetres"),
    (Unit::Centimetre, "cm", "centimetre", "centimetres"),
    (Unit::Kilometre, "km", "kilometre", "kilometres"),
    (Unit::Kilocalorie, "kcal", "kilocalorie", "kilocalories"),
];

impl Unit {
    /// Its name: of one, or of another number.
    pub fn spoken(self, is_one: bool) -> &'static str {
        let (.., one, many) = UNITS.iter().find(|(unit, ..)| *unit == self).copied().unwrap_or((self, "", "", ""));
        if is_one { one } else { many }
    }

    /// As it is written short: "kg".
    pub fn written(self) -> &'static str {
        UNITS.iter().find(|(unit, ..)| *unit == self).map_or("", |(_, short, ..)| short)
    }

    /// How many of the smallest unit of the same kind it is: 1 kg is 1,000,000 mg. `None` where there is no smaller one.
    fn smallest(self) -> Option<(Unit, u64)> {
        Some(match self {
            Unit::Milligram => (Unit::Milligram, 1),
            Unit::Gram => (Unit::Milligram, 1_000),
            Unit::Kilogram => (Unit::Milligram, 1_000_000),
            Unit::Millilitre => (Unit::Millilitre, 1),
            Unit::Centilitre => (Unit::Millilitre, 10),
            Unit::Litre => (Unit::Millilitre, 1_000),
            Unit::Millimetre => (Unit::Millimetre, 1),
            Unit::Centimetre => (Unit::Millimetre, 10),
            Unit::Kilometre => (Unit::Millimetre, 1_000_000),
            Unit::Ounce | Unit::Pound | Unit::Kilocalorie => return None,
        })
    }
}

/// An amount of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity {
    /// How much, in thousandths of the unit: 1.5 l is 1500.
    pub thousandths: u64,
    /// Of what.
    pub unit: Unit,
}

impl Quantity {
    /// Whether both are as much of the same: 0.5 l and 500 ml are.
    pub fn equals(self, other: Quantity) -> bool {
        let smallest =
            |q: Quantity| q.unit.smallest().map_or((q.unit, Some(q.thousandths)), |(unit, by)| (unit, q.thousandths.checked_mul(by)));
        smallest(self) == smallest(other)
    }
}

/// Reads an amount; the whole text is the amount. Three places behind the point are understood.
pub fn quantity(text: &str) -> Option<Quantity> {
    let words = scan::words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (thousandths, rest) = match &words[..] {
        ["half", "a", rest @ ..] => (500, rest),
        ["a", rest @ ..] if rest.len() == 1 => (1_000, rest),
        words => amount(words)?,
    };
    let [unit] = rest else { return None };
    Some(Quantity { thousandths, unit: unit_of(unit)? })
}

/// How much, in thousandths, at the beginning of the words, and the words behind it.
pub(in crate::language) fn amount<'w, 't>(words: &'w [&'t str]) -> Option<(u64, &'w [&'t str])> {
    if let Some((whole, decimals)) = words.first()?.split_once('.') {
        return Some((thousandths(numbers::value_of_digits(whole)?, decimals)?, &words[1..]));
    }
    let number = numbers::number_at(words).filter(|number| !number.is_ordinal)?;
    match &words[number.words..] {
        ["point", rest @ ..] => {
            let decimals: String = rest.iter().map_while(|word| numbers::digit(word)).map(|digit| digit.to_string()).collect();
            Some((thousandths(number.value, &decimals)?, &rest[decimals.len()..]))
        }
        ["and", "a", "half", rest @ ..] => Some((thousandths(number.value, "5")?, rest)),
        rest => Some((thousandths(number.value, "0")?, rest)),
    }
}

fn thousandths(whole: u64, decimals: &str) -> Option<u64> {
    if !(1..=3).contains(&decimals.len()) {
        return None;
    }
    let part: u64 = format!("{decimals:0<3}").parse().ok()?;
    whole.checked_mul(1_000)?.checked_add(part)
}

/// The unit of that name, long or short.
pub(in crate::language) fn unit_of(word: &str) -> Option<Unit> {
    let word = super::spellings::usual(word);
    let is_it = |(_, short, one, many): &&(Unit, &str, &str, &str)| word == *short || word == *one || word == *many;
    UNITS.iter().find(is_it).map(|(unit, ..)| *unit).or_else(|| (word == "lbs").then_some(Unit::Pound))
}

/// How a unit that is written short is said: of one, and of many.
pub(super) fn written_unit(short: &str) -> Option<(&'static str, &'static str)> {
    let short = if short == "lbs" { "lb" } else { short };
    UNITS.iter().find(|(_, written, ..)| *written == short).map(|(.., one, many)| (*one, *many))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_in_words_and_as_they_are_printed() {
        let table = [
            ("250 g", 250_000, Unit::Gram),
            ("250g", 250_000, Unit::Gram),
            ("two hundred and fifty grams", 250_000, Unit::Gram),
            ("1.5 l", 1_500, Unit::Litre),
            ("one point five liters", 1_500, Unit::Litre),
            ("one and a half litres", 1_500, Unit::Litre),
            ("half a kilo", 500, Unit::Kilogram),
            ("a pound", 1_000, Unit::Pound),
            ("16 oz", 16_000, Unit::Ounce),
            ("0.330 l", 330, Unit::Litre),
            ("one point oh five kilograms", 1_050, Unit::Kilogram),
        ];
        for (text, thousandths, unit) in table {
            assert_eq!(quantity(text), Some(Quantity { thousandths, unit }), "{text}");
        }
    }

    #[test]
    fn the_same_amount_in_other_units_is_equal() {
        let read = |text| quantity(text).expect("an amount");
        assert!(read("half a litre").equals(read("500 ml")) && read("50 cl").equals(read("0.5 l")));
        assert!(!read("one litre").equals(read("one kilo")) && !read("a pound").equals(read("16 oz")));
    }

    #[test]
    fn an_amount_without_a_unit_or_of_something_else_is_none() {
        for text in ["250", "two lattes", "g", "first gram", "1.2345 l", "one point grams", "two grams please"] {
            assert_eq!(quantity(text), None, "{text}");
        }
    }
}
