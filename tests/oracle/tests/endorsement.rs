//! What the simulated security processor signs is accepted by a verifier that
//! others wrote, and what is wrong with it is refused.

use std::path::Path;
use std::sync::LazyLock;

use abi_snp::{
    AttestationReport, CertificateKind, EcdsaSignature, KeyAlgorithm, KeyInfo, KeyInfoFlags,
    Mitigations, P384Integer, Policy, PolicyFlags, ProcessorModel, SigningKey, TcbComponents,
};
use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use p384::ecdsa::Signature;
use p384::ecdsa::signature::Signer;
use sev::certs::snp::builtin;
use svsm_endorsement::{Chain, ChainError, ChipIdentity, Endorsement, Product};
use svsm_oracle::judge;
use tempfile::TempDir;
use zerocopy::IntoBytes;

/// A processor of each product, and a second one of the first.
static MILAN: LazyLock<Endorsement> = LazyLock::new(|| draw(1, Product::Milan));
static OTHER_MILAN: LazyLock<Endorsement> = LazyLock::new(|| draw(2, Product::Milan));
static GENOA: LazyLock<Endorsement> = LazyLock::new(|| draw(3, Product::Genoa));
static TURIN: LazyLock<Endorsement> = LazyLock::new(|| draw(4, Product::Turin));

fn draw(seed: u8, product: Product) -> Endorsement {
    let turin = product == Product::Turin;
    let mut chip_id = [0; 64];
    chip_id[..if turin { 8 } else { 64 }].fill(seed);
    let fmc = turin.then_some(1);
    let tcb = TcbComponents { fmc, boot_loader: 10, tee: 1, snp: 24, microcode: 213 };
    let chip = ChipIdentity::new(product, chip_id, tcb).unwrap();
    Endorsement::generate(&mut ChaCha20Rng::from_seed([seed; 32]), &chip).unwrap()
}

/// The processor model that reports of this product name.
fn model(by: &Endorsement) -> ProcessorModel {
    match by.chain().chip().product() {
        Product::Milan => ProcessorModel { family: 0x19, model: 0x01, stepping: 1 },
        Product::Genoa => ProcessorModel { family: 0x19, model: 0x11, stepping: 1 },
        Product::Turin => ProcessorModel { family: 0x1a, model: 0x02, stepping: 1 },
    }
}

/// An empty report of each version.
fn versions(by: &Endorsement) -> [AttestationReport; 3] {
    let mitigations = Mitigations { launch: 0x3, current: 0x7 };
    [
        AttestationReport::version_2(),
        AttestationReport::version_3(model(by)),
        AttestationReport::version_5(model(by), mitigations),
    ]
}

/// Fills a report in and signs it.
fn sign(mut report: AttestationReport, by: &Endorsement) -> AttestationReport {
    let chip = by.chain().chip();
    report.guest_svn = 5;
    report.policy = Policy::new(0, 0, PolicyFlags::SMT_ALLOWED);
    report.signature_algorithm = KeyAlgorithm::ECDSA_P384_SHA384;
    report.key_info = KeyInfo::new(SigningKey::VCEK, KeyInfoFlags::empty());
    report.report_data = core::array::from_fn(|place| place as u8);
    report.measurement.0 = [0xab; 48];
    report.report_id = [0xcd; 32];
    report.report_id_ma = [0xff; 32];
    report.chip_id = *chip.chip_id();
    for tcb in [
        &mut report.current_tcb,
        &mut report.reported_tcb,
        &mut report.committed_tcb,
        &mut report.launch_tcb,
    ] {
        *tcb = chip.reported_tcb();
    }
    let key = p384::ecdsa::SigningKey::from_slice(by.vcek_scalar().as_slice()).unwrap();
    let signature: Signature = key.sign(report.signed_bytes());
    let (r, s) = signature.split_bytes();
    let number = |bytes: p384::FieldBytes| P384Integer::from_big_endian(&bytes.into());
    report.signature = EcdsaSignature::new(number(r), number(s));
    report
}

/// A folder as `svsm endorsement export` writes it.
fn export(endorsement: &Endorsement) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in endorsement.chain().public_files() {
        std::fs::write(folder.path().join(file.name), file.content).unwrap();
    }
    folder
}

fn refusal(folder: &Path, report: &AttestationReport) -> String {
    judge(folder, report.as_bytes()).unwrap_err().to_string()
}

#[test]
fn reports_of_all_versions_from_all_products_hold() {
    for by in [&*MILAN, &*GENOA, &*TURIN] {
        let folder = export(by);
        for report in versions(by) {
            let report = sign(report, by);
            judge(folder.path(), report.as_bytes()).unwrap();
            // Ours agrees.
            assert_eq!(by.chain().verify(&report), Ok(()));
        }
    }
}

#[test]
fn the_table_for_guests_is_a_chain() {
    use sev::certs::snp::{Chain, Verifiable};
    use sev::firmware::host::{CertTableEntry, CertType};

    for by in [&*MILAN, &*GENOA, &*TURIN] {
        let table = by.chain().certificate_table();
        let entries = CertTableEntry::vec_bytes_to_cert_table(&mut table.clone()).unwrap();
        let kinds: Vec<&CertType> = entries.iter().map(|entry| &entry.cert_type).collect();
        assert_eq!(kinds, [&CertType::VCEK, &CertType::ASK, &CertType::ARK]);
        Chain::from_cert_table_der(entries).unwrap().verify().unwrap();
    }
}

#[test]
fn changed_reports_are_refused() {
    let folder = export(&GENOA);
    for report in versions(&GENOA) {
        let signed = sign(report, &GENOA);
        let mut changed = signed;
        changed.measurement.0[0] ^= 1;
        assert!(refusal(folder.path(), &changed).contains("does not sign"), "measurement");
        let mut changed = signed;
        changed.report_data[63] ^= 0x80;
        assert!(refusal(folder.path(), &changed).contains("does not sign"), "report data");
        let mut changed = signed;
        changed.signature.s.0[0] ^= 1;
        assert!(refusal(folder.path(), &changed).contains("does not sign"), "signature");
    }
}

#[test]
fn another_processor_s_report_is_refused() {
    let report = sign(AttestationReport::version_2(), &OTHER_MILAN);
    assert!(refusal(export(&MILAN).path(), &report).contains("does not sign"));
    judge(export(&OTHER_MILAN).path(), report.as_bytes()).unwrap();
}

#[test]
fn mixed_certificates_are_refused() {
    let report = sign(AttestationReport::version_2(), &MILAN);
    let other = export(&OTHER_MILAN);
    for name in ["ark.pem", "ask.pem", "vcek.pem"] {
        let folder = export(&MILAN);
        judge(folder.path(), report.as_bytes()).unwrap();
        std::fs::copy(other.path().join(name), folder.path().join(name)).unwrap();
        refusal(folder.path(), &report);
    }
}

#[test]
fn reports_have_one_size() {
    let folder = export(&MILAN);
    let report = sign(AttestationReport::version_2(), &MILAN);
    let report = report.as_bytes();
    assert!(judge(folder.path(), &report[..report.len() - 1]).is_err());
    assert!(judge(folder.path(), &[report, &[0]].concat()).is_err());
}

/// Our own reader takes the certificates that AMD has issued for its ARK and
/// ASK, and sees that AMD has not signed our VCEK.
#[test]
fn amd_s_certificates_are_read_and_do_not_vouch_for_ours() {
    let amd = [
        (&*MILAN, builtin::milan::ark(), builtin::milan::ask()),
        (&*GENOA, builtin::genoa::ark(), builtin::genoa::ask()),
        (&*TURIN, builtin::turin::ark(), builtin::turin::ask()),
    ];
    for (ours, ark, ask) in amd {
        let product = ours.chain().chip().product();
        let (ark, ask) = (ark.unwrap().to_pem().unwrap(), ask.unwrap().to_pem().unwrap());
        let files = ours.chain().public_files();
        let vcek = &files.iter().find(|file| file.name == "vcek.pem").unwrap().content;
        // Both signatures were checked before the name of the VCEK's issuer.
        let error = Chain::from_pem(&ark, &ask, vcek).unwrap_err();
        assert!(
            matches!(
                error,
                ChainError::Issuer { which: CertificateKind::VCEK, issuer: CertificateKind::ASK }
            ),
            "{product}: {error}"
        );
    }
}
