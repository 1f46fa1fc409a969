//! Values in words, for a voice to say. The readers of this folder understand all of it again.

use super::dates::{Date, MONTHS};
use super::numbers::{SCALES, TEENS, TEENS_ORDINAL, TENS, TENS_ORDINAL, UNITS, UNITS_ORDINAL};
use super::quantities::Quantity;
use super::times::{AFTERNOON, HALF_DAY, HOUR};
use crate::domain::PriceCents;

/// 1250 is "one thousand two hundred and fifty".
pub fn cardinal(number: u64) -> String {
    let mut words = Vec::new();
    let mut rest = number;
    for (scale, _, size) in SCALES {
        if rest >= size {
            words.push(format!("{} {scale}", cardinal(rest / size)));
            rest %= size;
        }
    }
    if rest >= 100 {
        words.push(format!("{} hundred", UNITS[(rest / 100) as usize]));
        rest %= 100;
    }
    if rest > 0 || words.is_empty() {
        let joined = if words.is_empty() { below_hundred(rest) } else { format!("and {}", below_hundred(rest)) };
        words.push(joined);
    }
    words.join(" ")
}

/// 0 to 99.
fn below_hundred(number: u64) -> String {
    let number = number as usize;
    match (number / 10, number % 10) {
        (0, unit) => UNITS[unit].to_owned(),
        (1, unit) => TEENS[unit].to_owned(),
        (ten, 0) => TENS[ten - 2].to_owned(),
        (ten, unit) => format!("{}-{}", TENS[ten - 2], UNITS[unit]),
    }
}

/// 21 is "twenty-first".
pub fn ordinal(number: u64) -> String {
    let words = cardinal(number);
    let (before, last) = match words.rfind([' ', '-']) {
        Some(at) => words.split_at(at + 1),
        None => ("", words.as_str()),
    };
    let lists = [(&UNITS[..], &UNITS_ORDINAL[..]), (&TEENS[..], &TEENS_ORDINAL[..]), (&TENS[..], &TENS_ORDINAL[..])];
    let nth = lists.iter().find_map(|(list, ordinals)| Some(ordinals[list.iter().position(|word| *word == last)?].to_owned()));
    format!("{before}{}", nth.unwrap_or_else(|| format!("{last}th")))
}

/// The number of an order: "417" is "four one seven". Other characters than digits are left out.
pub fn digits(text: &str) -> String {
    let names: Vec<&str> = text.bytes().filter(u8::is_ascii_digit).map(|digit| UNITS[usize::from(digit - b'0')]).collect();
    names.join(" ")
}

/// "melvin" is "M E L V I N". Capitals, because a voice reads a lonely "a" as a word. Other characters than letters and digits are
/// left out.
pub fn spelt(text: &str) -> String {
    let one = |c: char| if c.is_ascii_digit() { digits(&c.to_string()) } else { c.to_ascii_uppercase().to_string() };
    text.chars().filter(char::is_ascii_alphanumeric).map(one).collect::<Vec<_>>().join(" ")
}

/// 299 is "two pounds ninety-nine". `currency_word` is the plural of the currency; a hundredth of a pound is a penny, of others a cent.
pub fn price(price: PriceCents, currency_word: &str) -> String {
    let (whole, cents) = (u64::from(price.0 / 100), u64::from(price.0 % 100));
    let (part, parts) = if currency_word.eq_ignore_ascii_case("pounds") { ("penny", "pence") } else { ("cent", "cents") };
    let currency = if whole == 1 { currency_word.strip_suffix('s').unwrap_or(currency_word) } else { currency_word };
    match (whole, cents) {
        (0, 1) => format!("one {part}"),
        (0, _) => format!("{} {parts}", cardinal(cents)),
        (_, 0) => format!("{} {currency}", cardinal(whole)),
        _ => format!("{} {currency} {}", cardinal(whole), cardinal(cents)),
    }
}

/// 299 is "two ninety-nine", as people say it where the currency is plain. Prices that would not be understood so, such as 2.00 and 0.40,
/// are said with it.
pub fn price_in_short(amount: PriceCents, currency_word: &str) -> String {
    match (amount.0 / 100, amount.0 % 100) {
        (1..100, 0) | (0, _) | (100.., _) => price(amount, currency_word),
        (whole, cents @ 1..10) => format!("{} oh {}", cardinal(u64::from(whole)), cardinal(u64::from(cents))),
        (whole, cents) => format!("{} {}", cardinal(u64::from(whole)), cardinal(u64::from(cents))),
    }
}

/// A time of the day, from minutes since midnight: 930 is "half past three". What a shop's customer would not take it for is said with
/// the part of the day. Minutes past the day count on in the next.
pub fn time(minutes: u16) -> String {
    let minutes = minutes % (2 * HALF_DAY);
    let part = match minutes {
        0 => return "midnight".to_owned(),
        HALF_DAY => return "noon".to_owned(),
        1..HOUR => " at night",
        early if AFTERNOON.contains(&early) => " in the morning",
        late if late >= AFTERNOON.end + HALF_DAY => " in the evening",
        _ => "",
    };
    let hour = |shift: u16| cardinal(u64::from((minutes / HOUR + shift + 11) % 12 + 1));
    let minute = u64::from(minutes % HOUR);
    let clock = match minute {
        0 => format!("{} o'clock", hour(0)),
        15 => format!("quarter past {}", hour(0)),
        30 => format!("half past {}", hour(0)),
        45 => format!("quarter to {}", hour(1)),
        5 | 10 | 20 | 25 => format!("{} past {}", cardinal(minute), hour(0)),
        35 | 40 | 50 | 55 => format!("{} to {}", cardinal(60 - minute), hour(1)),
        1..10 => format!("{} oh {}", hour(0), cardinal(minute)),
        _ => format!("{} {}", hour(0), cardinal(minute)),
    };
    clock + part
}

/// "the twenty-first of May", and with a year "the third of March nineteen twenty-eight".
pub fn date(date: Date) -> String {
    let month = MONTHS.get(usize::from(date.month).wrapping_sub(1)).copied().unwrap_or_default();
    let day = format!("the {} of {month}", ordinal(u64::from(date.day)));
    match date.year {
        Some(year) => format!("{day} {}", self::year(year)),
        None => day,
    }
}

/// 1928 is "nineteen twenty-eight", 1905 "nineteen oh five", 2005 "two thousand and five".
pub fn year(year: u16) -> String {
    let (century, rest) = (u64::from(year / 100), u64::from(year % 100));
    match (century, rest) {
        (0..10 | 100.., _) => cardinal(u64::from(year)),
        (_, 0..10) if century % 10 == 0 => cardinal(u64::from(year)),
        (_, 0) => format!("{} hundred", cardinal(century)),
        (_, 1..10) => format!("{} oh {}", cardinal(century), cardinal(rest)),
        _ => format!("{} {}", cardinal(century), cardinal(rest)),
    }
}

/// "250 g" is "two hundred and fifty grams", 1.5 l "one point five litres".
pub fn quantity(quantity: Quantity) -> String {
    let (whole, part) = (quantity.thousandths / 1_000, quantity.thousandths % 1_000);
    let unit = quantity.unit.spoken(whole == 1 && part == 0);
    match part {
        0 => format!("{} {unit}", cardinal(whole)),
        _ => format!("{} point {} {unit}", cardinal(whole), digits(format!("{part:03}").trim_end_matches('0'))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::quantities::Unit;
    use super::super::{dates, numbers, prices, quantities, spelling, times};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_said_as_the_british_say_them() {
        let table = [
            (0, "zero"),
            (21, "twenty-one"),
            (100, "one hundred"),
            (105, "one hundred and five"),
            (1_250, "one thousand two hundred and fifty"),
            (2_005, "two thousand and five"),
            (12_300, "twelve thousand three hundred"),
            (1_000_000, "one million"),
        ];
        for (number, said) in table {
            assert_eq!(cardinal(number), said);
        }
        assert_eq!(ordinal(21), "twenty-first");
        assert_eq!(ordinal(112), "one hundred and twelfth");
        assert_eq!(ordinal(40), "fortieth");
        assert_eq!(ordinal(2_000), "two thousandth");
    }

    #[test]
    fn prices_have_a_long_and_a_short_form() {
        let table = [
            (299, "two pounds ninety-nine", "two ninety-nine"),
            (205, "two pounds five", "two oh five"),
            (100, "one pound", "one pound"),
            (40, "forty pence", "forty pence"),
            (1, "one penny", "one penny"),
            (10_590, "one hundred and five pounds ninety", "one hundred and five pounds ninety"),
        ];
        for (cents, long, short) in table {
            assert_eq!(price(PriceCents(cents), "pounds"), long);
            assert_eq!(price_in_short(PriceCents(cents), "pounds"), short);
        }
        assert_eq!(price(PriceCents(79), "euros"), "seventy-nine cents");
    }

    #[test]
    fn times_name_the_part_of_the_day_only_where_it_is_needed() {
        let table = [
            (930, "half past three"),
            (210, "half past three in the morning"),
            (525, "quarter to nine"),
            (1_245, "quarter to nine in the evening"),
            (540, "nine o'clock"),
            (545, "five past nine"),
            (547, "nine oh seven"),
            (623, "ten twenty-three"),
            (720, "noon"),
            (0, "midnight"),
            (30, "half past twelve at night"),
            (1_440, "midnight"),
        ];
        for (minutes, said) in table {
            assert_eq!(time(minutes), said);
        }
    }

    #[test]
    fn days_quantities_orders_and_names_are_said_in_words() {
        assert_eq!(date(Date { day: 21, month: 5, year: None }), "the twenty-first of May");
        assert_eq!(date(Date { day: 3, month: 3, year: Some(1928) }), "the third of March nineteen twenty-eight");
        assert_eq!([year(1900), year(2000), year(2026)], ["nineteen hundred", "two thousand", "twenty twenty-six"]);
        assert_eq!(quantity(Quantity { thousandths: 250_000, unit: Unit::Gram }), "two hundred and fifty grams");
        assert_eq!(quantity(Quantity { thousandths: 1_500, unit: Unit::Litre }), "one point five litres");
        assert_eq!(quantity(Quantity { thousandths: 1_000, unit: Unit::Kilogram }), "one kilogram");
        assert_eq!(digits("417"), "four one seven");
        assert_eq!(spelt("melvin4"), "M E L V I N four");
    }

    #[test]
    fn every_minute_of_the_day_is_understood_again() {
        for minutes in 0..24 * 60 {
            assert_eq!(times::time(&time(minutes)), Some(minutes), "{}", time(minutes));
        }
    }

    #[test]
    fn every_day_and_year_is_understood_again() {
        for month in 1..=12 {
            for day in 1..=31 {
                if let Some(known) = Date::new(day, month, None) {
                    assert_eq!(dates::date(&date(known)), Some(known));
                }
            }
        }
        for year in 1_000..3_000 {
            let known = Date::new(21, 5, Some(year));
            assert_eq!(dates::date(&date(known.unwrap())), known, "{year}");
        }
    }

    proptest! {
        #[test]
        fn a_number_is_understood_again(number in prop_oneof![0_u64..10_000, 0_u64..1_000_000_000_000]) {
            prop_assert_eq!(numbers::cardinal(&cardinal(number)), Some(number));
        }

        #[test]
        fn an_ordinal_is_understood_again(number in prop_oneof![0_u64..10_000, 0_u64..1_000_000_000_000]) {
            prop_assert_eq!(numbers::ordinal(&ordinal(number)), Some(number), "{}", ordinal(number));
        }

        #[test]
        fn the_number_of_an_order_is_understood_again(number in "[0-9]{1,12}") {
            prop_assert_eq!(numbers::digits(&digits(&number)), Some(number));
        }

        #[test]
        fn a_price_is_understood_again(
            cents in prop_oneof![0_u32..20_000, any::<u32>()],
            word in prop::sample::select(vec!["pounds", "euros", "crowns"]),
        ) {
            let known = PriceCents(cents);
            prop_assert_eq!(prices::price(&price(known, word), word), Some(known), "{}", price(known, word));
            prop_assert_eq!(prices::price(&price_in_short(known, word), word), Some(known), "{}", price_in_short(known, word));
        }

        #[test]
        fn a_quantity_is_understood_again(
            thousandths in prop_oneof![0_u64..5_000, 0_u64..1_000_000_000],
            unit in prop::sample::select(vec![Unit::Gram, Unit::Kilogram, Unit::Millilitre, Unit::Litre, Unit::Ounce, Unit::Pound]),
        ) {
            let known = Quantity { thousandths, unit };
            prop_assert_eq!(quantities::quantity(&quantity(known)), Some(known), "{}", quantity(known));
        }

        #[test]
        fn a_spelling_is_understood_again(name in "[a-z0-9]{2,12}") {
            prop_assert_eq!(spelling::spelt(&spelt(&name)), Some(name));
        }
    }
}
