//! The frame byte by byte, against an independent program.

extern crate std;

use std::format;
use std::string::String;

use proptest::prelude::*;
use zerocopy::{FromBytes, FromZeros};

use super::*;
use crate::samples::{counting_key, page};

/// Bytes of the header that nothing authenticates: the unused part of the tag
/// and a reserved field.
const UNPROTECTED: [core::ops::Range<usize>; 2] = [0x10..0x20, 0x28..0x30];

fn key() -> MessageKey {
    MessageKey(Zeroizing::new(counting_key()))
}

fn envelope(sequence_number: u64, vmpck: u8, message_type: u8, message_version: u8) -> Envelope {
    let (vmpck, message_type) = (VmpckId(vmpck), MessageType(message_type));
    Envelope { sequence_number, vmpck, message_type, message_version }
}

fn sealed(envelope: Envelope, payload: &[u8]) -> GuestMessage {
    let mut message = GuestMessage::read_from_bytes(&[0xee; 0x1000]).unwrap();
    key().seal(envelope, payload, &mut message).unwrap();
    message
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

// The expected bytes come from `cryptography` 50.0.2 (PyPI):
//
//     import struct
//     from cryptography.hazmat.primitives.ciphers.aead import AESGCM
//
//     def message(key, seqno, vmpck, kind, version, payload):
//         described = struct.pack("<BBHBBHIB35x", 1, 1, 0x60, kind, version, len(payload), 0, vmpck)
//         nonce = struct.pack("<QI", seqno, 0)
//         sealed = AESGCM(key).encrypt(nonce, payload, described)
//         content, tag = sealed[:-16], sealed[-16:]
//         return tag + bytes(16) + struct.pack("<QQ", seqno, 0) + described + content
//
//     key = bytes(range(32))
//     print(message(key, 1, 0, 17, 1, bytes(range(32))).hex())
//     print(message(key, 0x123456789abcdef1, 3, 5, 2, bytes([0xab]) * 16).hex())
//     full = message(key, 2, 0, 8, 1, bytes(i % 251 for i in range(4000)))
//     print(full[:16].hex(), full[-32:].hex())
#[test]
fn agrees_with_python_cryptography() {
    let payload: [u8; 32] = counting_key();
    let message = sealed(envelope(1, 0, 17, 1), &payload);
    let expected = "c6c0b5b9d1432159879fa32913f5586b00000000000000000000000000000000\
        0100000000000000000000000000000001016000110120000000000000000000\
        0000000000000000000000000000000000000000000000000000000000000000\
        e22d803ca0aaea00420d0fc830cc86c4dc70dd3d68bd7d05560647e5013b996f";
    assert_eq!(hex(&message.as_bytes()[..0x80]), expected);
    assert_eq!(message.as_bytes()[0x80..], [0; 0xf80]);

    let message = sealed(envelope(0x1234_5678_9abc_def1, 3, 5, 2), &[0xab; 16]);
    let expected = "60af0f5f192913151591cbf6dc295d0700000000000000000000000000000000\
        f1debc9a78563412000000000000000001016000050210000000000003000000\
        0000000000000000000000000000000000000000000000000000000000000000\
        fe90aa4e152b18b0e4aeb5945d6c6291";
    assert_eq!(hex(&message.as_bytes()[..0x70]), expected);
    assert_eq!(message.as_bytes()[0x70..], [0; 0xf90]);

    let payload: [u8; 4000] = core::array::from_fn(|i| (i % 251) as u8);
    let message = sealed(envelope(2, 0, 8, 1), &payload);
    assert_eq!(hex(&message.header.tag), "89ce05d949628aa5effe05f0c6eb7f3e");
    assert_eq!(
        hex(&message.payload[3968..]),
        "e369c95a6a9f832f03be115ddd91e3d3de2958bc8a1ebf143aef328350b3423e"
    );
}

#[test]
fn sealed_message_opens() {
    for size in [16, 32, 0x4c0, 4000] {
        let payload: std::vec::Vec<u8> = (0..size).map(|i| (i % 250) as u8).collect();
        let mut message = sealed(envelope(1, 2, 3, 4), &payload);
        assert_ne!(message.payload[..size], payload);
        assert_eq!(key().open(&mut message).unwrap(), payload);
    }
}

#[test]
fn every_protected_byte_counts() {
    let sealed = sealed(envelope(1, 0, 5, 1), &[0x5a; 96]);
    for place in 0..0x1000 {
        let mut bytes = [0; 0x1000];
        bytes.copy_from_slice(sealed.as_bytes());
        bytes[place] ^= 0x10;
        let mut message = GuestMessage::read_from_bytes(&bytes).unwrap();
        let opened = key().open(&mut message).map(|payload| payload.to_vec());
        let is_unprotected =
            place >= 0x60 + 96 || UNPROTECTED.iter().any(|range| range.contains(&place));
        match opened {
            Ok(payload) => assert!(is_unprotected && payload == [0x5a; 96], "{place:#x}"),
            Err(_) => {
                assert!(!is_unprotected, "{place:#x}");
                assert_eq!(message.as_bytes(), bytes, "{place:#x}: changed though refused");
            }
        }
    }
}

#[test]
fn payloads_are_whole_blocks_that_fit() {
    for size in [0, 1, 15, 17, 3999, 4001, 4016, 0x1_0000, 0x1_0010] {
        let payload = std::vec![0x5a; size];
        let mut message = GuestMessage::zeroed();
        let refused = key().seal(envelope(1, 0, 5, 1), &payload, &mut message);
        assert_eq!(refused, Err(PayloadSizeError(size)));
        assert_eq!(message, GuestMessage::zeroed());
    }
}

#[test]
fn sizes_beyond_the_page_are_refused() {
    let mut message = sealed(envelope(1, 0, 5, 1), &[0; 16]);
    for size in [4001, u16::MAX] {
        message.header.metadata.message_size = size;
        assert_eq!(key().open(&mut message), Err(KeyError::Size(size)));
    }
}

#[test]
fn other_keys_do_not_open() {
    let mut message = sealed(envelope(1, 0, 5, 1), &[0x5a; 16]);
    for place in [0, 15, 31] {
        let mut other = counting_key();
        other[place] ^= 1;
        let other = MessageKey(Zeroizing::new(other));
        assert_eq!(other.open(&mut message), Err(KeyError::NotAuthentic));
    }
}

#[test]
fn taken_key_is_gone() {
    let mut vmpck = Vmpck::read_from_bytes(&counting_key()).unwrap();
    assert!(MessageKey::take(&mut vmpck).is_some_and(|key| *key.0 == counting_key()));
    assert_eq!(*vmpck.expose(), [0; 32]);
    assert!(MessageKey::take(&mut vmpck).is_none());
    assert!(MessageKey::take(&mut Vmpck::new_zeroed()).is_none());
}

proptest! {
    #[test]
    fn any_bytes_are_refused(start in prop::collection::vec(any::<u8>(), 0x80), rest in any::<u8>()) {
        let mut message = page(&start, rest);
        prop_assert!(key().open(&mut message).is_err());
    }
}
