//! Credentials: secrets for an object, told through a key on the same device
//! [Part 3 §12.5, §12.6].

use crate::call::{Call, Reply};
use crate::machine::Machine;
use crate::outer_wrap::OuterWrap;
use crate::response_code::ResponseCode;
use crate::secret_exchange::{Purpose, recover, share};
use crate::wire::codec::Wire;
use crate::wire::public::{Details, Public};
use crate::wire::structure::{Credential, Digest, EncryptedSecret, Name};

/// TPM2_MakeCredential [Part 3 §12.6]. No secret of this device is used.
pub(crate) fn make(machine: &mut Machine<'_, '_>, call: &Call<'_>) -> Result<Reply, ResponseCode> {
    let (credential, name): (Digest, Name) = call.parameters()?;
    let public = machine.object(call.handle(0), 1)?.public.clone();
    let hash =
        public.name_hash.filter(|_| protects(&public)).ok_or(ResponseCode::TYPE.handle(1))?;
    if credential.len() > hash.size() {
        return Err(ResponseCode::SIZE.parameter(1));
    }
    let (seed, told) =
        share(machine, &public, Purpose::Credential).map_err(|error| error.handle(1))?;
    let wrap = OuterWrap::with_seed(&public, &seed, &name)?;
    let blob = wrap.seal([0; 16], credential.to_bytes())?;
    Ok(Reply::EMPTY.with(&Credential::new(blob)).with(&told))
}

/// TPM2_ActivateCredential [Part 3 §12.5].
pub(crate) fn activate(
    machine: &mut Machine<'_, '_>,
    call: &Call<'_>,
) -> Result<Reply, ResponseCode> {
    let (blob, told): (Credential, EncryptedSecret) = call.parameters()?;
    let name = machine.object(call.handle(0), 1)?.name();
    let key = call.handle(1);
    let public = machine.object(key, 2)?.public.clone();
    if !protects(&public) {
        return Err(ResponseCode::TYPE.handle(2));
    }
    let seed =
        recover(machine, key, Purpose::Credential, &told).map_err(|error| error.parameter(2))?;
    let wrap = OuterWrap::with_seed(&public, &seed, &name).map_err(|error| error.handle(2))?;
    let credential = wrap
        .open(&blob)
        .and_then(|credential| Digest::from_bytes(credential.as_bytes()))
        .map_err(|error| error.parameter(1))?;
    Ok(Reply::EMPTY.with(&credential))
}

/// Whether credentials can be made for this key: an asymmetric storage key.
fn protects(public: &Public) -> bool {
    public.is_storage_parent() && !matches!(public.details, Details::Cipher { .. })
}
