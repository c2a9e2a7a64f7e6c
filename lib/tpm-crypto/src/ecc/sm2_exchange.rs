//! The shared point of SM2's key exchange [GB/T 32918.3-2016 §6.1].
//!
//! Each party has a key and an ephemeral key, and knows the other's public halves
//! of both. With w half the bits of the order less one, x' stands for the w lowest
//! bits of an ephemeral point's x-coordinate and one more bit above them. A party
//! with the key d, the ephemeral scalar r and the point `r · G` of x-coordinate x
//! finds `(d + x' · r) · (P + x' · R)`, where P and R are the other's points and the
//! second x' is that of R. What keys and confirmations are derived from that point,
//! both identities and all public keys is not the TPM's part.

use super::{
    curve::Curve,
    error::EccError,
    value::{Point, Scalar},
};
use crate::{provider::Curves, secret::Secret};

/// Half of an exchange: a key and an ephemeral one.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeKeys<'a, K> {
    /// The key that stays.
    pub fixed: &'a K,
    /// The key of this exchange.
    pub ephemeral: &'a K,
}

/// The point that both parties find.
///
/// # Errors
/// [`EccError::WrongCurve`] when not all belong to one curve;
/// [`EccError::PointAtInfinity`] when there is no such point, and the exchange has to
/// begin anew; the errors of the provider.
pub fn exchange(
    curves: &dyn Curves,
    own: ExchangeKeys<'_, Scalar>,
    peer: ExchangeKeys<'_, Point>,
) -> Result<Point, EccError> {
    let curve = own.fixed.curve();
    for found in [own.ephemeral.curve(), peer.fixed.curve(), peer.ephemeral.curve()] {
        if found != curve {
            return Err(EccError::WrongCurve { expected: curve, found });
        }
    }
    let shown = shortened(&curves.public_key(own.ephemeral)?)?;
    // A sum of zero leads to the point at infinity.
    let secret = own.fixed.plus_product(&shown, own.ephemeral).ok_or(EccError::PointAtInfinity)?;
    let multiple = curves.multiply(&shortened(peer.ephemeral)?, peer.ephemeral)?;
    let sum = curves.add(peer.fixed, &multiple)?;
    curves.multiply(&secret, &sum)
}

/// The lowest bits of a point's x-coordinate, about half of them, and one more bit
/// above them: `2^w + (x mod 2^w)`.
fn shortened(point: &Point) -> Result<Scalar, EccError> {
    let curve: Curve = point.curve();
    let width = curve.bits().div_ceil(2) - 1;
    let (whole, bits) = ((width / 8) as usize, width % 8);
    let x = point.x();
    let mut number = Secret::from(&x[x.len() - whole - 1..]);
    if let Some(first) = number.as_mut_bytes().first_mut() {
        *first = *first & ((1 << bits) - 1) | 1 << bits;
    }
    Scalar::new(curve, number.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        drbg::HmacDrbg, hash::HashAlgorithm, test_providers::providers, test_vectors::bytes,
    };

    /// [GB/T 32918.5-2017 annex B]: keys of both parties, ephemeral ones, and the
    /// point that they share.
    const FIXED: [&str; 2] = [
        "81eb26e941bb5af16df116495f90695272ae2cd63d6c4ae1678418be48230029",
        "785129917d45a9ea5437a59356b82338eaadda6ceb199088f14ae10defa229b5",
    ];
    const EPHEMERAL: [&str; 2] = [
        "d4de15474db74d06491c440d305e012400990f3e390c7e87153c12db2ea60bb3",
        "7e07124814b309489125eaed101113164ebf0f3458c5bd88335c1f9d596243d6",
    ];
    const SHARED: [&str; 2] = [
        "c558b44bee5301d9f52b44d939bb59584d75b9034dd6a9fc826872109a65739f",
        "3252b35b191d8ae01cd122c025204334c5eacf68a0cb4854c6a7d367ecad4de7",
    ];

    fn scalar(text: &str) -> Scalar {
        Scalar::new(Curve::Sm2, &bytes(text)).unwrap()
    }

    #[test]
    fn the_standards_example() {
        let [fixed, ephemeral] = [FIXED, EPHEMERAL].map(|keys| keys.map(scalar));
        let shared = Point::new(Curve::Sm2, &bytes(SHARED[0]), &bytes(SHARED[1])).unwrap();
        for provider in providers() {
            let curves = &*provider;
            for (own, peer) in [(0, 1), (1, 0)] {
                let own = ExchangeKeys { fixed: &fixed[own], ephemeral: &ephemeral[own] };
                let (peer, once) = [&fixed[peer], &ephemeral[peer]]
                    .map(|key| curves.public_key(key).unwrap())
                    .into();
                let peer = ExchangeKeys { fixed: &peer, ephemeral: &once };
                assert_eq!(exchange(curves, own, peer), Ok(shared.clone()));
            }
        }
    }

    #[test]
    fn both_parties_agree_on_every_curve() {
        let mut stream = HmacDrbg::new(HashAlgorithm::Sha256, &[b"exchange"]);
        for curve in Curve::ALL {
            for provider in providers() {
                let curves = &*provider;
                let keys = [(); 4].map(|()| Scalar::draw(curve, &mut stream).unwrap());
                let points = [0, 1, 2, 3].map(|at: usize| curves.public_key(&keys[at]).unwrap());
                let [a, b] = [0, 2].map(|own| {
                    let peer = 2 - own;
                    exchange(
                        curves,
                        ExchangeKeys { fixed: &keys[own], ephemeral: &keys[own + 1] },
                        ExchangeKeys { fixed: &points[peer], ephemeral: &points[peer + 1] },
                    )
                    .unwrap()
                });
                assert_eq!(a, b);
            }
        }
    }

    #[test]
    fn what_adds_up_to_nothing_has_no_point() {
        let mut stream = HmacDrbg::new(HashAlgorithm::Sha256, &[b"nothing"]);
        for provider in providers() {
            let curves = &*provider;
            let [key, once] = [(); 2].map(|()| Scalar::draw(Curve::Sm2, &mut stream).unwrap());
            let passing = curves.public_key(&once).unwrap();
            let own = ExchangeKeys { fixed: &key, ephemeral: &once };
            // The peer's key is the negative of what the ephemeral one adds.
            let opposite =
                curves.multiply(&shortened(&passing).unwrap().negated(), &passing).unwrap();
            let peer = ExchangeKeys { fixed: &opposite, ephemeral: &passing };
            assert_eq!(exchange(curves, own, peer), Err(EccError::PointAtInfinity));
            // The own key is, with 1 for the ephemeral one.
            let generator = Point::generator(Curve::Sm2);
            let key = shortened(&generator).unwrap().negated();
            let one = Scalar::new(Curve::Sm2, &[1]).unwrap();
            let own = ExchangeKeys { fixed: &key, ephemeral: &one };
            let peer = ExchangeKeys { fixed: &passing, ephemeral: &passing };
            assert_eq!(exchange(curves, own, peer), Err(EccError::PointAtInfinity));
        }
    }

    #[test]
    fn all_belong_to_one_curve() {
        let [here, there] =
            [Curve::Sm2, Curve::P256].map(|curve| Scalar::new(curve, &[5]).unwrap());
        let [point, elsewhere] = [Curve::Sm2, Curve::P256].map(Point::generator);
        for provider in providers() {
            for (once, fixed, passing) in
                [(&there, &point, &point), (&here, &elsewhere, &point), (&here, &point, &elsewhere)]
            {
                let own = ExchangeKeys { fixed: &here, ephemeral: once };
                let peer = ExchangeKeys { fixed, ephemeral: passing };
                let refused = EccError::WrongCurve { expected: Curve::Sm2, found: Curve::P256 };
                assert_eq!(exchange(&*provider, own, peer), Err(refused));
            }
            let refused = provider.add(&point, &elsewhere);
            assert!(matches!(refused, Err(EccError::WrongCurve { .. })));
        }
    }

    /// 127 bits of 256, 191 of 384 and 260 of 521, and a bit above them.
    #[test]
    fn about_half_of_a_coordinate_counts() {
        for (curve, width) in
            [(Curve::Sm2, 127), (Curve::P256, 127), (Curve::P384, 191), (Curve::P521, 260)]
        {
            let point = Point::generator(curve);
            let number = shortened(&point).unwrap();
            let bits = |bytes: &[u8]| -> alloc::vec::Vec<bool> {
                bytes
                    .iter()
                    .rev()
                    .flat_map(|byte| (0..8).map(move |at| byte >> at & 1 == 1))
                    .collect()
            };
            let (number, x) = (bits(number.as_bytes()), bits(point.x()));
            assert_eq!(number[..width], x[..width]);
            assert!(number[width]);
            assert!(number[width + 1..].iter().all(|bit| !bit));
        }
    }
}
