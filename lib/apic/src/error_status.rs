//! The error status register.
//!
//! Errors collect unseen; a write to the register makes them visible and starts
//! a new collection, whose first error interrupts again
//! [APM 24593 §16.4.6], [SDM 3A §11.5.3].

/// What software did wrong, as a bit of the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ApicError {
    /// An interrupt command has the vector of an exception.
    SentIllegalVector = 1 << 5,
    /// A message or a local vector has the vector of an exception.
    ReceivedIllegalVector = 1 << 6,
    /// There is no memory-mapped register there.
    IllegalRegister = 1 << 7,
}

/// The register and the errors since it was written.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorStatus {
    visible: u8,
    collected: u8,
}

impl ErrorStatus {
    /// Notes an error. Whether it is the first since the register was written.
    pub(crate) fn record(&mut self, error: ApicError) -> bool {
        let is_first = self.collected == 0;
        self.collected |= error as u8;
        is_first
    }

    /// The register was written: it shows the errors up to now.
    pub(crate) fn latch(&mut self) {
        self.visible = core::mem::take(&mut self.collected);
    }

    /// The register.
    pub(crate) const fn bits(&self) -> u32 {
        self.visible as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_show_after_a_write() {
        let mut status = ErrorStatus::default();
        assert!(status.record(ApicError::SentIllegalVector));
        assert!(!status.record(ApicError::IllegalRegister));
        assert_eq!(status.bits(), 0);
        status.latch();
        assert_eq!(status.bits(), 0xa0);
        assert!(status.record(ApicError::ReceivedIllegalVector));
        assert_eq!(status.bits(), 0xa0);
        status.latch();
        assert_eq!(status.bits(), 0x40);
        status.latch();
        assert_eq!(status.bits(), 0);
    }
}
