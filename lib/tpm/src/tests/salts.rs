//! Sessions with salts, from the client's side.

use alloc::vec::Vec;

use tpm_crypto::derivation::{kdfa, kdfe};
use tpm_crypto::drbg::HmacDrbg;
use tpm_crypto::ecc::{Curve, Point, Scalar};
use tpm_crypto::hash::HashAlgorithm;
use tpm_crypto::hmac::Hmac;
use tpm_crypto::portable::Portable;
use tpm_crypto::provider::Curves;
use tpm_crypto::rsa::{RsaPublicKey, oaep};

use super::objects::{
    COMMON, DECRYPT, NO_DA, OWNER, RESTRICTED, primary, signing, storage, template,
};
use super::rig::{Rig, sized};
use crate::ResponseCode;
use crate::wire::codec::Wire;
use crate::wire::public::{Details, Public};

const SHA256: HashAlgorithm = HashAlgorithm::Sha256;
const NULL: u32 = 0x4000_0007;
const NONCE: [u8; 16] = [9; 16];

fn start(rig: &mut Rig, key: u32, salt: &[u8]) -> Result<Vec<u8>, ResponseCode> {
    let body = [
        &key.to_be_bytes()[..],
        &NULL.to_be_bytes(),
        &sized(&NONCE),
        &sized(salt),
        &[0, 0, 0x10, 0, 0x0B],
    ]
    .concat();
    rig.call(0x176, &body)
}

/// A salt for this key, and how to tell it.
fn salt_for(public: &Public) -> (Vec<u8>, Vec<u8>) {
    let mut stream = HmacDrbg::new(SHA256, &[b"client"]);
    match &public.details {
        Details::Rsa { modulus, .. } => {
            let key = RsaPublicKey::new(modulus, 65537).expect("a key");
            let told = oaep::encrypt(&Portable, &key, SHA256, b"SECRET\0", &[4; 32], &mut stream);
            (alloc::vec![4; 32], told.expect("it fits"))
        }
        Details::Ecc { x, y, .. } => {
            let peer = Point::new(Curve::P256, x, y).expect("a point");
            let scalar = Scalar::draw(Curve::P256, &mut stream).expect("a scalar");
            let own = Portable.public_key(&scalar).expect("a point");
            let shared = Portable.multiply(&scalar, &peer).expect("a point");
            let salt = kdfe(SHA256, shared.x(), b"SECRET", own.x(), x, 256);
            (salt.as_bytes().to_vec(), [sized(own.x()), sized(own.y())].concat())
        }
        _ => panic!("no key for salts"),
    }
}

#[test]
fn a_salt_makes_the_sessions_key() {
    let rsa = template(
        1,
        COMMON | NO_DA | RESTRICTED | DECRYPT,
        &[0, 6, 0, 128, 0, 0x43, 0, 0x10, 8, 0, 0, 0, 0, 0, 0, 0],
    );
    for template in [storage(), rsa] {
        let mut rig = Rig::started();
        let (key, public) = primary(&mut rig, OWNER, &template);
        let (salt, told) = salt_for(&Public::from_bytes(&public).expect("public"));
        authorize(&mut rig, key, &salt, &told);
    }
}

/// Sets the clock in a session with a salt.
fn authorize(rig: &mut Rig, key: u32, salt: &[u8], told: &[u8]) {
    let answer = start(rig, key, told).expect("session");
    let nonce_tpm = &answer[6..];
    let session = kdfa(SHA256, salt, b"ATH", nonce_tpm, &NONCE, 256);
    let clock = 5_u64.to_be_bytes();
    let command = SHA256.digest(&[&0x128_u32.to_be_bytes(), &OWNER.to_be_bytes(), &clock]);
    let proof =
        Hmac::mac(SHA256, session.as_bytes(), &[command.as_bytes(), &NONCE, nonce_tpm, &[0]]);
    let area = [&answer[..4], &sized(&NONCE), &[0], &sized(proof.as_bytes())].concat();
    rig.with_area(0x128, &[OWNER], &area, &clock).expect("authorized");
}

/// tpm2-tools write a coordinate without zeros in front, and derive the salt from
/// what they write.
#[test]
fn a_point_may_be_told_without_zeros_in_front() {
    let mut rig = Rig::started();
    let (key, public) = primary(&mut rig, OWNER, &storage());
    let Details::Ecc { x, y, .. } = Public::from_bytes(&public).expect("public").details else {
        panic!("a key on a curve was made")
    };
    let peer = Point::new(Curve::P256, &x, &y).expect("a point");
    let mut stream = HmacDrbg::new(SHA256, &[b"client"]);
    let (scalar, own) = (0..4096)
        .map(|_| Scalar::draw(Curve::P256, &mut stream).expect("a scalar"))
        .map(|scalar| (scalar.clone(), Portable.public_key(&scalar).expect("a point")))
        .find(|(_, own)| own.x()[0] == 0)
        .expect("one in 256 begins with a zero");
    let shared = Portable.multiply(&scalar, &peer).expect("a point");
    for zeros in [0, 1] {
        let told_x = &own.x()[zeros..];
        let salt = kdfe(SHA256, shared.x(), b"SECRET", told_x, &x, 256);
        let told = [sized(told_x), sized(own.y())].concat();
        authorize(&mut rig, key, salt.as_bytes(), &told);
    }
}

#[test]
fn a_salt_is_padded_as_its_key_says() {
    let mut rig = Rig::started();
    let rsa = |scheme: &[u8]| {
        let details = [&[0, 0x10][..], scheme, &[8, 0, 0, 0, 0, 0, 0, 0]].concat();
        template(1, COMMON | NO_DA | DECRYPT, &details)
    };
    // OAEP with SHA-1, where the name has SHA-256.
    let (key, public) = primary(&mut rig, OWNER, &rsa(&[0, 0x17, 0, 4]));
    let Details::Rsa { modulus, .. } = Public::from_bytes(&public).expect("public").details else {
        panic!("an RSA key was made")
    };
    let modulus = RsaPublicKey::new(&modulus, 65537).expect("a key");
    let told = |hash: HashAlgorithm, salt: &[u8]| {
        let mut stream = HmacDrbg::new(SHA256, &[b"client"]);
        oaep::encrypt(&Portable, &modulus, hash, b"SECRET\0", salt, &mut stream).expect("it fits")
    };
    start(&mut rig, key, &told(HashAlgorithm::Sha1, &[4; 20])).expect("session");
    for wrong in [told(SHA256, &[4; 20]), told(HashAlgorithm::Sha1, &[4; 21])] {
        assert_eq!(start(&mut rig, key, &wrong), Err(ResponseCode::VALUE.parameter(2)));
    }
    // PKCS #1 without a hash does not do.
    let (key, _) = primary(&mut rig, OWNER, &rsa(&[0, 0x15]));
    let told = told(SHA256, &[4; 32]);
    assert_eq!(start(&mut rig, key, &told), Err(ResponseCode::VALUE.parameter(2)));
}

#[test]
fn keys_and_salts_are_checked() {
    let mut rig = Rig::started();
    let (key, public) = primary(&mut rig, OWNER, &storage());
    let (signer, _) = primary(&mut rig, OWNER, &signing(0));
    let (_, told) = salt_for(&Public::from_bytes(&public).expect("public"));
    assert_eq!(start(&mut rig, signer, &told), Err(ResponseCode::ATTRIBUTES.handle(1)));
    let mut off = told.clone();
    *off.last_mut().expect("a point") ^= 1;
    for wrong in [&off[..], &told[..40], b""] {
        assert_eq!(start(&mut rig, key, wrong), Err(ResponseCode::VALUE.parameter(2)));
    }
    // Of a public half alone nothing can be opened.
    let external = [&sized(b"")[..], &sized(&public), &NULL.to_be_bytes()].concat();
    let loaded = rig.call(0x167, &external).expect("load");
    let loaded = u32::from_be_bytes(loaded[..4].try_into().expect("a handle"));
    assert_eq!(start(&mut rig, loaded, &told), Err(ResponseCode::HANDLE.handle(1)));
}
