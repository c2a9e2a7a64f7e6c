//! Endorsement keys: the templates from which every owner of a device makes the
//! same keys, and where their certificates lie [TCG EK Credential Profile 2.5,
//! appendix B, *from memory*].

use alloc::vec::Vec;

use tpm_crypto::ecc::Curve;

use crate::object_creation::exponent_of;
use crate::wire::algorithm::{CurveId, Hash, SymmetricMode};
use crate::wire::bits::{NvAttributes, ObjectAttributes};
use crate::wire::codec::Wire;
use crate::wire::containers::Buffer;
use crate::wire::handle::ENDORSEMENT;
use crate::wire::nv::NvPublic;
use crate::wire::public::{Details, Public};
use crate::wire::scheme::{EccScheme, RsaScheme};
use crate::wire::structure::Digest;
use crate::wire::symmetric::{BlockCipher, ObjectCipher};

/// A template for an endorsement key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndorsementTemplate {
    /// The profile's name, like "L-1".
    pub name: &'static str,
    /// The NV index of the key's certificate, in DER.
    pub certificate_index: u32,
    /// The NV index for a template that differs from this one.
    pub template_index: u32,
    range: Range,
    algorithm: Algorithm,
    name_hash: Hash,
    cipher_bits: u16,
}

/// Which of the profile's ranges of NV indices a template belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    /// The key is used by policy alone; `unique` is filled with zeros.
    Low,
    /// The key has an authorization value too, and a policy that can be
    /// replaced; `unique` is empty.
    High,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Rsa(u16),
    Ecc(CurveId),
}

/// A public endorsement key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndorsementKey {
    /// An RSA key.
    Rsa {
        /// Big-endian, without leading zeros.
        modulus: Vec<u8>,
        /// The public exponent.
        exponent: u32,
    },
    /// A point of a curve.
    Ecc {
        /// Which.
        curve: Curve,
        /// Big-endian, as long as the curve's coordinates.
        x: Vec<u8>,
        /// As `x`.
        y: Vec<u8>,
    },
}

/// All templates, in the profile's order.
pub const ENDORSEMENT_TEMPLATES: [EndorsementTemplate; 5] = [
    EndorsementTemplate {
        name: "L-1",
        certificate_index: 0x01C0_0002,
        template_index: 0x01C0_0004,
        range: Range::Low,
        algorithm: Algorithm::Rsa(2048),
        name_hash: Hash::Sha256,
        cipher_bits: 128,
    },
    EndorsementTemplate {
        name: "L-2",
        certificate_index: 0x01C0_000A,
        template_index: 0x01C0_000C,
        range: Range::Low,
        algorithm: Algorithm::Ecc(CurveId::P256),
        name_hash: Hash::Sha256,
        cipher_bits: 128,
    },
    EndorsementTemplate {
        name: "H-1",
        certificate_index: 0x01C0_0012,
        template_index: 0x01C0_0013,
        range: Range::High,
        algorithm: Algorithm::Rsa(2048),
        name_hash: Hash::Sha256,
        cipher_bits: 128,
    },
    EndorsementTemplate {
        name: "H-2",
        certificate_index: 0x01C0_0014,
        template_index: 0x01C0_0015,
        range: Range::High,
        algorithm: Algorithm::Ecc(CurveId::P256),
        name_hash: Hash::Sha256,
        cipher_bits: 128,
    },
    EndorsementTemplate {
        name: "H-3",
        certificate_index: 0x01C0_0016,
        template_index: 0x01C0_0017,
        range: Range::High,
        algorithm: Algorithm::Ecc(CurveId::P384),
        name_hash: Hash::Sha384,
        cipher_bits: 256,
    },
];

impl EndorsementTemplate {
    /// The template as `TPM2_CreatePrimary` takes it: a TPMT_PUBLIC.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.public().to_bytes()
    }

    pub(crate) fn public(&self) -> Public {
        let mut attributes = ObjectAttributes::FIXED_TPM
            | ObjectAttributes::FIXED_PARENT
            | ObjectAttributes::SENSITIVE_DATA_ORIGIN
            | ObjectAttributes::ADMIN_WITH_POLICY
            | ObjectAttributes::RESTRICTED
            | ObjectAttributes::DECRYPT;
        let policy = match self.range {
            Range::Low => policy_a(self.name_hash),
            Range::High => {
                attributes.insert(ObjectAttributes::USER_WITH_AUTH);
                policy_b(self.name_hash)
            }
        };
        let symmetric = Some(ObjectCipher {
            cipher: BlockCipher::Aes,
            key_bits: self.cipher_bits,
            mode: Some(SymmetricMode::CipherFeedback),
        });
        let filling = |size: usize| match self.range {
            Range::Low => alloc::vec![0; size],
            Range::High => Vec::new(),
        };
        let details = match self.algorithm {
            Algorithm::Rsa(key_bits) => Details::Rsa {
                symmetric,
                scheme: RsaScheme(None),
                key_bits,
                exponent: 0,
                modulus: Buffer::new(filling(usize::from(key_bits / 8))),
            },
            Algorithm::Ecc(curve) => {
                let size = curve.curve().coordinate_size();
                Details::Ecc {
                    symmetric,
                    scheme: EccScheme(None),
                    curve,
                    x: Buffer::new(filling(size)),
                    y: Buffer::new(filling(size)),
                }
            }
        };
        Public { name_hash: Some(self.name_hash), attributes, policy, details }
    }
}

impl EndorsementKey {
    /// The key of a public area that a template gave.
    pub(crate) fn of(public: &Public) -> Option<Self> {
        match &public.details {
            Details::Rsa { modulus, exponent, .. } => {
                Some(Self::Rsa { modulus: modulus.to_vec(), exponent: exponent_of(*exponent) })
            }
            Details::Ecc { curve, x, y, .. } => {
                Some(Self::Ecc { curve: curve.curve(), x: x.to_vec(), y: y.to_vec() })
            }
            _ => None,
        }
    }
}

/// One step of a policy from `before`.
fn step(hash: Hash, before: &[u8], code: u32, parts: &[&[u8]]) -> Vec<u8> {
    let code = code.to_be_bytes();
    let mut all: Vec<&[u8]> = alloc::vec![before, &code];
    all.extend(parts);
    hash.algorithm().digest(&all).as_bytes().to_vec()
}

/// The endorsement hierarchy's secret: `TPM2_PolicySecret`.
fn policy_a(hash: Hash) -> Digest {
    let zeros = alloc::vec![0; hash.size()];
    let named = step(hash, &zeros, 0x151, &[&ENDORSEMENT.to_be_bytes()]);
    // An empty reference follows.
    Digest::new(hash.algorithm().digest(&[&named]).as_bytes())
}

/// That, or the policy which an NV index holds.
fn policy_b(hash: Hash) -> Digest {
    let first = policy_a(hash);
    let zeros = alloc::vec![0; hash.size()];
    let attributes = NvAttributes::POLICYWRITE
        | NvAttributes::WRITEALL
        | NvAttributes::PPREAD
        | NvAttributes::OWNERREAD
        | NvAttributes::AUTHREAD
        | NvAttributes::POLICYREAD
        | NvAttributes::NO_DA
        | NvAttributes::WRITTEN;
    let holder = NvPublic {
        index: match hash {
            Hash::Sha256 => 0x01C0_7F01,
            Hash::Sha384 => 0x01C0_7F02,
            _ => 0x01C0_7F03,
        },
        name_hash: hash,
        attributes,
        policy: first.clone(),
        size: u16::try_from(2 + hash.size()).expect("digests are short"),
    };
    let second = step(hash, &zeros, 0x192, &[&holder.name()]);
    Digest::new(step(hash, &zeros, 0x171, &[&first, &second]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> alloc::string::String {
        bytes.iter().map(|byte| alloc::format!("{byte:02X}")).collect()
    }

    /// The digests that the profile prints.
    #[test]
    fn policies_are_the_profiles() {
        assert_eq!(
            hex(&policy_a(Hash::Sha256)),
            "837197674484B3F81A90CC8D46A5D724FD52D76E06520B64F2A1DA1B331469AA"
        );
        assert_eq!(
            hex(&policy_b(Hash::Sha256)),
            "CA3D0A99A2B93906F7A3342414EFCFB3A385D44CD1FD459089D19B5071C0B7A0"
        );
        assert_eq!(
            hex(&policy_b(Hash::Sha384)),
            "B26E7D28D11A50BC53D882BCF5FD3A1A074148BB35D3B4E4CB1C0AD9BDE419CA\
             CB47BA09699646150F9FC000F3F80E12"
        );
    }

    #[test]
    fn templates_have_the_profiles_form() {
        let [low_rsa, low_ecc, .., high_384] = ENDORSEMENT_TEMPLATES.map(|one| one.to_bytes());
        assert_eq!(low_rsa.len(), 314);
        assert_eq!(low_rsa[..8], [0, 1, 0, 0x0B, 0, 3, 0, 0xB2]);
        assert_eq!(low_ecc.len(), 122);
        assert_eq!(low_ecc[..8], [0, 0x23, 0, 0x0B, 0, 3, 0, 0xB2]);
        assert_eq!(high_384.len(), 74);
        assert_eq!(high_384[..8], [0, 0x23, 0, 0x0C, 0, 3, 0, 0xF2]);
    }
}
