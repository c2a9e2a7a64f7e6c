//! Certificates are as AMD's, and what is no chain is refused.

use abi_snp::CertificateTable;
use proptest::prelude::*;
use x509_cert::der::asn1::OctetString;
use x509_cert::ext::Extension;

use super::*;
use crate::forger::Forger;
use crate::sample::{MILAN, OTHER_MILAN, TURIN};
use crate::{Endorsement, Product};

fn ders(endorsement: &Endorsement) -> [Vec<u8>; 3] {
    let Chain { ark, ask, vcek, .. } = endorsement.chain();
    [ark, ask, vcek].map(|encoded| encoded.der.clone())
}

fn refusal(ark: &[u8], ask: &[u8], vcek: &[u8]) -> ChainError {
    Chain::from_der(ark, ask, vcek).unwrap_err()
}

#[test]
fn the_chain_says_what_it_was_made_for() {
    for endorsement in [&*MILAN, &*TURIN] {
        let [ark, ask, vcek] = ders(endorsement);
        let chain = Chain::from_der(&ark, &ask, &vcek).unwrap();
        assert_eq!(chain.chip(), endorsement.chain().chip());
        assert_eq!(chain.vcek(), endorsement.chain().vcek());
    }
    assert_eq!(*MILAN.chain().chip(), crate::sample::chip(1, Product::Milan));
    assert_eq!(*TURIN.chain().chip(), crate::sample::chip(3, Product::Turin));
}

/// Object identifiers and contents of the VCEK certificate's extensions.
fn extensions(endorsement: &Endorsement) -> Vec<(String, Vec<u8>)> {
    let [.., vcek] = ders(endorsement);
    let vcek = Certificate::from_der(&vcek).unwrap();
    let extensions = vcek.tbs_certificate().extensions().unwrap();
    assert!(extensions.iter().all(|extension| !extension.critical));
    let show = |extension: &Extension| {
        (extension.extn_id.to_string(), extension.extn_value.as_bytes().to_vec())
    };
    extensions.iter().map(show).collect()
}

/// Bytes, except for identifiers and versions, as in a certificate that AMD
/// issued for a Milan processor.
#[test]
fn extensions_for_milan() {
    let expected: [(&str, &[u8]); 11] = [
        ("1.3.6.1.4.1.3704.1.1", &[2, 1, 0]),
        ("1.3.6.1.4.1.3704.1.2", b"\x16\x08Milan-B0"),
        ("1.3.6.1.4.1.3704.1.3.1", &[2, 1, 4]),
        ("1.3.6.1.4.1.3704.1.3.2", &[2, 1, 0]),
        ("1.3.6.1.4.1.3704.1.3.4", &[2, 1, 0]),
        ("1.3.6.1.4.1.3704.1.3.5", &[2, 1, 0]),
        ("1.3.6.1.4.1.3704.1.3.6", &[2, 1, 0]),
        ("1.3.6.1.4.1.3704.1.3.7", &[2, 1, 0]),
        ("1.3.6.1.4.1.3704.1.3.3", &[2, 1, 22]),
        ("1.3.6.1.4.1.3704.1.3.8", &[2, 2, 0, 213]),
        ("1.3.6.1.4.1.3704.1.4", &[1; 64]),
    ];
    let expected = expected.map(|(oid, content)| (oid.to_owned(), content.to_vec()));
    assert_eq!(extensions(&MILAN), expected);
}

/// The same for a Turin processor.
#[test]
fn extensions_for_turin() {
    let expected: [(&str, &[u8]); 11] = [
        ("1.3.6.1.4.1.3704.1.1", &[2, 1, 1]),
        ("1.3.6.1.4.1.3704.1.2", b"\x16\x05Turin"),
        ("1.3.6.1.4.1.3704.1.3.9", &[2, 1, 1]),
        ("1.3.6.1.4.1.3704.1.3.1", &[2, 1, 4]),
        ("1.3.6.1.4.1.3704.1.3.2", &[2, 1, 0]),
        ("1.3.6.1.4.1.3704.1.3.3", &[2, 1, 22]),
        ("1.3.6.1.4.1.3704.1.3.5", &[2, 1, 0]),
        ("1.3.6.1.4.1.3704.1.3.6", &[2, 1, 0]),
        ("1.3.6.1.4.1.3704.1.3.7", &[2, 1, 0]),
        ("1.3.6.1.4.1.3704.1.3.8", &[2, 2, 0, 213]),
        ("1.3.6.1.4.1.3704.1.4", &[3; 8]),
    ];
    let expected = expected.map(|(oid, content)| (oid.to_owned(), content.to_vec()));
    assert_eq!(extensions(&TURIN), expected);
}

#[test]
fn nobody_is_told_that_these_are_amd_s() {
    let [ark, ask, vcek] = ders(&MILAN);
    for (der, name) in [(ark, "ARK-Milan"), (ask, "SEV-Milan"), (vcek, "SEV-VCEK")] {
        let certificate = Certificate::from_der(&der).unwrap();
        let subject = certificate.tbs_certificate().subject().to_string();
        assert_eq!(subject, format!("CN={name},O=SVSM platform simulator (no security)"));
    }
}

#[test]
fn the_table_is_what_a_guest_reads() {
    let bytes = MILAN.chain().certificate_table();
    let table = CertificateTable::parse(&bytes).unwrap();
    let [ark, ask, vcek] = ders(&MILAN);
    assert_eq!(table.find(CertificateKind::ARK), Some(&*ark));
    assert_eq!(table.find(CertificateKind::ASK), Some(&*ask));
    assert_eq!(table.find(CertificateKind::VCEK), Some(&*vcek));
    assert_eq!(table.certificates().count(), 3);
}

#[test]
fn public_files_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    for file in TURIN.chain().public_files() {
        std::fs::write(folder.path().join(file.name), file.content).unwrap();
    }
    assert_eq!(Chain::load(folder.path()).unwrap().chip(), TURIN.chain().chip());
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    assert_eq!([read("ask.pem"), read("ark.pem")].concat(), read("cert_chain.pem"));
    assert_eq!(read("vcek.der"), ders(&TURIN)[2]);
    std::fs::remove_file(folder.path().join("ask.pem")).unwrap();
    let error = Chain::load(folder.path()).unwrap_err();
    assert!(matches!(error, ChainError::File(_)) && error.to_string().contains("ask.pem"));
}

#[test]
fn another_root_does_not_fit() {
    let [ark, ask, vcek] = ders(&MILAN);
    let [other_ark, other_ask, other_vcek] = ders(&OTHER_MILAN);
    // Names are the same, keys are not.
    for (error, which) in [
        (refusal(&other_ark, &ask, &vcek), CertificateKind::ASK),
        (refusal(&ark, &other_ask, &vcek), CertificateKind::ASK),
        (refusal(&ark, &ask, &other_vcek), CertificateKind::VCEK),
    ] {
        assert!(matches!(error, ChainError::Signature { which: w, .. } if w == which), "{error}");
    }
}

#[test]
fn certificates_have_their_places() {
    let [ark, ask, vcek] = ders(&MILAN);
    let [turin_ark, turin_ask, _] = ders(&TURIN);
    let error = refusal(&ark, &turin_ask, &vcek);
    assert_eq!(
        error.to_string(),
        "the ASK certificate names another issuer than the subject of the ARK one"
    );
    assert!(matches!(refusal(&turin_ark, &ask, &vcek), ChainError::Issuer { .. }));
    // The ASK is not signed by itself.
    let error = refusal(&ask, &ask, &vcek);
    assert!(
        matches!(error, ChainError::Issuer { which, .. } if which == CertificateKind::ARK),
        "{error}"
    );
    let error = refusal(&ark, &vcek, &vcek);
    assert_eq!(
        error.to_string(),
        "the ASK certificate does not allow its key to sign certificates"
    );
    let error = refusal(&ark, &ark, &ark);
    assert_eq!(error.to_string(), "the key in the VCEK certificate is not an ECDSA key on P-384");
}

#[test]
fn what_is_no_certificate_is_refused() {
    let [ark, ask, vcek] = ders(&MILAN);
    for der in [&[][..], b"-----BEGIN CERTIFICATE-----", &ask[..ask.len() - 1]] {
        let error = refusal(&ark, der, &vcek);
        assert!(
            matches!(error, ChainError::Malformed { which, .. } if which == CertificateKind::ASK),
            "{error}"
        );
    }
    let longer = [&*ask, &[0]].concat();
    assert!(matches!(refusal(&ark, &longer, &vcek), ChainError::Malformed { .. }));
    let error = Chain::from_pem(&ark, &ask, &vcek).unwrap_err();
    assert!(error.to_string().starts_with("the ARK certificate is malformed: "), "{error}");
    let pem = MILAN.chain().ark.pem.as_bytes();
    let key = b"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n";
    let error = Chain::from_pem(pem, key, pem).unwrap_err();
    assert_eq!(error.to_string(), "there is a `PUBLIC KEY` where the ASK certificate should be");
}

#[test]
fn keys_have_4096_bits() {
    let root = Forger::new(2048).root("CN=ARK-Milan", 48);
    let error = Chain::new(&root, &root, &root).unwrap_err();
    assert_eq!(error.to_string(), "the key in the ARK certificate is not an RSA key of 4096 bits");
}

#[test]
fn signatures_have_48_bytes_of_salt() {
    let root = Forger::new(RSA_BITS).root("CN=ARK-Milan", 32);
    let error = Chain::new(&root, &root, &root).unwrap_err();
    assert!(
        matches!(error, ChainError::Algorithm { which } if which == CertificateKind::ARK),
        "{error}"
    );
}

#[test]
fn a_damaged_description_of_the_chip_is_refused() {
    let chip = MILAN.chain().chip();
    let mut forger = Forger::new(RSA_BITS);
    // One certificate serves as ARK and ASK: what follows is judged first.
    let root = forger.root("CN=ARK-Milan", 48);
    let mut refusal = |extensions: Vec<Extension>| {
        let vcek = forger.vcek("CN=ARK-Milan", extensions);
        Chain::new(&root, &root, &vcek).unwrap_err().to_string()
    };
    // Undamaged, it is the ASK's name that is wrong.
    let good = chip_extensions::write(chip).unwrap();
    let error = refusal(good.clone());
    assert_eq!(error, "the ASK certificate is for `ARK-Milan`, not for `SEV-Milan`");

    const PRODUCT: &str = "1.3.6.1.4.1.3704.1.2";
    const SNP: &str = "1.3.6.1.4.1.3704.1.3.3";
    const HARDWARE_ID: &str = "1.3.6.1.4.1.3704.1.4";
    let damages: [(&str, &[u8], &str); 8] = [
        (PRODUCT, b"\x16\x04Rome", "the product `Rome` is unknown"),
        (PRODUCT, b"\x16\x05Turin", "there is no extension 1.3.6.1.4.1.3704.1.3.9"),
        (PRODUCT, b"\x0c\x05Milan", "the extension 1.3.6.1.4.1.3704.1.2 is malformed"),
        (SNP, &[2, 2, 1, 0], "the extension 1.3.6.1.4.1.3704.1.3.3 is malformed"),
        (SNP, &[2, 1, 0xff], "the extension 1.3.6.1.4.1.3704.1.3.3 is malformed"),
        (SNP, &[], "the extension 1.3.6.1.4.1.3704.1.3.3 is malformed"),
        (HARDWARE_ID, &[1; 63], "the chip identifier has 63 bytes, those of Milan have 64"),
        (HARDWARE_ID, &[], "the chip identifier has 0 bytes, those of Milan have 64"),
    ];
    for (oid, content, expected) in damages {
        let mut extensions = good.clone();
        let place = extensions.iter().position(|e| e.extn_id.to_string() == oid).unwrap();
        extensions[place].extn_value = OctetString::new(content).unwrap();
        let error = refusal(extensions.clone());
        assert!(error.contains(expected), "{error}");
        assert!(error.starts_with("the VCEK certificate does not describe"), "{error}");

        let removed = extensions.remove(place);
        assert!(refusal(extensions).ends_with(&format!("there is no extension {oid}")));
        let repeated = [&*good, &[removed]].concat();
        assert!(refusal(repeated).ends_with(&format!("there is more than one extension {oid}")));
    }
}

#[test]
fn common_names_are_checked() {
    let mut forger = Forger::new(RSA_BITS);
    let root = forger.root("O=ARK-Milan", 48);
    let extensions = chip_extensions::write(MILAN.chain().chip()).unwrap();
    let vcek = forger.vcek("O=ARK-Milan", extensions);
    let error = Chain::new(&root, &root, &vcek).unwrap_err().to_string();
    assert_eq!(error, "the ARK certificate is for ``, not for `ARK-Milan`");
}

proptest! {
    #[test]
    fn every_bit_of_every_certificate_counts(
        which in 0usize..3,
        place in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let mut certificates = ders(&MILAN);
        let place = place.index(certificates[which].len());
        certificates[which][place] ^= 1 << bit;
        let [ark, ask, vcek] = &certificates;
        prop_assert!(Chain::from_der(ark, ask, vcek).is_err());
    }
}
