/// A piece of a text that is looked at as one: a word, a number in digits, or a sign such as "£".
#[derive(Debug, Clone, PartialEq)]
pub(in crate::language) struct Piece {
    /// In lower case, without accents. A number keeps the comma of thousands, the point and the colon inside it: "9,169", "2.99".
    pub(in crate::language) text: String,
    /// Which word of the text it is in, counted from 0; words are parted by white space.
    pub(in crate::language) word: usize,
    /// What stands before it.
    pub(in crate::language) after: After,
    /// Its first byte in the text.
    pub(in crate::language) start: usize,
    /// The byte behind its last.
    pub(in crate::language) end: usize,
}

/// What parts a piece from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::language) enum After {
    /// White space or punctuation.
    Gap,
    /// A hyphen and nothing else: "T-shirt".
    Hyphen,
    /// Nothing: "250g".
    Nothing,
}

/// Signs that are spoken, and so are pieces of their own.
const SIGNS: &str = "£$€¢%&+@#=°½¼¾/";

impl Piece {
    /// It is written in digits.
    pub(super) fn is_digits(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_digit())
    }

    /// It is one letter of the alphabet.
    pub(super) fn is_letter(&self) -> bool {
        matches!(self.text.as_bytes(), [b'a'..=b'z'])
    }
}

/// Cuts a text into pieces. Punctuation is left out; a slash is kept between digits only.
pub(in crate::language) fn scan(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (word, content) in text.split_whitespace().enumerate() {
        let chars: Vec<char> = content.chars().collect();
        let mut start = content.as_ptr().addr() - text.as_ptr().addr();
        let (mut at, mut after) = (0, After::Gap);
        while at < chars.len() {
            let end = piece_end(&chars, at);
            if end == at {
                let is_hyphen = matches!(chars[at], '-' | '\u{2010}' | '\u{2011}');
                // The apostrophe of "the 1960's" parts nothing.
                let is_nothing = is_apostrophe(chars[at]) && at > 0 && chars[at - 1].is_ascii_digit();
                after = match after {
                    After::Nothing if is_hyphen => After::Hyphen,
                    After::Nothing if is_nothing => After::Nothing,
                    _ => After::Gap,
                };
                start += chars[at].len_utf8();
                at += 1;
                continue;
            }
            let text: String = chars[at..end].iter().copied().flat_map(plain).collect();
            let behind = start + chars[at..end].iter().map(|c| c.len_utf8()).sum::<usize>();
            // A mark without its letter leaves nothing.
            if !text.is_empty() {
                pieces.push(Piece { text, word, after, start, end: behind });
            }
            (at, after, start) = (end, After::Nothing, behind);
        }
    }
    pieces
}

/// The texts of the pieces, for readers that need no more.
pub(super) fn words(text: &str) -> Vec<String> {
    scan(text).into_iter().map(|piece| piece.text).collect()
}

/// Where the piece that begins here ends; here itself if none begins.
fn piece_end(chars: &[char], at: usize) -> usize {
    let is = |offset: usize, test: fn(char) -> bool| chars.get(offset).is_some_and(|c| test(*c));
    let first = chars[at];
    if first.is_ascii_digit() {
        return number_end(chars, at);
    }
    if SIGNS.contains(first) {
        let is_kept = first != '/' || (at > 0 && is(at - 1, |c| c.is_ascii_digit()) && is(at + 1, |c| c.is_ascii_digit()));
        return if is_kept { at + 1 } else { at };
    }
    let mut end = at;
    while is(end, is_letter) || (end > at && is(end, is_apostrophe) && is(end + 1, is_letter)) {
        end += 1;
    }
    end
}

fn is_letter(c: char) -> bool {
    (c.is_alphanumeric() && !c.is_ascii_digit() && !SIGNS.contains(c)) || is_mark(c)
}

/// A mark that is set upon the letter before it.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2018}')
}

/// The end of a number in digits: "9,169", "2.99", "10:30". A comma belongs to it before three digits and no more, a point before a
/// digit, a colon before two digits; a point or a colon once.
fn number_end(chars: &[char], at: usize) -> usize {
    let digits_from = |from: usize| chars[from.min(chars.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
    let first = digits_from(at);
    let mut end = at + first;
    while first <= 3 && chars.get(end) == Some(&',') && digits_from(end + 1) == 3 {
        end += 4;
    }
    let more = digits_from(end + 1);
    match chars.get(end) {
        Some('.') if more > 0 => end + 1 + more,
        Some(':') if more == 2 && end - at <= 2 => end + 3,
        _ => end,
    }
}

/// Lower case, without accents; the apostrophe in its plain form.
fn plain(c: char) -> Vec<char> {
    if is_mark(c) {
        return Vec::new();
    }
    if is_apostrophe(c) {
        return vec!['\''];
    }
    c.to_lowercase().filter(|c| !is_mark(*c)).flat_map(|c| without_accent(c).chars().collect::<Vec<_>>()).collect()
}

fn without_accent(c: char) -> std::borrow::Cow<'static, str> {
    let plain = match c {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
        'ç' => "c",
        'è' | 'é' | 'ê' | 'ë' => "e",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'ñ' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => "o",
        'ù' | 'ú' | 'û' | 'ü' => "u",
        'ý' | 'ÿ' => "y",
        'æ' => "ae",
        'œ' => "oe",
        'ß' => "ss",
        _ => return c.to_string().into(),
    };
    plain.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, pieces: &[&str]) {
        assert_eq!(words(text), pieces, "{text}");
    }

    #[test]
    fn words_lose_case_accents_and_punctuation() {
        check("Crème brûlée, please!", &["creme", "brulee", "please"]);
        check("cafe\u{301} S\u{f8}ren", &["cafe", "soren"]);
        check("It’s the debtors' side", &["it's", "the", "debtors", "side"]);
        check("a T-shirt ...", &["a", "t", "shirt"]);
    }

    #[test]
    fn a_number_keeps_what_belongs_to_it_and_nothing_else() {
        check("9,169. 1,2 2.99, 10:30.", &["9,169", "1", "2", "2.99", "10:30"]);
        check("1234,567 12,345,678.5", &["1234", "567", "12,345,678.5"]);
        check("1.2.3 7/10 and/or", &["1.2", "3", "7", "/", "10", "and", "or"]);
        check("250g £5 50% 21st 1960's", &["250", "g", "£", "5", "50", "%", "21", "st", "1960", "s"]);
    }

    #[test]
    fn a_piece_knows_its_word_and_what_parts_it() {
        let pieces = scan("M-E 5kg");
        let seen: Vec<_> = pieces.iter().map(|p| (p.text.as_str(), p.word, p.after)).collect();
        assert_eq!(seen, [("m", 0, After::Gap), ("e", 0, After::Hyphen), ("5", 1, After::Gap), ("kg", 1, After::Nothing)]);
    }

    proptest! {
        #[test]
        fn any_text_is_cut_and_no_piece_is_empty(text in "(?s).{0,60}") {
            let words = text.split_whitespace().count();
            prop_assert!(scan(&text).iter().all(|piece| piece.word < words && !piece.text.is_empty()));
        }

        #[test]
        fn a_piece_knows_its_bytes(text in "[a-zàß&£ .'’-]{0,40}") {
            for piece in scan(&text) {
                let own = &text[piece.start..piece.end];
                prop_assert_eq!(scan(own).into_iter().map(|p| p.text).collect::<Vec<_>>(), [piece.text]);
            }
        }
    }
}
