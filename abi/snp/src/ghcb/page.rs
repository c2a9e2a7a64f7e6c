//! The GHCB page.

use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes, KnownLayout};

use crate::ghcb::save_area::{SIZE, SaveArea};

/// Bytes of the buffer inside the page.
pub const SHARED_BUFFER_SIZE: usize = 0x7f0;

/// The whole page [GHCB 56421 2.04 §2.3.2, table 3].
///
/// A value of this type is a private copy or an image to be copied out, not the
/// shared page: see [the module](crate::ghcb) on reading once. A transport that
/// would rather not copy 4 KiB goes by [`SaveArea::load`] and
/// [`SaveArea::store`] on the shared page itself.
#[derive(Clone, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Ghcb {
    /// Registers in the places that they have in a VMSA, and the valid bitmap.
    save_area: [u64; SIZE / 8],
    _x87_state_gpa: u64,
    _reserved_408: [u8; 0x3f8],
    /// Room for data that goes with a request: `SW_SCRATCH` can point here.
    pub shared_buffer: [u8; SHARED_BUFFER_SIZE],
    _reserved_ff0: [u8; 0xa],
    /// Version of the protocol that the guest speaks,
    /// [`PROTOCOL_VERSION`](crate::ghcb::PROTOCOL_VERSION).
    pub protocol_version: u16,
    /// 0: the page is laid out as described here. Others are the hypervisor's
    /// own.
    pub usage: u32,
}

impl Ghcb {
    /// Offset of the buffer in the page.
    pub const SHARED_BUFFER_OFFSET: usize = core::mem::offset_of!(Self, shared_buffer);
    /// Offset of the protocol version, 2 bytes.
    pub const PROTOCOL_VERSION_OFFSET: usize = core::mem::offset_of!(Self, protocol_version);
    /// Offset of the usage, 4 bytes.
    pub const USAGE_OFFSET: usize = core::mem::offset_of!(Self, usage);

    /// A page of zeros: nothing valid, version 0, usage 0.
    #[must_use]
    pub fn zeroed() -> Self {
        Self::new_zeroed()
    }

    /// What is marked as valid.
    #[must_use]
    pub fn save_area(&self) -> SaveArea {
        // All offsets that `SaveArea` has are checked, when it is compiled, to
        // lie in the save area.
        SaveArea::load(|offset| self.save_area[offset / 8])
    }

    /// Stores what there is and marks it, and nothing else, as valid.
    pub fn set_save_area(&mut self, save_area: &SaveArea) {
        save_area.store(|offset, value| self.save_area[offset / 8] = value);
    }
}

const _: () = {
    assert!(size_of::<Ghcb>() == 0x1000);
    assert!(core::mem::offset_of!(Ghcb, save_area) == 0);
    assert!(core::mem::offset_of!(Ghcb, _x87_state_gpa) == 0x400);
    assert!(Ghcb::SHARED_BUFFER_OFFSET == 0x800);
    assert!(Ghcb::PROTOCOL_VERSION_OFFSET == 0xffa);
    assert!(Ghcb::USAGE_OFFSET == 0xffc);
};

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::ghcb::{NaeOutputs, NaeRequest, PROTOCOL_VERSION, ValidFields};

    #[test]
    fn a_request_is_these_bytes() {
        let mut page = Ghcb::zeroed();
        page.protocol_version = PROTOCOL_VERSION;
        page.usage = 0x4433_2211;
        page.shared_buffer[0] = 0xaa;
        page.shared_buffer[0x7ef] = 0xbb;
        page.set_save_area(&SaveArea { rax: Some(0x0d), ..SaveArea::request(0x72, 0, 0) });
        let bytes = page.as_bytes();
        let set: Vec<(usize, u8)> =
            bytes.iter().copied().enumerate().filter(|(_, byte)| *byte != 0).collect();
        let expected = [
            (0x1f8, 0x0d),
            (0x390, 0x72),
            (0x3f7, 0x80), // bit 63: RAX
            (0x3fe, 0x1c), // bits 114, 115, 116: exit code and both words
            (0x800, 0xaa),
            (0xfef, 0xbb),
            (0xffa, 2),
            (0xffc, 0x11),
            (0xffd, 0x22),
            (0xffe, 0x33),
            (0xfff, 0x44),
        ];
        assert_eq!(set, expected);
    }

    proptest! {
        #[test]
        fn any_page_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 4096)) {
            let page = Ghcb::read_from_bytes(&bytes).unwrap();
            let area = page.save_area();
            let mut copy = Ghcb::zeroed();
            copy.set_save_area(&area);
            prop_assert_eq!(copy.save_area(), area);
            prop_assert_eq!(NaeRequest::check(&area), NaeRequest::check(&copy.save_area()));
            for asked in [ValidFields::empty(), ValidFields::all()] {
                let outputs = NaeOutputs::check(&area, asked);
                prop_assert!(outputs.is_err() || area.valid_fields().contains(asked));
            }
        }
    }
}
