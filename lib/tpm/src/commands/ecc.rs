//! Key agreement on curves, and promises of ephemeral keys
//! [Part 3 §14.4–14.7, §19].

use tpm_crypto::ecc::{EccError, ExchangeKeys, Point, Scalar, exchange_sm2};

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::object_creation::ecc_public;
use crate::response_code::ResponseCode;
use crate::state::object::Object;
use crate::wire::algorithm::{CurveId, Hash, NULL};
use crate::wire::bits::ObjectAttributes;
use crate::wire::containers::{Buffer, Optional16, Sized16};
use crate::wire::public::{Coordinate, Details};
use crate::wire::scheme::{ECDAA, ECDH, EccScheme, SM2, Scheme};
use crate::wire::sensitive::Secret;
use crate::wire::structure::EccPoint;

/// TPM_ALG_KDF1_SP800_56A: KDFe.
const KDFE: u16 = 0x0020;

/// TPM2_ECDH_KeyGen [Part 3 §14.4].
pub(crate) fn key_gen(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let () = call.parameters()?;
    let object = machine.object(call.handle(0), 1).map_err(|_| ResponseCode::KEY.handle(1))?;
    let peer = curve_key(object).and_then(|_| ecc_public(&object.public));
    let peer = peer.map_err(|error| error.handle(1))?;
    let provider = machine.platform.provider;
    let ephemeral = Scalar::draw(peer.curve(), &mut machine.state.random)
        .map_err(|_| ResponseCode::NO_RESULT)?;
    let public = provider.public_key(&ephemeral).map_err(failure)?;
    let shared = provider.multiply(&ephemeral, &peer).map_err(failure)?;
    Ok(Reply::EMPTY.with(&sized(&shared)).with(&sized(&public)))
}

/// TPM2_ECDH_ZGen [Part 3 §14.5].
pub(crate) fn z_gen(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (Sized16(given),): (Sized16<EccPoint>,) = call.parameters()?;
    let object = machine.object(call.handle(0), 1)?;
    let (curve, key) = agreement_key(object, ECDH).map_err(|error| error.handle(1))?;
    let point = on_curve(curve, &given).map_err(|error| error.parameter(1))?;
    let shared = machine.platform.provider.multiply(&key, &point).map_err(failure)?;
    Ok(Reply::EMPTY.with(&sized(&shared)))
}

/// TPM2_ECC_Parameters [Part 3 §14.6]: TPMS_ALGORITHM_DETAIL_ECC.
pub(crate) fn parameters(_: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (curve,): (CurveId,) = call.parameters()?;
    let hash = match curve {
        CurveId::P256 => Hash::Sha256,
        CurveId::P384 => Hash::Sha384,
        CurveId::P521 => Hash::Sha512,
        CurveId::Sm2 => Hash::Sm3,
    };
    let numbers = curve.curve().parameters();
    let generator = Point::generator(curve.curve());
    let bits = u16::try_from(curve.curve().bits()).expect("curves are small");
    let mut reply = Reply::EMPTY.with(&curve).with(&bits).with(&KDFE).with(&hash).with(&NULL);
    for number in
        [numbers.prime, numbers.a, numbers.b, generator.x(), generator.y(), numbers.order, &[1]]
    {
        reply = reply.with(&Coordinate::new(number));
    }
    Ok(reply)
}

/// TPM2_Commit [Part 3 §19.2].
pub(crate) fn commit(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (Optional16(point), seed, y): (Optional16<EccPoint>, Secret, Coordinate) =
        call.parameters()?;
    let object = machine.object(call.handle(0), 1)?;
    let curve = curve_key(object).map_err(|error| error.handle(1))?;
    let Details::Ecc { scheme: EccScheme(Some(Scheme { algorithm: ECDAA, .. })), .. } =
        object.public.details
    else {
        return Err(ResponseCode::SCHEME.handle(1));
    };
    let hash = object.public.name_hash.ok_or(ResponseCode::KEY.handle(1))?;
    // An empty point is none, in either form.
    let point = match point.filter(|point| !point.x.is_empty() || !point.y.is_empty()) {
        Some(point) => Some(on_curve(curve, &point).map_err(|error| error.parameter(1))?),
        None => None,
    };
    if seed.is_empty() != y.is_empty() {
        return Err(ResponseCode::SIZE.parameter(3));
    }
    let hashed = if seed.is_empty() {
        None
    } else {
        let x = hash.algorithm().digest(&[&seed]);
        let point = Point::with_reduced_x(curve.curve(), x.as_bytes(), &y);
        Some(point.map_err(|_| ResponseCode::ECC_POINT.parameter(2))?)
    };
    let name = object.name();
    let key = private(object, curve)?;
    let provider = machine.platform.provider;
    let committed = machine.state.commitments.next(curve.curve(), &name)?;
    let (mut key_point, mut hashed_point, mut base_point) =
        (Optional16(None), Optional16(None), Optional16(None));
    if let Some(hashed) = &hashed {
        key_point = Optional16(Some(wire(&provider.multiply(&key, hashed).map_err(failure)?)));
        hashed_point =
            Optional16(Some(wire(&provider.multiply(&committed, hashed).map_err(failure)?)));
    }
    if let Some(point) = &point {
        base_point =
            Optional16(Some(wire(&provider.multiply(&committed, point).map_err(failure)?)));
    } else if hashed.is_none() {
        base_point = Optional16(Some(wire(&provider.public_key(&committed).map_err(failure)?)));
    }
    let count = machine.state.commitments.promise();
    let reply = [key_point, hashed_point, base_point]
        .into_iter()
        .fold(Reply::EMPTY, |reply, point| reply.with(&or_empty(point)));
    Ok(reply.with(&count))
}

/// TPM2_EC_Ephemeral [Part 3 §19.3].
pub(crate) fn ephemeral(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (curve,): (CurveId,) = call.parameters()?;
    let scalar = machine.state.commitments.next(curve.curve(), &[])?;
    let point = machine.platform.provider.public_key(&scalar).map_err(failure)?;
    let count = machine.state.commitments.promise();
    Ok(Reply::EMPTY.with(&sized(&point)).with(&count))
}

/// TPM2_ZGen_2Phase [Part 3 §14.7]: with ECDH both shared points, with SM2 the one
/// that all four keys lead to.
pub(crate) fn z_gen_2_phase(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (Sized16(fixed), Sized16(passing), scheme, count): (
        Sized16<EccPoint>,
        Sized16<EccPoint>,
        u16,
        u16,
    ) = call.parameters()?;
    if !matches!(scheme, ECDH | SM2) {
        return Err(ResponseCode::SCHEME.parameter(3));
    }
    let object = machine.object(call.handle(0), 1)?;
    let (curve, key) = agreement_key(object, scheme).map_err(|error| error.parameter(3))?;
    let fixed = on_curve(curve, &fixed).map_err(|error| error.parameter(1))?;
    let passing = on_curve(curve, &passing).map_err(|error| error.parameter(2))?;
    let promised = machine.state.commitments.open(count, curve.curve(), &[]);
    let promised = promised.map_err(|error| error.parameter(4))?;
    let provider = machine.platform.provider;
    let (first, second) = if scheme == SM2 {
        let own = ExchangeKeys { fixed: &key, ephemeral: &promised };
        let peer = ExchangeKeys { fixed: &fixed, ephemeral: &passing };
        (exchange_sm2(provider, own, peer).map_err(failure)?, None)
    } else {
        let of_passing = provider.multiply(&promised, &passing).map_err(failure)?;
        (provider.multiply(&key, &fixed).map_err(failure)?, Some(wire(&of_passing)))
    };
    machine.state.commitments.close(count);
    Ok(Reply::EMPTY.with(&sized(&first)).with(&or_empty(Optional16(second))))
}

/// The curve of a key.
fn curve_key(object: &Object) -> Result<CurveId, ResponseCode> {
    match object.public.details {
        Details::Ecc { curve, .. } => Ok(curve),
        _ => Err(ResponseCode::KEY),
    }
}

/// Curve and scalar of a key, the first of a command, that may agree on secrets with
/// this scheme.
///
/// # Errors
///
/// [`ResponseCode::SCHEME`] if the key has another one, which whoever names the scheme
/// has to place; others are of the key.
fn agreement_key(object: &Object, asked: u16) -> Result<(CurveId, Scalar), ResponseCode> {
    let curve = curve_key(object).map_err(|error| error.handle(1))?;
    let attributes = object.public.attributes;
    if attributes.contains(ObjectAttributes::RESTRICTED)
        || !attributes.contains(ObjectAttributes::DECRYPT)
    {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    let Details::Ecc { scheme: EccScheme(scheme), .. } = object.public.details else {
        return Err(ResponseCode::KEY.handle(1));
    };
    if scheme.is_some_and(|scheme| scheme.algorithm != asked) {
        return Err(ResponseCode::SCHEME);
    }
    Ok((curve, private(object, curve)?))
}

fn private(object: &Object, curve: CurveId) -> Result<Scalar, ResponseCode> {
    let sensitive = object.sensitive.0.as_ref().ok_or(ResponseCode::KEY.handle(1))?;
    Scalar::new(curve.curve(), &sensitive.secret).map_err(|_| ResponseCode::KEY.handle(1))
}

fn on_curve(curve: CurveId, point: &EccPoint) -> Result<Point, ResponseCode> {
    Point::new(curve.curve(), &point.x, &point.y).map_err(|_| ResponseCode::ECC_POINT)
}

fn wire(point: &Point) -> EccPoint {
    EccPoint { x: Buffer::new(point.x()), y: Buffer::new(point.y()) }
}

fn sized(point: &Point) -> Sized16<EccPoint> {
    Sized16(wire(point))
}

/// A point that is not there is written as one with empty coordinates.
fn or_empty(point: Optional16<EccPoint>) -> Sized16<EccPoint> {
    Sized16(point.0.unwrap_or(EccPoint { x: Buffer::EMPTY, y: Buffer::EMPTY }))
}

/// The point at infinity is no result; anything else is a failure of the
/// provider.
fn failure(error: EccError) -> ResponseCode {
    match error {
        EccError::PointAtInfinity => ResponseCode::NO_RESULT,
        _ => ResponseCode::FAILURE,
    }
}
