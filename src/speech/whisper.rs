//! The one file that speaks C: Whisper's weights and the state of one listener, over whisper.cpp's own functions.
//!
//! whisper-rs's safe layer runs a whole decode at a time and gives the scores of one position only. Partial results, a closed grammar
//! and the shop's words need the decoder step by step over one run of the encoder, so its raw bindings are used, and nothing above
//! this file knows of them.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

use whisper_rs::whisper_rs_sys as c;

use super::vocabulary::{Marks, Vocabulary};
use super::{ModelHeader, SpeechError};

/// A token of Whisper's vocabulary.
pub type Token = i32;

/// Units of 20 ms that the encoder sees at most: 30 s.
pub const UNITS_MAX: u32 = 1_500;

/// Tokens that the decoder remembers at most.
const CONTEXT_TOKENS: usize = 448;

/// whisper.cpp's `whisper_full` prepares the state (mel spectrogram, size of the window) before it looks at how much sound there is to
/// decode, and does nothing where there is this much or less. There is no other way to set the window from outside.
const PREPARE_ONLY_MS: i32 = 100;

/// Weights in memory: one copy serves any number of listeners.
pub struct Weights {
    context: NonNull<c::whisper_context>,
    vocabulary: Vocabulary,
}

// SAFETY: after loading, whisper.cpp only reads the context as long as every call brings its own state, and all calls here do.
unsafe impl Send for Weights {}
// SAFETY: as above.
unsafe impl Sync for Weights {}

impl Weights {
    /// Loads a file whose checksum and header were checked: the library trusts what it reads.
    pub fn load(path: &Path, header: &ModelHeader) -> Result<Arc<Self>, SpeechError> {
        let bad = |reason: &str| SpeechError::BadModel { path: path.to_owned(), reason: reason.to_owned() };
        whisper_rs::install_logging_hooks();
        let name = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|_| bad("its name holds a zero byte"))?;
        // SAFETY: a function without conditions.
        let mut parameters = unsafe { c::whisper_context_default_params() };
        parameters.use_gpu = cfg!(feature = "cuda");
        // Flash attention pads the keys to a multiple of 256 and attends to the padding: in a short window words are lost.
        parameters.flash_attn = false;
        // SAFETY: `name` ends with zero and lives until the call returns.
        let context = unsafe { c::whisper_init_from_file_with_params_no_state(name.as_ptr(), parameters) };
        let context = NonNull::new(context).ok_or_else(|| bad("whisper.cpp did not load it; the log has its own words"))?;
        // SAFETY: the context is the one just made.
        let (found, vocabulary) = unsafe { (c::whisper_n_vocab(context.as_ptr()), read_vocabulary(context.as_ptr())) };
        let weights = Arc::new(Self { context, vocabulary });
        if u32::try_from(found) == Ok(header.vocabulary) { Ok(weights) } else { Err(bad("its tokens are not those that its header tells")) }
    }

    /// What its tokens mean.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }
}

impl Drop for Weights {
    fn drop(&mut self) {
        // SAFETY: the pointer came from whisper.cpp, every state holds an `Arc` of this, so none is left.
        unsafe { c::whisper_free(self.context.as_ptr()) }
    }
}

/// The tokens of a loaded context.
///
/// # Safety
/// `context` is one that whisper.cpp has loaded.
unsafe fn read_vocabulary(context: *mut c::whisper_context) -> Vocabulary {
    // SAFETY: identifiers from 0 to below the count are valid, and texts live as long as the context.
    unsafe {
        let count = c::whisper_n_vocab(context);
        let end_of_text = c::whisper_token_eot(context);
        let text = |token: Token| CStr::from_ptr(c::whisper_token_to_str(context, token)).to_bytes().to_vec();
        let texts = (0..end_of_text.min(count)).map(text).collect();
        let languages = if c::whisper_is_multilingual(context) != 0 { language_tokens(context) } else { Vec::new() };
        let marks = Marks {
            end_of_text,
            start: c::whisper_token_sot(context),
            transcribe: c::whisper_token_transcribe(context),
            translate: c::whisper_token_translate(context),
            previous: c::whisper_token_prev(context),
            speaker_turn: c::whisper_token_solm(context),
            no_speech: c::whisper_token_nosp(context),
            no_timestamps: c::whisper_token_not(context),
            first_timestamp: c::whisper_token_beg(context),
        };
        Vocabulary::new(texts, count, marks, languages)
    }
}

/// # Safety
/// `context` is one that whisper.cpp has loaded.
unsafe fn language_tokens(context: *mut c::whisper_context) -> Vec<(String, Token)> {
    // SAFETY: identifiers of languages go from 0 to the maximum, and their names are constants of the library.
    unsafe {
        let code = |id| CStr::from_ptr(c::whisper_lang_str(id)).to_string_lossy().into_owned();
        (0..=c::whisper_lang_max_id()).map(|id| (code(id), c::whisper_token_lang(context, id))).collect()
    }
}

/// What one listener holds: the encoder's output of one utterance and the decoder's memory of the tokens fed to it.
pub struct State {
    state: NonNull<c::whisper_state>,
    weights: Arc<Weights>,
    threads: i32,
    /// The tokens in the decoder's memory.
    fed: Vec<Token>,
    /// How often the encoder ran.
    encoded: u64,
}

// SAFETY: a state belongs to no thread; `&mut self` keeps two from using it at once.
unsafe impl Send for State {}

impl State {
    /// A listener over these weights; about 120 MB for tiny, 200 MB for base.
    pub fn new(weights: &Arc<Weights>, threads: usize) -> Result<Self, SpeechError> {
        // SAFETY: the context lives as long as `weights`, which this state keeps.
        let state = unsafe { c::whisper_init_state(weights.context.as_ptr()) };
        let state = NonNull::new(state).ok_or(SpeechError::Whisper { call: "whisper_init_state", code: 0 })?;
        Ok(Self { state, weights: Arc::clone(weights), threads: i32::try_from(threads).unwrap_or(1), fed: Vec::new(), encoded: 0 })
    }

    /// Another listener over the same weights.
    pub fn sibling(&self) -> Result<Self, SpeechError> {
        Self::new(&self.weights, usize::try_from(self.threads).unwrap_or(1))
    }

    /// What the tokens mean.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.weights.vocabulary
    }

    /// The weights it listens with.
    pub fn weights(&self) -> Arc<Weights> {
        Arc::clone(&self.weights)
    }

    /// How often the encoder ran.
    pub fn encoded(&self) -> u64 {
        self.encoded
    }

    /// Runs the encoder on finite samples at 16 kHz, at least 1.1 s of them, in a window of so many units of 20 ms. What lies beyond
    /// the window is not heard.
    pub fn encode(&mut self, samples: &[f32], units: u32) -> Result<(), SpeechError> {
        self.fed.clear();
        self.encoded += 1;
        let count = i32::try_from(samples.len()).map_err(|_| SpeechError::Whisper { call: "whisper_full", code: -2 })?;
        let (context, state) = (self.weights.context.as_ptr(), self.state.as_ptr());
        // SAFETY: context and state are live and belong together; the samples outlive the call; no callback is set.
        unsafe {
            let mut parameters = c::whisper_full_default_params(c::whisper_sampling_strategy_WHISPER_SAMPLING_GREEDY);
            parameters.n_threads = self.threads;
            parameters.no_context = true;
            parameters.print_progress = false;
            parameters.audio_ctx = units.min(UNITS_MAX) as i32;
            parameters.duration_ms = PREPARE_ONLY_MS;
            checked("whisper_full", c::whisper_full_with_state(context, state, parameters, samples.as_ptr(), count))?;
            checked("whisper_encode", c::whisper_encode_with_state(context, state, 0, self.threads))
        }
    }

    /// Scores of every token that may follow these, `[vocabulary]`. What they have in common with the tokens fed before is not
    /// computed again, the rest goes through the decoder at once.
    pub fn logits(&mut self, tokens: &[Token]) -> Result<&[f32], SpeechError> {
        const DECODE: &str = "whisper_decode";
        if tokens.is_empty() || tokens.len() > CONTEXT_TOKENS {
            return Err(SpeechError::Whisper { call: DECODE, code: -2 });
        }
        let common = tokens.iter().zip(&self.fed).take_while(|(a, b)| a == b).count();
        let past = common.min(tokens.len() - 1);
        let new = &tokens[past..];
        let (context, state) = (self.weights.context.as_ptr(), self.state.as_ptr());
        // Whatever happens in the call, the memory behind `past` is not what it was.
        self.fed.truncate(past);
        // SAFETY: context and state are live and belong together, the lengths are those of `new`, and `past` tokens are in memory.
        checked(DECODE, unsafe {
            c::whisper_decode_with_state(context, state, new.as_ptr(), new.len() as i32, past as i32, self.threads)
        })?;
        self.fed.extend_from_slice(new);
        let vocabulary = self.weights.vocabulary.len();
        // SAFETY: whisper.cpp holds a row of scores for each token of the call and fills the last one; it stays valid until the next
        // call with this state, which needs `&mut self`.
        let last = unsafe {
            let scores = c::whisper_get_logits_from_state(state);
            NonNull::new(scores).map(|scores| std::slice::from_raw_parts(scores.as_ptr().add((new.len() - 1) * vocabulary), vocabulary))
        };
        last.ok_or(SpeechError::Whisper { call: DECODE, code: 0 })
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // SAFETY: the pointer came from whisper.cpp and is freed once.
        unsafe { c::whisper_free_state(self.state.as_ptr()) }
    }
}

fn checked(call: &'static str, code: i32) -> Result<(), SpeechError> {
    if code == 0 { Ok(()) } else { Err(SpeechError::Whisper { call, code }) }
}
