use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on stderr: words, a bar, how far, how long still.
pub(super) fn bar(length: u64, words: &'static str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar.with_message(words)
}

/// A bar on stderr that counts bytes.
pub(super) fn bytes(words: String) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}") {
        bar.set_style(style);
    }
    bar.with_message(words)
}

/// Shown while the shop's sentences are learnt, which happens once and again after they were changed.
pub(super) struct Learning(std::sync::OnceLock<ProgressBar>);

impl Learning {
    pub(super) fn new() -> Self {
        Self(std::sync::OnceLock::new())
    }

    pub(super) fn show(&self, done: usize, all: usize) {
        let bar = self.0.get_or_init(|| bar(all as u64, "learning the shop's sentences (once)"));
        bar.set_position(done as u64);
        if done == all {
            bar.finish_and_clear();
        }
    }
}
