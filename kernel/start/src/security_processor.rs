//! The security processor: the conversation with it begins, and it says what
//! other processors need to know.

use abi_snp::SecretsPage;
use hal::security_processor::{
    needs_time_stamp_parameters, set_time_stamp_parameters, take_secrets,
};
use kernel_attestation::time_stamp_parameters;
use kernel_log::log_for_host;

/// Begins the conversation, before other processors start. Gives the secrets page
/// with what is left in it: the keys of the guest's levels. `None` on other
/// platforms.
pub(crate) fn start() -> Option<&'static mut SecretsPage> {
    let secrets = take_secrets()?;
    kernel_attestation::start(secrets);
    if needs_time_stamp_parameters() {
        match time_stamp_parameters() {
            Ok(info) => set_time_stamp_parameters(info),
            // Other processors are then not started, which is told as well.
            Err(error) => log_for_host!(Error, "parameters of time stamp counters: {error}"),
        }
    }
    Some(secrets)
}
