/// The shop's local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// 0 is Monday.
    pub weekday: usize,
    /// Minutes since midnight.
    pub minutes: u16,
}
