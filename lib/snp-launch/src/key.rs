//! Digests of the keys that sign ID blocks.

use abi_snp::{Digest, EcdsaP384PublicKey};
use sha2::{Digest as _, Sha384};
use zerocopy::IntoBytes;

/// What an attestation report holds as `ID_KEY_DIGEST` or `AUTHOR_KEY_DIGEST`
/// for `key`: SHA-384 over the whole structure, zero bytes included [SNP ABI
/// 56860 §8.18].
#[must_use]
pub fn key_digest(key: &EcdsaP384PublicKey) -> Digest {
    Digest(Sha384::digest(key.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use abi_snp::P384Integer;

    use super::*;

    /// The generator of P-384, the public key that belongs to private key 1
    /// [FIPS 186-4 §D.1.2.4].
    const X: [u8; 48] = [
        0xaa, 0x87, 0xca, 0x22, 0xbe, 0x8b, 0x05, 0x37, 0x8e, 0xb1, 0xc7, 0x1e, 0xf3, 0x20, 0xad,
        0x74, 0x6e, 0x1d, 0x3b, 0x62, 0x8b, 0xa7, 0x9b, 0x98, 0x59, 0xf7, 0x41, 0xe0, 0x82, 0x54,
        0x2a, 0x38, 0x55, 0x02, 0xf2, 0x5d, 0xbf, 0x55, 0x29, 0x6c, 0x3a, 0x54, 0x5e, 0x38, 0x72,
        0x76, 0x0a, 0xb7,
    ];
    const Y: [u8; 48] = [
        0x36, 0x17, 0xde, 0x4a, 0x96, 0x26, 0x2c, 0x6f, 0x5d, 0x9e, 0x98, 0xbf, 0x92, 0x92, 0xdc,
        0x29, 0xf8, 0xf4, 0x1d, 0xbd, 0x28, 0x9a, 0x14, 0x7c, 0xe9, 0xda, 0x31, 0x13, 0xb5, 0xf0,
        0xb8, 0xc0, 0x0a, 0x60, 0xb1, 0xce, 0x1d, 0x7e, 0x81, 0x9d, 0x7a, 0x43, 0x1d, 0x7c, 0x90,
        0xea, 0x0e, 0x5f,
    ];

    // The expected digest comes from sev-snp-measure 0.0.13 (PyPI):
    //
    //     from cryptography.hazmat.primitives.asymmetric import ec
    //     from sevsnpmeasure.id_block import pub_to_digest
    //     print(pub_to_digest(ec.derive_private_key(1, ec.SECP384R1())).hex())
    #[test]
    fn agrees_with_sev_snp_measure() {
        let (x, y) = (P384Integer::from_big_endian(&X), P384Integer::from_big_endian(&Y));
        let digest = key_digest(&EcdsaP384PublicKey::new(x, y));
        let expected = "01ce77b697886b46c6e363a9d02bbee2506e4b21ca4b3085f35f20e4cf66ac78\
            0e01e38aad53f973cbcea56e59a7b382";
        assert_eq!(digest.to_string(), expected);
    }
}
