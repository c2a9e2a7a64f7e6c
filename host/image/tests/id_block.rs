//! ID blocks agree, byte for byte, with those of the independent program
//! sev-snp-measure, which signs with OpenSSL. The script that made the expected
//! answer is `data/id_block.py`.

use abi_snp::Digest;
use base64ct::{Base64, Encoding};
use igvm::{
    IgvmDirectiveHeader, IgvmFile, IgvmInitializationHeader, IgvmPlatformHeader, IgvmRevision,
};
use igvm_defs::{
    IGVM_VHS_SUPPORTED_PLATFORM, IgvmPageDataFlags, IgvmPageDataType, IgvmPlatformType,
};
use serde::Deserialize;
use svsm_image::file::Igvm;
use svsm_image::sign::{self, Identity, SigningKey};

#[derive(Deserialize)]
struct Expected {
    launch_digest: String,
    id_key: String,
    author_key: String,
    qemu_options: String,
    id_key_digest: String,
    author_key_digest: String,
}

/// A file for SEV-SNP with the policy that sev-snp-measure writes.
fn image() -> Igvm {
    let platform = IgvmPlatformHeader::SupportedPlatform(IGVM_VHS_SUPPORTED_PLATFORM {
        compatibility_mask: 1,
        highest_vtl: 0,
        platform_type: IgvmPlatformType::SEV_SNP,
        platform_version: 1,
        shared_gpa_boundary: 0,
    });
    let policy = IgvmInitializationHeader::GuestPolicy { policy: 0x3_0000, compatibility_mask: 1 };
    let page = IgvmDirectiveHeader::PageData {
        gpa: 0,
        compatibility_mask: 1,
        flags: IgvmPageDataFlags::new(),
        data_type: IgvmPageDataType::NORMAL,
        data: vec![1; 4096],
    };
    let file = IgvmFile::new(IgvmRevision::V1, vec![platform], vec![policy], vec![page]);
    let mut bytes = Vec::new();
    file.expect("valid").serialize(&mut bytes).expect("serializes");
    Igvm::parse(&bytes).expect("reads back")
}

#[test]
fn agrees_with_sev_snp_measure() {
    let expected: Expected =
        serde_json::from_str(include_str!("data/id_block.json")).expect("what the script printed");
    let digest: Vec<u8> = (0..48).collect();
    let digest_text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest_text, expected.launch_digest);
    let digest = Digest(digest.try_into().expect("48 bytes"));

    let id_key = SigningKey::from_pem(&expected.id_key).expect("SEC1 key");
    let author_key = SigningKey::from_pem(&expected.author_key).expect("PKCS#8 key");
    assert_eq!(Base64::encode_string(&id_key.digest().0), expected.id_key_digest);
    assert_eq!(Base64::encode_string(&author_key.digest().0), expected.author_key_digest);

    let signed = sign::sign(&image(), digest, &Identity::default(), &id_key, Some(&author_key))
        .expect("signs");
    assert_eq!(signed.qemu_options(), format!("{},author-key-enabled=on", expected.qemu_options));
}
