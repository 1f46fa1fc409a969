use super::whisper::Token;

/// What Whisper never writes when it writes words: brackets, notes, quotes (the set of OpenAI's own `non_speech_tokens`).
const NOT_SPEECH: [&str; 50] = [
    "\"",
    "#",
    "(",
    ")",
    "*",
    "+",
    "/",
    ":",
    ";",
    "<",
    "=",
    ">",
    "@",
    "[",
    "\\",
    "]",
    "^",
    "_",
    "`",
    "{",
    "|",
    "}",
    "~",
    "「",
    "」",
    "『",
    "』",
    "<<",
    ">>",
    "<<<",
    ">>>",
    "--",
    "---",
    "-(",
    "-[",
    "('",
    "(\"",
    "((",
    "))",
    "(((",
    ")))",
    "[[",
    "]]",
    "{{",
    "}}",
    "♪♪",
    "♪♪♪",
    "♩",
    "♪",
    "♫",
];

/// More of them; a hyphen or an apostrophe may stand in a word but not begin one.
const NOT_SPEECH_EITHER: [&str; 6] = ["♬", "♭", "♮", "♯", " -", " '"];

/// Tokens that are no text.
#[derive(Debug, Clone, Copy)]
pub struct Marks {
    /// The end; every text token is below it.
    pub end_of_text: Token,
    /// What every prompt begins with.
    pub start: Token,
    /// "Write what is said", for models of many languages.
    pub transcribe: Token,
    /// "Write it in English".
    pub translate: Token,
    /// What was said before follows.
    pub previous: Token,
    /// Another person speaks.
    pub speaker_turn: Token,
    /// Nobody speaks.
    pub no_speech: Token,
    /// No timestamps are wanted.
    pub no_timestamps: Token,
    /// 0.00 s; each further one is 20 ms later.
    pub first_timestamp: Token,
}

/// What the tokens of a Whisper mean.
pub struct Vocabulary {
    texts: Vec<Vec<u8>>,
    len: usize,
    marks: Marks,
    languages: Vec<(String, Token)>,
    /// By token: never chosen when words are written.
    forbidden: Vec<bool>,
    blank: Option<Token>,
}

impl Vocabulary {
    /// `texts` by token up to the end of text; `count` with marks and timestamps.
    pub(super) fn new(texts: Vec<Vec<u8>>, count: i32, marks: Marks, languages: Vec<(String, Token)>) -> Self {
        let len = usize::try_from(count).unwrap_or(0);
        let mut forbidden = vec![false; len];
        for (at, text) in texts.iter().enumerate() {
            let bare = text.strip_prefix(b" ").unwrap_or(text);
            let is = |list: &[&str], text: &[u8]| list.iter().any(|mark| mark.as_bytes() == text);
            forbidden[at] = is(&NOT_SPEECH, bare) || is(&NOT_SPEECH_EITHER, text) || is(&NOT_SPEECH_EITHER[..4], bare);
        }
        let mut forbid = |token: Token| {
            if let Some(slot) = usize::try_from(token).ok().and_then(|at| forbidden.get_mut(at)) {
                *slot = true;
            }
        };
        // All marks but the end and the timestamps.
        (marks.end_of_text + 1..marks.first_timestamp).for_each(&mut forbid);
        let blank = texts.iter().position(|text| text == b" ").and_then(|at| Token::try_from(at).ok());
        Self { texts, len, marks, languages, forbidden, blank }
    }

    /// How many tokens there are, marks and timestamps included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The tokens that are no text.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// The bytes of every text token; a character may be spread over several.
    pub fn texts(&self) -> &[Vec<u8>] {
        &self.texts
    }

    /// The bytes of a text token; none for marks.
    pub fn bytes(&self, token: Token) -> &[u8] {
        usize::try_from(token).ok().and_then(|at| self.texts.get(at)).map_or(&[], Vec::as_slice)
    }

    /// The text of tokens, marks left out.
    pub fn text(&self, tokens: &[Token]) -> String {
        let bytes: Vec<u8> = tokens.iter().flat_map(|&token| self.bytes(token)).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether it is text.
    pub fn is_text(&self, token: Token) -> bool {
        (0..self.marks.end_of_text).contains(&token)
    }

    /// The time of a timestamp, in units of 20 ms.
    pub fn units(&self, token: Token) -> Option<usize> {
        usize::try_from(token - self.marks.first_timestamp).ok()
    }

    /// Whether it is never chosen when words are written: other marks, and signs that nobody speaks.
    pub fn forbidden(&self) -> &[bool] {
        &self.forbidden
    }

    /// The lone blank, if there is one.
    pub fn blank(&self) -> Option<Token> {
        self.blank
    }

    /// The mark of a language, by its two-letter code; none where English is the only one.
    pub fn language(&self, code: &str) -> Option<Token> {
        self.languages.iter().find(|(name, _)| name == code).map(|(_, token)| *token)
    }

    /// Whether it hears English only.
    pub fn is_english_only(&self) -> bool {
        self.languages.is_empty()
    }
}
