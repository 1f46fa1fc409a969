/// Shortest run of digits that is taken for a telephone, card or account number. Prices, times and order numbers are shorter.
const DIGITS_MIN: usize = 7;

/// The text with telephone, card and account numbers and e-mail addresses replaced by `[number]` and `[email]`.
///
/// It is called before anything is written down or logged. Digits may be parted by blanks, hyphens, dots, slashes and brackets, as
/// people and recognisers write them.
pub fn masked(text: &str) -> String {
    without_numbers(&without_addresses(text))
}

fn without_addresses(text: &str) -> String {
    let hide = |word: &str| {
        let (name, host) = word.split_once('@')?;
        let host_end = host.trim_end_matches(|c: char| !c.is_alphanumeric());
        let is_address = name.chars().any(char::is_alphanumeric) && host_end.contains('.');
        is_address.then(|| format!("[email]{}", &host[host_end.len()..]))
    };
    text.split(' ').map(|word| hide(word).unwrap_or_else(|| word.to_owned())).collect::<Vec<_>>().join(" ")
}

fn without_numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(from) = rest.find(|c: char| c.is_ascii_digit() || c == '+') {
        out.push_str(&rest[..from]);
        let run = number_run(&rest[from..]);
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        out.push_str(if digits >= DIGITS_MIN { "[number]" } else { run });
        rest = &rest[from + run.len()..];
    }
    out + rest
}

/// The digits at the beginning with the marks between them, ending in a digit (or the first mark alone).
fn number_run(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit() && !" -./()+".contains(c)).unwrap_or(text.len());
    let last_digit = text[..end].rfind(|c: char| c.is_ascii_digit());
    &text[..last_digit.map_or(1, |at| at + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(masked(text), expected);
    }

    #[test]
    fn numbers_and_addresses_of_a_person_are_hidden() {
        check("call me on +46 70-123 45 67 please", "call me on [number] please");
        check("my card is 4111 1111 1111 1111.", "my card is [number].");
        check("write to jo.doe@example.com, thanks", "write to [email], thanks");
    }

    #[test]
    fn prices_times_and_order_numbers_stay() {
        for text in ["order 417", "two for 2.49", "at 15:30", "16 oz", "1 + 1", "room @ home"] {
            check(text, text);
        }
    }

    proptest! {
        #[test]
        fn masking_twice_is_masking_once_and_no_long_number_survives(text in "[0-9a-z@. +-]{0,60}") {
            let once = masked(&text);
            prop_assert_eq!(masked(&once), once.clone());
            let longest = once.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
            prop_assert!(longest < DIGITS_MIN);
        }
    }
}
