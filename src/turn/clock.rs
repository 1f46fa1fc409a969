use crate::domain::Moment;

/// The only place where the house looks at the time of day; a test hands in its own.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970 (UTC).
    fn unix_ms(&self) -> u64;
    /// The shop's local weekday and time.
    fn moment(&self) -> Moment;
}

/// The machine's clock and time zone.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_ms(&self) -> u64 {
        u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
    }

    fn moment(&self) -> Moment {
        let now = jiff::Zoned::now();
        let weekday = usize::try_from(now.weekday().to_monday_zero_offset()).unwrap_or(0);
        Moment { weekday, minutes: now.hour().unsigned_abs() as u16 * 60 + now.minute().unsigned_abs() as u16 }
    }
}

/// A clock that stands still.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock {
    /// Milliseconds since 1970.
    pub unix_ms: u64,
    /// Weekday and time.
    pub moment: Moment,
}

impl Clock for FixedClock {
    fn unix_ms(&self) -> u64 {
        self.unix_ms
    }

    fn moment(&self) -> Moment {
        self.moment
    }
}
