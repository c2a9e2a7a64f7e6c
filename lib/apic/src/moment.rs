//! The time, as the caller supplies it.

/// One moment, by two clocks. Both only go forwards, and they belong to one
/// processor: time stamps of different processors may differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds on a clock that all processors share; its start does not
    /// matter.
    pub nanoseconds: u64,
    /// What RDTSC would return to the processor's software.
    pub time_stamp: u64,
}
