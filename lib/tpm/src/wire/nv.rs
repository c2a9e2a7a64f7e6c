//! Public areas of NV indices.

use alloc::vec::Vec;

use crate::response_code::ResponseCode;
use crate::wire::algorithm::Hash;
use crate::wire::bits::NvAttributes;
use crate::wire::codec::{Reader, Wire};
use crate::wire::structure::{Digest, Name};

/// The largest data area of an index, in bytes.
pub(crate) const MAX_NV_INDEX_SIZE: u16 = 2048;

/// The type of an index (TPM_NT) [Part 2 §13.2].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NvType {
    Ordinary = 0x0,
    Counter = 0x1,
    Bits = 0x2,
    Extend = 0x4,
    PinFail = 0x8,
    PinPass = 0x9,
}

/// TPMS_NV_PUBLIC [Part 2 §13.5].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NvPublic {
    pub(crate) index: u32,
    pub(crate) name_hash: Hash,
    pub(crate) attributes: NvAttributes,
    pub(crate) policy: Digest,
    /// Of the data, in bytes.
    pub(crate) size: u16,
}

impl NvPublic {
    /// The type, if it is a known one.
    pub(crate) fn nv_type(&self) -> Option<NvType> {
        let number = (self.attributes & NvAttributes::TYPE).bits() >> 4;
        [
            NvType::Ordinary,
            NvType::Counter,
            NvType::Bits,
            NvType::Extend,
            NvType::PinFail,
            NvType::PinPass,
        ]
        .into_iter()
        .find(|known| *known as u32 == number)
    }

    /// The name: what authorizations and policies know the index by
    /// [Part 1 §16].
    pub(crate) fn name(&self) -> Name {
        let digest = self.name_hash.algorithm().digest(&[&self.to_bytes()]);
        let mut name = self.name_hash.to_bytes();
        name.extend_from_slice(digest.as_bytes());
        Name::new(name)
    }
}

impl Wire for NvPublic {
    fn write(&self, out: &mut Vec<u8>) {
        self.index.write(out);
        self.name_hash.write(out);
        self.attributes.write(out);
        self.policy.write(out);
        self.size.write(out);
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        let index = u32::read(from)?;
        if index >> 24 != 1 {
            return Err(ResponseCode::VALUE);
        }
        let public = Self {
            index,
            name_hash: Wire::read(from)?,
            attributes: Wire::read(from)?,
            policy: Wire::read(from)?,
            size: Wire::read(from)?,
        };
        if public.size > MAX_NV_INDEX_SIZE {
            return Err(ResponseCode::SIZE);
        }
        Ok(public)
    }
}
