//! Encryption with symmetric keys [Part 3 §15.2, §15.3].

use tpm_crypto::cipher::{BLOCK_SIZE, Cipher, CipherMode};

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::response_code::ResponseCode;
use crate::wire::algorithm::SymmetricMode;
use crate::wire::bits::ObjectAttributes;
use crate::wire::containers::Buffer;
use crate::wire::public::Details;
use crate::wire::structure::MaxBuffer;

/// TPM2B_IV.
type Vector = Buffer<BLOCK_SIZE>;

/// What is asked, and the numbers of the parameters in which it stood.
struct Request {
    data: MaxBuffer,
    data_number: u32,
    decrypt: bool,
    mode: Option<SymmetricMode>,
    mode_number: u32,
    vector: Vector,
    vector_number: u32,
}

/// TPM2_EncryptDecrypt [Part 3 §15.2].
pub(crate) fn encrypt_decrypt(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (decrypt, mode, vector, data): (bool, Option<SymmetricMode>, Vector, MaxBuffer) =
        call.parameters()?;
    let (mode_number, vector_number, data_number) = (2, 3, 4);
    run(
        machine,
        call,
        Request { data, data_number, decrypt, mode, mode_number, vector, vector_number },
    )
}

/// TPM2_EncryptDecrypt2 [Part 3 §15.3]: the same with data first, where a
/// session can encrypt it.
pub(crate) fn encrypt_decrypt_2(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (data, decrypt, mode, vector): (MaxBuffer, bool, Option<SymmetricMode>, Vector) =
        call.parameters()?;
    let (data_number, mode_number, vector_number) = (1, 3, 4);
    run(
        machine,
        call,
        Request { data, data_number, decrypt, mode, mode_number, vector, vector_number },
    )
}

fn run(
    machine: &Machine<'_, '_>,
    call: &Call<'_>,
    request: Request,
) -> Result<Reply, ResponseCode> {
    let object = machine.object(call.handle(0), 1)?;
    let Details::Cipher { cipher, .. } = &object.public.details else {
        return Err(ResponseCode::KEY.handle(1));
    };
    let attributes = object.public.attributes;
    // For a symmetric key, to sign is to encrypt.
    let needed = if request.decrypt { ObjectAttributes::DECRYPT } else { ObjectAttributes::SIGN };
    if attributes.contains(ObjectAttributes::RESTRICTED) || !attributes.contains(needed) {
        return Err(ResponseCode::ATTRIBUTES.handle(1));
    }
    let mode = match (cipher.mode, request.mode) {
        (Some(own), Some(asked)) if own != asked => None,
        (own, asked) => own.or(asked),
    };
    let mode =
        mode.and_then(cipher_mode).ok_or(ResponseCode::MODE.parameter(request.mode_number))?;
    let vector_size = if mode == CipherMode::Ecb { 0 } else { BLOCK_SIZE };
    if request.vector.len() != vector_size {
        return Err(ResponseCode::SIZE.parameter(request.vector_number));
    }
    let sensitive = object.sensitive.0.as_ref().ok_or(ResponseCode::KEY.handle(1))?;
    let key = Cipher::new(cipher.cipher.algorithm(), &sensitive.secret)
        .map_err(|_| ResponseCode::KEY.handle(1))?;
    let mut chain = [0; BLOCK_SIZE];
    for (to, from) in chain.iter_mut().zip(&request.vector[..]) {
        *to = *from;
    }
    let mut data = request.data.to_vec();
    if request.decrypt {
        key.decrypt(mode, &mut chain, &mut data)
    } else {
        key.encrypt(mode, &mut chain, &mut data)
    }
    .map_err(|_| ResponseCode::SIZE.parameter(request.data_number))?;
    let vector = if vector_size == 0 { Vector::EMPTY } else { Vector::new(chain) };
    Ok(Reply::EMPTY.with(&MaxBuffer::new(data)).with(&vector))
}

/// The mode of encryption, if it is one.
const fn cipher_mode(mode: SymmetricMode) -> Option<CipherMode> {
    Some(match mode {
        SymmetricMode::CipherMac => return None,
        SymmetricMode::Counter => CipherMode::Ctr,
        SymmetricMode::OutputFeedback => CipherMode::Ofb,
        SymmetricMode::CipherBlockChaining => CipherMode::Cbc,
        SymmetricMode::CipherFeedback => CipherMode::Cfb,
        SymmetricMode::ElectronicCodebook => CipherMode::Ecb,
    })
}
