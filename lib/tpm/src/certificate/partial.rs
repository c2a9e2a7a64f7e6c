//! A certificate without what the device adds.

use alloc::vec::Vec;

use der::asn1::{AnyRef, BitStringRef};
use der::{Decode, Header, Reader, SliceReader, Tag, TagNumber};

use crate::response_code::ResponseCode;
use crate::wire::bits::ObjectAttributes;
use crate::wire::public::Public;

/// `[3]`: extensions in a certificate.
const EXTENSIONS: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(3) };
/// 2.5.29.15: what a key is used for.
const KEY_USAGE: [u8; 3] = [0x55, 0x1D, 0x0F];
/// 2.23.133.10.1.1.1: the attributes of a TPM's object.
const TPM_ATTRIBUTES: [u8; 7] = [0x67, 0x81, 0x05, 0x0A, 0x01, 0x01, 0x01];

bitflags::bitflags! {
    /// KeyUsage, its first bit on top (TPMA_X509_KEY_USAGE) [RFC 5280 §4.2.1.3;
    /// Part 2 §8.13].
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct KeyUsage: u32 {
        const DIGITAL_SIGNATURE = 1 << 31;
        const NON_REPUDIATION = 1 << 30;
        const KEY_ENCIPHERMENT = 1 << 29;
        const DATA_ENCIPHERMENT = 1 << 28;
        const KEY_AGREEMENT = 1 << 27;
        const KEY_CERT_SIGN = 1 << 26;
        const CRL_SIGN = 1 << 25;
        const ENCIPHER_ONLY = 1 << 24;
        const DECIPHER_ONLY = 1 << 23;
    }
}

impl KeyUsage {
    const SIGNS: Self = Self::DIGITAL_SIGNATURE.union(Self::KEY_CERT_SIGN).union(Self::CRL_SIGN);
    const DECRYPTS: Self = Self::KEY_ENCIPHERMENT
        .union(Self::DATA_ENCIPHERMENT)
        .union(Self::KEY_AGREEMENT)
        .union(Self::ENCIPHER_ONLY)
        .union(Self::DECIPHER_ONLY);
}

/// The fields of a TBSCertificate that the caller gives, each with tag and
/// length [RFC 5280 §4.1].
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartialCertificate<'a> {
    /// The algorithm of the signature, if the caller says it.
    pub(crate) algorithm: Option<&'a [u8]>,
    pub(crate) issuer: &'a [u8],
    pub(crate) validity: &'a [u8],
    pub(crate) subject: &'a [u8],
    pub(crate) extensions: &'a [u8],
}

impl<'a> PartialCertificate<'a> {
    /// Takes a sequence of these fields apart.
    ///
    /// # Errors
    ///
    /// [`ResponseCode::SIZE`] if the bytes are no one sequence,
    /// [`ResponseCode::VALUE`] if it does not hold these fields.
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, ResponseCode> {
        if bytes.is_empty() {
            return Err(ResponseCode::VALUE);
        }
        let no_sequence = |_| ResponseCode::SIZE;
        let mut fields = SliceReader::new(bytes).map_err(no_sequence)?;
        let header = Header::decode(&mut fields).map_err(no_sequence)?;
        if header.tag() != Tag::Sequence || header.length() != fields.remaining_len() {
            return Err(ResponseCode::SIZE);
        }
        let mut sequences: Vec<&[u8]> = Vec::new();
        let mut extensions = None;
        while !fields.is_finished() {
            let tag = Tag::peek(&fields).map_err(malformed)?;
            let field = fields.tlv_bytes().map_err(malformed)?;
            match tag {
                Tag::Sequence if extensions.is_none() => sequences.push(field),
                EXTENSIONS if extensions.is_none() => extensions = Some(field),
                _ => return Err(ResponseCode::VALUE),
            }
        }
        let extensions = extensions.ok_or(ResponseCode::VALUE)?;
        match *sequences.as_slice() {
            [issuer, validity, subject] => {
                Ok(Self { algorithm: None, issuer, validity, subject, extensions })
            }
            [algorithm, issuer, validity, subject] => {
                Ok(Self { algorithm: Some(algorithm), issuer, validity, subject, extensions })
            }
            _ => Err(ResponseCode::VALUE),
        }
    }

    /// Checks that the extensions say nothing of `key` that is not so: its
    /// attributes, if they are there, and its use, which has to be
    /// [Part 3 §18.8.1].
    ///
    /// # Errors
    ///
    /// [`ResponseCode::ATTRIBUTES`] if the attributes are others;
    /// [`ResponseCode::RESERVED_BITS`] for uses that there are not;
    /// [`ResponseCode::VALUE`] if the key is not for that use, or the extensions
    /// are malformed.
    pub(crate) fn check_statements(&self, key: &Public) -> Result<(), ResponseCode> {
        let has = |attribute| key.attributes.contains(attribute);
        if let Some(stated) = extension(self.extensions, &TPM_ATTRIBUTES)?
            && stated != key.attributes.bits()
        {
            return Err(ResponseCode::ATTRIBUTES);
        }
        let usage = extension(self.extensions, &KEY_USAGE)?.ok_or(ResponseCode::VALUE)?;
        let usage = KeyUsage::from_bits(usage).ok_or(ResponseCode::RESERVED_BITS)?;
        let true_of_the_key = [
            (KeyUsage::SIGNS, ObjectAttributes::SIGN),
            (KeyUsage::DECRYPTS, ObjectAttributes::DECRYPT),
            (KeyUsage::NON_REPUDIATION, ObjectAttributes::FIXED_TPM),
            (KeyUsage::KEY_ENCIPHERMENT, ObjectAttributes::RESTRICTED),
        ]
        .into_iter()
        .all(|(uses, attribute)| !usage.intersects(uses) || has(attribute));
        if true_of_the_key { Ok(()) } else { Err(ResponseCode::VALUE) }
    }
}

/// The bits in the extension with this identifier, the first one on top; none
/// without that extension.
fn extension(extensions: &[u8], identifier: &[u8]) -> Result<Option<u32>, ResponseCode> {
    let list = AnyRef::from_der(extensions).map_err(malformed)?;
    let mut list = list_in(AnyRef::from_der(list.value()).map_err(malformed)?)?;
    while !list.is_finished() {
        let mut extension = list_in(AnyRef::decode(&mut list).map_err(malformed)?)?;
        let name = AnyRef::decode(&mut extension).map_err(malformed)?;
        if name.header().tag() != Tag::ObjectIdentifier || name.value() != identifier {
            continue;
        }
        let mut value = AnyRef::decode(&mut extension).map_err(malformed)?;
        // Whether it is critical may stand in between.
        if value.header().tag() == Tag::Boolean {
            value = AnyRef::decode(&mut extension).map_err(malformed)?;
        }
        if value.header().tag() != Tag::OctetString || !extension.is_finished() {
            return Err(ResponseCode::VALUE);
        }
        return bits(value.value()).map(Some);
    }
    Ok(None)
}

/// The inside of a sequence.
fn list_in(sequence: AnyRef<'_>) -> Result<SliceReader<'_>, ResponseCode> {
    if sequence.header().tag() != Tag::Sequence {
        return Err(ResponseCode::VALUE);
    }
    SliceReader::new(sequence.value()).map_err(malformed)
}

/// A BIT STRING of at most 32 bits, the first one on top.
fn bits(encoded: &[u8]) -> Result<u32, ResponseCode> {
    let string = BitStringRef::from_der(encoded).map_err(malformed)?;
    if string.bit_len() > 32 {
        return Err(ResponseCode::VALUE);
    }
    Ok(string
        .bits()
        .zip(0..32)
        .fold(0, |bits, (bit, position)| bits | (u32::from(bit) << (31 - position))))
}

fn malformed(_: der::Error) -> ResponseCode {
    ResponseCode::VALUE
}
