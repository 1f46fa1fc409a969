//! Prices as they are said: "two ninety nine", "one pound forty five", "five euros", "forty p".

use super::{numbers, scan};
use crate::domain::PriceCents;

const CURRENCIES: [&str; 9] = ["pound", "pounds", "quid", "euro", "euros", "dollar", "dollars", "buck", "bucks"];
const PARTS: [&str; 6] = ["p", "pence", "penny", "cent", "cents", "¢"];
const SIGNS: [&str; 3] = ["£", "€", "$"];

/// Reads a price; the whole text is the price. `currency_word` is the plural of the shop's currency; pounds, euros and dollars are known
/// anyway, and nothing is converted.
///
/// A single number is no price: "five" may be pounds or pence.
pub fn price(text: &str, currency_word: &str) -> Option<PriceCents> {
    let words = scan::words(text);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let shop = currency_word.to_lowercase();
    price_of_words(&words, &|word| !word.is_empty() && (word == shop || shop.strip_suffix('s') == Some(word)))
}

/// The same for words that are cut already; `is_shops` knows the shop's own words for its currency.
pub(in crate::language) fn price_of_words(words: &[&str], is_shops: &dyn Fn(&str) -> bool) -> Option<PriceCents> {
    let is_currency = |word: &str| CURRENCIES.contains(&word) || is_shops(word);
    let (has_sign, words) = match words {
        [sign, rest @ ..] if is_sign(sign) => (true, rest),
        all => (false, all),
    };
    if let Some((whole, decimals)) = words.first()?.split_once('.') {
        let is_end = matches!(words[1..], []) || matches!(&words[1..], [word] if !has_sign && is_currency(word));
        let cents = matches!(decimals.len(), 1 | 2).then(|| format!("{decimals:0<2}"))?.parse().ok()?;
        return if is_end { price_of(numbers::value_of_digits(whole)?, cents) } else { None };
    }
    let (whole, rest) = match words {
        ["a", rest @ ..] if rest.first().is_some_and(|word| is_currency(word)) => (1, rest),
        _ => {
            let number = numbers::number_at(words).filter(|number| !number.is_ordinal)?;
            (number.value, &words[number.words..])
        }
    };
    match rest {
        [] if has_sign => price_of(whole, 0),
        [part] if !has_sign && PARTS.contains(part) => price_of(0, whole),
        ["point", a, b] => price_of(whole, numbers::digit(a)? * 10 + numbers::digit(b)?),
        [currency, rest @ ..] if is_currency(currency) => match rest.strip_prefix(&["and"]).unwrap_or(rest) {
            [] if rest.is_empty() => price_of(whole, 0),
            rest => price_of(whole, part(rest, 1)?),
        },
        rest => price_of(whole, part(rest, 10)?),
    }
}

/// A currency's sign.
pub(in crate::language) fn is_sign(word: &str) -> bool {
    SIGNS.contains(&word)
}

/// A word for a currency that is known in every shop, or for its hundredth.
pub(in crate::language) fn is_currency_word(word: &str) -> bool {
    CURRENCIES.contains(&word) || PARTS.contains(&word)
}

/// What follows the whole number: "forty five", "oh five", "five pence". Without currency or "oh" it is no less than 10.
fn part(words: &[&str], least: u64) -> Option<u64> {
    let words = match words {
        [rest @ .., last] if PARTS.contains(last) && least < 10 => rest,
        all => all,
    };
    let cents = match words {
        [oh, digit] if numbers::is_oh(oh) || *oh == "zero" => numbers::digit(digit)?,
        [digits] if digits.len() == 2 && numbers::value_of_digits(digits).is_some() => return numbers::value_of_digits(digits),
        _ => {
            let number = numbers::number_at(words).filter(|number| number.words == words.len() && !number.is_ordinal)?;
            Some(number.value).filter(|value| *value >= least)?
        }
    };
    (cents < 100).then_some(cents)
}

fn price_of(whole: u64, cents: u64) -> Option<PriceCents> {
    u32::try_from(whole.checked_mul(100)?.checked_add(cents)?).ok().map(PriceCents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prices_are_read_as_people_say_and_print_them() {
        let table = [
            ("two ninety nine", 299),
            ("two ninety-nine", 299),
            ("two oh five", 205),
            ("one pound forty five", 145),
            ("one pound and five pence", 105),
            ("a pound fifty", 150),
            ("five euros", 500),
            ("twelve kronor", 1_200),
            ("one krona", 0),
            ("forty p", 40),
            ("40p", 40),
            ("one penny", 1),
            ("£2.99", 299),
            ("£5", 500),
            ("2.99", 299),
            ("2.5 euros", 250),
            ("2 euros 49", 249),
            ("2 euros 05", 205),
            ("79 cents", 79),
            ("two point nine nine", 299),
            ("one hundred and five pounds ninety", 10_590),
        ];
        for (text, cents) in table {
            assert_eq!(price(text, "kronor"), (cents > 0).then_some(PriceCents(cents)), "{text}");
        }
    }

    #[test]
    fn what_is_no_price_is_none() {
        for text in
            ["", "five", "ninety nine", "two five", "two pounds of lemons", "two hundred pounds one hundred", "first pound", "£", "a"]
        {
            assert_eq!(price(text, "euros"), None, "{text}");
        }
    }

    #[test]
    fn what_the_desk_writes_is_read_again() {
        for cents in [1, 40, 79, 100, 105, 249, 1_000, 10_099] {
            assert_eq!(price(&PriceCents(cents).spoken("euros"), "euros"), Some(PriceCents(cents)));
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[£$]?[0-9a-z., ]{0,30}", word in "[a-z]{0,6}") {
            let _ = price(&text, &word);
        }
    }
}
