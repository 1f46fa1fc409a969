/// How somebody spoke in one utterance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Voice {
    /// Median level of what is voiced, in dB below full scale.
    pub level_dbfs: f32,
    /// Median pitch, in Hz.
    pub pitch_hz: f32,
    /// Words a second, where words were heard.
    pub words_per_s: Option<f32>,
}
