//! Arithmetic modulo odd numbers by the crate `crypto-bigint`, in constant time.
//!
//! A residue x is kept in Montgomery's form, as x · R with R = 2^(64 · L), and so
//! is what comes out: RSA takes one number through many products.

use crypto_bigint::{
    CtAssign, CtEq, Odd, Uint,
    modular::{FixedMontyForm, FixedMontyParams},
};

/// Arithmetic modulo an odd number of `L` limbs.
pub(crate) struct Montgomery<const L: usize> {
    params: FixedMontyParams<L>,
}

impl<const L: usize> Montgomery<L> {
    /// For a modulus that is a secret.
    pub(crate) fn new(modulus: &Odd<Uint<L>>) -> Self {
        Self { params: FixedMontyParams::new(*modulus) }
    }

    /// For a modulus that everyone may know.
    pub(crate) fn new_public(modulus: &Odd<Uint<L>>) -> Self {
        Self { params: FixedMontyParams::new_vartime(*modulus) }
    }

    /// 1, that is, R.
    pub(crate) const fn one(&self) -> &Uint<L> {
        self.params.one()
    }

    /// The residue of any number.
    pub(crate) fn residue(&self, number: &Uint<L>) -> Uint<L> {
        FixedMontyForm::new(number, &self.params).to_montgomery()
    }

    /// The product of two residues. That of a residue and a number below the
    /// modulus is a number.
    pub(crate) fn multiply(&self, left: &Uint<L>, right: &Uint<L>) -> Uint<L> {
        self.form(left).mul(&self.form(right)).to_montgomery()
    }

    /// The square of a residue.
    pub(crate) fn square(&self, residue: &Uint<L>) -> Uint<L> {
        self.form(residue).square().to_montgomery()
    }

    /// Twice a residue where `bit`, which is 0 or 1, is set.
    pub(crate) fn double_if(&self, residue: &Uint<L>, bit: u64) -> Uint<L> {
        let mut result = *residue;
        result.ct_assign(&self.form(residue).double().to_montgomery(), bit.ct_eq(&1));
        result
    }

    /// A residue to the power of a secret exponent.
    pub(crate) fn power<const E: usize>(&self, base: &Uint<L>, exponent: &Uint<E>) -> Uint<L> {
        self.form(base).pow(exponent).to_montgomery()
    }

    fn form(&self, residue: &Uint<L>) -> FixedMontyForm<L> {
        FixedMontyForm::from_montgomery(*residue, &self.params)
    }
}
