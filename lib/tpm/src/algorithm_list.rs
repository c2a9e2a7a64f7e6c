//! The algorithms that the device has, and which of them it tells of.
//!
//! `TPM2_SetAlgorithmSet` chooses what is told; what it means is the vendor's
//! [Part 3 §26.3]. Commands take all algorithms with every set.

use alloc::vec::Vec;

use crate::wire::algorithm::Hash;

/// The set of a new device: SHA-3 is left out, for the FAPI of tpm2-tss 3.2 and
/// tools that stand on that library end with an error where it is told of. With
/// any other set nothing is left out.
const WITHOUT_SHA3: u32 = 0;

/// What is told of with an algorithm set.
pub(crate) fn told(set: u32) -> Vec<(u16, u32)> {
    let sha3 = [Hash::Sha3_256, Hash::Sha3_384, Hash::Sha3_512].map(Hash::number);
    let mut told = algorithms();
    told.retain(|(number, _)| set != WITHOUT_SHA3 || !sha3.contains(number));
    told
}

/// Identifiers and attributes (TPMA_ALGORITHM) [Part 2 §8.2].
pub(crate) fn algorithms() -> Vec<(u16, u32)> {
    const ASYMMETRIC: u32 = 1 << 0;
    const OBJECT: u32 = 1 << 3;
    const ENCRYPTING: u32 = 1 << 9;
    const SYMMETRIC: u32 = 1 << 1;
    const HASH: u32 = 1 << 2;
    const SIGNING: u32 = 1 << 8;
    const METHOD: u32 = 1 << 10;
    let mut all: Vec<(u16, u32)> = Hash::ALL.iter().map(|hash| (hash.number(), HASH)).collect();
    all.extend([
        // RSA, HMAC, AES, MGF1, KEYEDHASH, XOR.
        (0x0001, ASYMMETRIC | OBJECT),
        (0x0005, HASH | SIGNING),
        (0x0006, SYMMETRIC),
        (0x0007, HASH | METHOD),
        (0x0008, HASH | OBJECT | ENCRYPTING | SIGNING),
        (0x000A, HASH | SYMMETRIC),
        // RSASSA, RSAES, RSAPSS, OAEP, ECDSA, ECDH, ECDAA, SM2, ECSCHNORR.
        (0x0014, ASYMMETRIC | SIGNING),
        (0x0015, ASYMMETRIC | ENCRYPTING),
        (0x0016, ASYMMETRIC | SIGNING),
        (0x0017, ASYMMETRIC | ENCRYPTING),
        (0x0018, ASYMMETRIC | SIGNING),
        (0x0019, ASYMMETRIC | METHOD),
        (0x001A, ASYMMETRIC | SIGNING),
        (0x001B, ASYMMETRIC | SIGNING | METHOD),
        (0x001C, ASYMMETRIC | SIGNING),
        // KDFe, KDFa, ECC, SYMCIPHER, Camellia, CMAC.
        (0x0020, HASH | METHOD),
        (0x0022, HASH | METHOD),
        (0x0023, ASYMMETRIC | OBJECT),
        (0x0025, OBJECT),
        (0x0026, SYMMETRIC),
        (0x003F, SYMMETRIC | SIGNING),
        // CTR, OFB, CBC, CFB, ECB.
        (0x0040, SYMMETRIC | ENCRYPTING),
        (0x0041, SYMMETRIC | ENCRYPTING),
        (0x0042, SYMMETRIC | ENCRYPTING),
        (0x0043, SYMMETRIC | ENCRYPTING),
        (0x0044, SYMMETRIC | ENCRYPTING),
    ]);
    all.sort_unstable();
    all
}
