//! Elliptic curves: keys, points, and the signature schemes built on them.
//!
//! The curves are NIST's P-256, P-384 and P-521 [SP 800-186 §3.2.1] and that of SM2
//! [GB/T 32918.5-2017 §2, *from memory*]. Values from
//! outside become a [`Scalar`] or a [`Point`] by a checked conversion, so that
//! whoever holds one need not check again. Arithmetic with points is a
//! provider's ([`Curves`](crate::provider::Curves)); ECDSA belongs there too,
//! since fast libraries do it as a whole. EC-Schnorr, ECDAA and SM2 with its key
//! exchange, which few libraries have, are written here on top of the points.

mod curve;
mod ecdaa;
pub(crate) mod ecdsa;
mod error;
pub(crate) mod group;
mod nonce;
mod parameters;
mod schnorr;
mod sm2;
mod sm2_exchange;
mod value;

pub use curve::{Curve, LARGEST_COORDINATE};
pub use ecdaa::sign as sign_ecdaa;
pub use error::EccError;
pub use parameters::CurveParameters;
pub use schnorr::{sign as sign_schnorr, verify as verify_schnorr};
pub use sm2::{sign as sign_sm2, verify as verify_sm2};
pub use sm2_exchange::{ExchangeKeys, exchange as exchange_sm2};
pub use value::{EccSignature, Point, Scalar};

#[cfg(test)]
mod tests;
