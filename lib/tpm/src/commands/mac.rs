//! MACs with keys, in one go and in sequences [Part 3 §15.5, §15.6, §17.2,
//! §17.3].
//!
//! `TPM2_MAC` has the code of `TPM2_HMAC` and does what that does, with block
//! ciphers too.

use alloc::boxed::Box;

use tpm_crypto::cmac::Cmac;
use tpm_crypto::hmac::Hmac;

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::state::object::Object;
use crate::state::sequence::{Sequence, Work};
use crate::wire::algorithm::{Hash, NULL, SymmetricMode};
use crate::wire::bits::ObjectAttributes;
use crate::wire::codec::{Reader, Wire};
use crate::wire::public::Details;
use crate::wire::structure::{Digest, MaxBuffer};

/// TPMI_ALG_MAC_SCHEME+ [Part 2 §9.36].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MacScheme {
    /// The key's own.
    Null,
    Hash(Hash),
    Cipher,
}

impl Wire for MacScheme {
    fn write(&self, out: &mut alloc::vec::Vec<u8>) {
        match self {
            Self::Null => NULL.write(out),
            Self::Hash(hash) => hash.write(out),
            Self::Cipher => SymmetricMode::CipherMac.write(out),
        }
    }

    fn read(from: &mut Reader<'_>) -> Result<Self, ResponseCode> {
        match u16::read(from)? {
            NULL => Ok(Self::Null),
            number if number == SymmetricMode::CipherMac.number() => Ok(Self::Cipher),
            number => Hash::from_number(number).map(Self::Hash).ok_or(ResponseCode::SYMMETRIC),
        }
    }
}

/// TPM2_HMAC [Part 3 §15.5] and TPM2_MAC [Part 3 §15.6].
pub(crate) fn mac(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (data, scheme): (MaxBuffer, MacScheme) = call.parameters()?;
    let object = machine.object(call.handle(0), 1)?;
    let mac = match begin(object, scheme, 2)? {
        Work::Hmac(_, mut hmac) => {
            hmac.update(&data);
            Digest::new(hmac.finish().as_bytes())
        }
        Work::Cmac(mut cmac) => {
            cmac.update(&data);
            Digest::new(cmac.finish())
        }
        Work::Hash { .. } | Work::Event(_) => return Err(ResponseCode::TYPE.handle(1)),
    };
    Ok(Reply::EMPTY.with(&mac))
}

/// TPM2_HMAC_Start [Part 3 §17.2] and TPM2_MAC_Start [Part 3 §17.3].
pub(crate) fn start(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (auth, scheme): (Digest, MacScheme) = call.parameters()?;
    let object = machine.object(call.handle(0), 1)?;
    let work = begin(object, scheme, 2)?;
    let handle = machine.free_object_handle()?;
    let sequence = Sequence { auth: auth.without_trailing_zeros(), work };
    machine.state.sequences.insert(handle, sequence);
    Ok(Reply::handle(handle))
}

/// Begins a MAC with the key of a command's first handle; the scheme stood in
/// parameter `number`.
fn begin(object: &Object, asked: MacScheme, number: u32) -> Result<Work, ResponseCode> {
    let attributes = object.public.attributes;
    let sensitive = object.sensitive.0.as_ref().ok_or(ResponseCode::KEY.handle(1))?;
    let usable = || {
        if attributes.contains(ObjectAttributes::RESTRICTED) {
            return Err(ResponseCode::ATTRIBUTES.handle(1));
        }
        if attributes.contains(ObjectAttributes::SIGN) {
            Ok(())
        } else {
            Err(ResponseCode::KEY.handle(1))
        }
    };
    let value = ResponseCode::VALUE.parameter(number);
    let no_mac = ResponseCode::SCHEME.parameter(number);
    match &object.public.details {
        Details::KeyedHash { scheme, .. } => {
            let hash = match (scheme.hash(), asked) {
                (Some(own), MacScheme::Null) => own,
                (Some(own), MacScheme::Hash(asked)) if own == asked => own,
                (None, MacScheme::Hash(asked)) => asked,
                (None, MacScheme::Cipher) => return Err(no_mac),
                (Some(_), _) | (None, MacScheme::Null) => return Err(value),
            };
            usable()?;
            Ok(Work::Hmac(hash, Box::new(Hmac::new(hash.algorithm(), &sensitive.secret))))
        }
        Details::Cipher { cipher, .. } => {
            match (cipher.mode, asked) {
                (Some(SymmetricMode::CipherMac), MacScheme::Null)
                | (Some(SymmetricMode::CipherMac) | None, MacScheme::Cipher) => {}
                (Some(_), MacScheme::Null) | (None, MacScheme::Hash(_)) => return Err(no_mac),
                (Some(_), _) | (None, MacScheme::Null) => return Err(value),
            }
            usable()?;
            let cmac = Cmac::new(cipher.cipher.algorithm(), &sensitive.secret)
                .map_err(|_| ResponseCode::KEY.handle(1))?;
            Ok(Work::Cmac(Box::new(cmac)))
        }
        _ => Err(ResponseCode::TYPE.handle(1)),
    }
}
