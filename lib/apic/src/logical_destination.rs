//! Which logical destinations a local APIC answers to.
//!
//! In xAPIC mode software writes them: 8 bits, in one of two formats
//! [APM 24593 §16.6.1], [SDM 3A §11.6.2.2]. In x2APIC mode they follow from the
//! local APIC's number [SDM 3A §11.12.10].

/// The registers of xAPIC mode.
#[derive(Clone, Debug)]
pub(crate) struct LogicalDestination {
    /// Bits 31:24 of the logical destination register.
    id: u8,
    /// Bits 31:28 of the destination format register.
    format: u8,
}

impl LogicalDestination {
    const FLAT: u8 = 0b1111;
    const CLUSTER: u8 = 0b0000;

    /// The registers after reset.
    pub(crate) const fn new() -> Self {
        Self { id: 0, format: Self::FLAT }
    }

    /// The logical destination register.
    pub(crate) const fn id_bits(&self) -> u32 {
        (self.id as u32) << 24
    }

    pub(crate) fn set_id_bits(&mut self, bits: u32) {
        self.id = (bits >> 24) as u8;
    }

    /// The destination format register.
    pub(crate) const fn format_bits(&self) -> u32 {
        (self.format as u32) << 28 | 0x0fff_ffff
    }

    pub(crate) fn set_format_bits(&mut self, bits: u32) {
        self.format = (bits >> 28) as u8;
    }

    /// Whether `destination` means this local APIC in xAPIC mode. One of more
    /// than 8 bits means none.
    ///
    /// From memory: that a format which is neither flat nor cluster matches
    /// nothing.
    pub(crate) fn matches(&self, destination: u32) -> bool {
        let Ok(destination) = u8::try_from(destination) else { return false };
        let common = self.id & destination;
        match self.format {
            Self::FLAT => common != 0,
            Self::CLUSTER => (self.id ^ destination) & 0xf0 == 0 && common & 0x0f != 0,
            _ => false,
        }
    }
}

/// The logical destination register in x2APIC mode: the cluster in bits 31:16,
/// one bit for the place in the cluster below.
pub(crate) const fn x2apic_logical_id(id: u32) -> u32 {
    id >> 4 << 16 | 1 << (id & 0xf)
}

/// Whether `destination` means the local APIC with number `id` in x2APIC mode.
pub(crate) const fn x2apic_matches(id: u32, destination: u32) -> bool {
    let own = x2apic_logical_id(id);
    own >> 16 == destination >> 16 && own & destination & 0xffff != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_format_has_a_bit_for_each() {
        let mut logical = LogicalDestination::new();
        assert!((0..=0xffff).all(|destination| !logical.matches(destination)));
        logical.set_id_bits(0x04ab_cdef);
        assert_eq!((logical.id_bits(), logical.format_bits()), (0x0400_0000, u32::MAX));
        assert!(logical.matches(0x04) && logical.matches(0xf4));
        assert!(!logical.matches(0xfb) && !logical.matches(0x104));
    }

    #[test]
    fn cluster_format_has_four_in_each() {
        let mut logical = LogicalDestination::new();
        logical.set_id_bits(0x3200_0000);
        logical.set_format_bits(0);
        assert_eq!(logical.format_bits(), 0x0fff_ffff);
        assert!(logical.matches(0x32) && logical.matches(0x3f));
        assert!(!logical.matches(0x31) && !logical.matches(0x22) && !logical.matches(0x30));
        logical.set_format_bits(0x7000_0000);
        assert!((0..=0xff).all(|destination| !logical.matches(destination)));
    }

    #[test]
    fn x2apic_clusters_have_sixteen() {
        assert_eq!(x2apic_logical_id(0), 1);
        assert_eq!(x2apic_logical_id(0x25), 0x2_0020);
        assert!(x2apic_matches(0x25, 0x2_0020) && x2apic_matches(0x25, 0x2_ffff));
        assert!(!x2apic_matches(0x25, 0x2_0010) && !x2apic_matches(0x25, 0x1_0020));
    }
}
