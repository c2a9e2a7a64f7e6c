//! Keys are read, signatures hold, and what is damaged is noticed.
//!
//! `tests/id_block.rs` compares a signed block with an independent program's.

use abi_snp::{Digest, EcdsaP384PublicKey, IdAuthentication, KeyAlgorithm};
use p384::SecretKey;
use p384::pkcs8::{EncodePrivateKey, LineEnding};
use zerocopy::{FromBytes, IntoBytes};

use super::{Error, Identity, SignatureState, Signed, SigningKey, sign, verify};
use crate::file::{Igvm, samples};
use crate::measure::{self, IdBlockDigest, Options};

fn secret(seed: u8) -> SecretKey {
    SecretKey::from_slice(&[seed; 48]).expect("a valid scalar")
}

fn key(seed: u8) -> SigningKey {
    let pem = secret(seed).to_pkcs8_pem(LineEnding::LF).expect("encodes");
    SigningKey::from_pem(&pem).expect("reads back")
}

fn image() -> Igvm {
    Igvm::parse(&samples::bytes(&samples::module())).expect("valid")
}

fn digest(igvm: &Igvm) -> Digest {
    measure::snp_launch_digest(igvm, &Options::default()).expect("measurable").digest
}

fn signed(author: Option<&SigningKey>) -> Signed {
    let identity = Identity { family_id: [1; 16], image_id: [2; 16], guest_svn: 3 };
    sign(&image(), digest(&image()), &identity, &key(1), author).expect("signs")
}

/// The image with this block in it.
fn with(signed: &Signed) -> Igvm {
    Igvm::parse(&signed.add_to(&image()).expect("writes")).expect("reads back")
}

#[test]
fn keys_are_read_in_both_forms() {
    let key = key(5);
    let sec1 = secret(5).to_sec1_pem(LineEnding::CRLF).expect("encodes");
    assert_eq!(SigningKey::from_pem(&sec1).expect("reads").digest(), key.digest());
    // As `openssl ecparam -genkey` without `-noout` writes it.
    let parameters = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n";
    let both = format!("{parameters}{}\nnotes", *sec1);
    assert_eq!(SigningKey::from_pem(&both).expect("reads").digest(), key.digest());
}

#[test]
fn what_is_no_key_is_refused() {
    let refusal = |pem: &str| SigningKey::from_pem(pem).expect_err("no key");
    assert!(matches!(refusal(""), Error::NoKey));
    let pem = secret(1).to_pkcs8_pem(LineEnding::LF).expect("encodes");
    assert!(matches!(refusal(&pem[..pem.len() / 2]), Error::NoKey));
    assert!(matches!(refusal(&pem.replace('M', "N")), Error::NotP384));
    assert!(matches!(refusal(&pem.replace("PRIVATE", "ENCRYPTED PRIVATE")), Error::Encrypted));
    let old = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n\
        -----END EC PRIVATE KEY-----\n";
    assert!(matches!(refusal(old), Error::Encrypted));
    // A key for P-256, made with `openssl ecparam -name prime256v1 -genkey`.
    let p256 = "-----BEGIN EC PRIVATE KEY-----\n\
        MHcCAQEEIKHpDSXeFgyMzopxA1GqY1JvVIR+RdNmStRQHAXWkRMGoAoGCCqGSM49\n\
        AwEHoUQDQgAELbkmdxtGP4KhsDvzKhqKJWZriRGSapKn9+wsyz6BJkm26Bg9W35B\n\
        4kWaUNUnomAGOgM5e4wBuortmlgdL9703Q==\n\
        -----END EC PRIVATE KEY-----\n";
    assert!(matches!(refusal(p256), Error::NotP384));
}

#[test]
fn key_files_are_named_in_errors() {
    let missing = SigningKey::from_file("/nonexistent/key.pem".as_ref()).expect_err("missing");
    assert!(missing.to_string().contains("/nonexistent/key.pem"), "{missing}");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs");
    let no_key = SigningKey::from_file(source.as_ref()).expect_err("not a key");
    assert!(no_key.to_string().contains("lib.rs: there is no PEM block"), "{no_key}");
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", key(0x5a));
    assert!(shown.contains("digest"), "{shown}");
    assert!(!shown.contains("5a5a5a") && !shown.contains("90, 90"), "{shown}");
}

#[test]
fn signatures_are_deterministic_and_hold() {
    let author = key(2);
    let block = signed(Some(&author));
    assert_eq!(block, signed(Some(&author)));
    let verification = verify(&with(&block)).expect("has an ID block");
    assert!(verification.holds());
    assert_eq!(verification.id_block, block.id_block);
    assert_eq!(verification.authentication, block.authentication);
    assert_eq!(verification.id_key_digest, key(1).digest());
    assert_eq!(verification.author, Some((author.digest(), SignatureState::Valid)));
}

#[test]
fn an_author_key_is_optional() {
    let block = signed(None);
    assert_eq!(block.authentication.author_key, EcdsaP384PublicKey::NONE);
    assert!(!block.qemu_options().contains("author-key-enabled"));
    let verification = verify(&with(&block)).expect("has an ID block");
    assert!(verification.holds());
    assert_eq!(verification.author, None);
}

#[test]
fn the_signed_image_is_the_image_plus_the_block() {
    let igvm = with(&signed(None));
    let (directive, rest) = igvm.file().directives().split_last().expect("not empty");
    assert!(matches!(directive, igvm::IgvmDirectiveHeader::SnpIdBlock { .. }));
    assert_eq!(rest, image().file().directives());
    assert_eq!(igvm.revision(), image().revision());
    assert_eq!(igvm.file().initializations(), image().file().initializations());
    let measurement = measure::snp_launch_digest(&igvm, &Options::default());
    let measurement = measurement.expect("measurable");
    assert_eq!(measurement.digest, digest(&image()));
    assert_eq!(measurement.id_block, IdBlockDigest::Agrees);

    let again = signed(Some(&key(9))).add_to(&igvm).expect("writes");
    let again = Igvm::parse(&again).expect("reads back");
    assert_eq!(again.file().directives().len(), igvm.file().directives().len());
}

#[test]
fn damage_to_a_signed_block_is_noticed() {
    let good = signed(Some(&key(2)));
    let states = |change: &dyn Fn(&mut Signed)| {
        let mut block = good;
        change(&mut block);
        let verification = verify(&with(&block)).expect("has an ID block");
        assert!(!verification.holds());
        (verification.id_block_signature, verification.author.map(|(_, state)| state))
    };
    let (valid, invalid) = (SignatureState::Valid, SignatureState::Invalid);
    let cases: [&dyn Fn(&mut Signed); 4] = [
        &|s| s.id_block.launch_digest.0[0] ^= 1,
        &|s| s.id_block.guest_svn += 1,
        &|s| s.authentication.id_block_signature.r.0[5] ^= 1,
        &|s| s.authentication.id_block_signature.s.0[71] = 1,
    ];
    for change in cases {
        assert_eq!(states(change), (invalid, Some(valid)));
    }
    let author = states(&|s| s.authentication.id_key_signature.s.0[0] ^= 1);
    assert_eq!(author, (valid, Some(invalid)));
    let other_key = states(&|s| s.authentication.id_key = key(7).public_key());
    assert_eq!(other_key, (invalid, Some(invalid)));
    let no_point = states(&|s| s.authentication.id_key.x.0[0] ^= 1);
    assert_eq!(no_point, (SignatureState::MalformedKey, Some(invalid)));
    let unknown = states(&|s| s.authentication.id_key_algorithm = KeyAlgorithm(9));
    assert_eq!(unknown, (SignatureState::UnknownAlgorithm, Some(valid)));
    let zero = states(&|s| {
        s.authentication.id_block_signature = abi_snp::EcdsaSignature::NONE;
    });
    assert_eq!(zero, (invalid, Some(valid)));
}

/// The policy is part of what is signed but stands in another header.
#[test]
fn another_policy_breaks_the_signature() {
    let block = signed(None);
    let file = with(&block);
    let changed = igvm::IgvmFile::new(
        file.revision(),
        file.file().platforms().to_vec(),
        vec![samples::policy(0xb_0000)],
        file.file().directives().to_vec(),
    );
    let changed = Igvm::parse(&samples::bytes(&changed.expect("valid"))).expect("reads back");
    let verification = verify(&changed).expect("has an ID block");
    assert_eq!(verification.id_block_signature, SignatureState::Invalid);
}

#[test]
fn images_that_cannot_be_signed_say_why() {
    let refusal = |igvm: &Igvm| {
        sign(igvm, Digest::ZERO, &Identity::default(), &key(1), None).expect_err("refused")
    };
    let cca = Igvm::parse(&samples::bytes(&samples::cca())).expect("valid");
    assert!(matches!(refusal(&cca), Error::NotSnp));
    assert_eq!(verify(&cca), None);
    assert_eq!(verify(&image()), None);
    let module = samples::module();
    let no_policy = igvm::IgvmFile::new(
        samples::x64(),
        module.platforms().to_vec(),
        vec![],
        module.directives().to_vec(),
    );
    let no_policy = Igvm::parse(&samples::bytes(&no_policy.expect("valid"))).expect("reads back");
    assert!(matches!(refusal(&no_policy), Error::NoPolicy));
}

/// Headers that the `igvm` crate does not know cannot be written back.
#[test]
fn headers_are_not_lost_silently() {
    let header = [0xff, 3, 0, 0x80, 0, 0, 0, 0];
    // Its pages have no data whose file offsets would be wrong now.
    let empty = samples::module_with(vec![samples::page(0, samples::SNP, &[])]);
    let mut small = samples::bytes(&empty);
    small.extend_from_slice(&header);
    let size = u32::from_le_bytes([small[12], small[13], small[14], small[15]]) + 8;
    small[12..16].copy_from_slice(&size.to_le_bytes());
    samples::reseal(&mut small);
    let igvm = Igvm::parse(&small).expect("valid");
    let refusal = signed(None).add_to(&igvm).expect_err("refused");
    assert!(matches!(refusal, Error::WouldLoseHeaders { count: 1, header_type: 0x3ff }));
}

#[test]
fn qemu_gets_both_structures() {
    use base64ct::{Base64, Encoding};
    let block = signed(Some(&key(2)));
    let options = block.qemu_options();
    let fields: Vec<&str> = options.split(',').collect();
    let [id_block, id_auth, author] = fields[..] else { panic!("three options") };
    let decode = |option: &str, name| {
        Base64::decode_vec(option.strip_prefix(name).expect("named")).expect("Base64")
    };
    assert_eq!(decode(id_block, "id-block="), block.id_block.as_bytes());
    let bytes = decode(id_auth, "id-auth=");
    assert_eq!(IdAuthentication::read_from_bytes(&bytes), Ok(block.authentication));
    assert_eq!(author, "author-key-enabled=on");
}
