//! A guest that talks to its security processor, for tests.

use abi_snp::{FirmwareStatus, GuestMessage, GuestRequest, SecretsPage, VmpckId};
use snp_messages::Channel;
use zerocopy::FromZeros;

use crate::launch::LaunchedGuest;
use crate::launch::samples::{guest, platform};
use crate::platform::Platform;
use crate::security_processor::endorsement_key::{EndorsementKey, EndorsementKeys};
use crate::security_processor::processor::SecurityProcessor;

pub(super) const VCEK: [u8; 48] = [0x21; 48];
pub(super) const VLEK: [u8; 48] = [0x43; 48];

/// Keys without, or with, a VLEK.
pub(super) fn keys(vlek: Option<[u8; 48]>) -> EndorsementKeys {
    EndorsementKeys {
        vcek: EndorsementKey::from_scalar(&VCEK).unwrap(),
        vlek: vlek.map(|vlek| EndorsementKey::from_scalar(&vlek).unwrap()),
    }
}

/// The guest's end of the channel of a privilege level, unused so far.
pub(super) fn channel(guest: &LaunchedGuest, level: u8) -> Channel {
    let mut secrets = SecretsPage::new_zeroed();
    secrets.vmpck = guest.message_keys();
    Channel::new(&mut secrets, VmpckId(level)).unwrap()
}

/// Both ends, on a platform and with keys as given.
pub(super) struct Ends {
    pub(super) processor: SecurityProcessor,
    pub(super) channel: Channel,
}

impl Ends {
    pub(super) fn new(
        platform: Platform,
        keys: EndorsementKeys,
        guest: LaunchedGuest,
        level: u8,
    ) -> Self {
        let channel = channel(&guest, level);
        Self { processor: SecurityProcessor::new(platform, keys, guest), channel }
    }

    /// The sample platform and guest, at privilege level `level`.
    pub(super) fn sample(level: u8) -> Self {
        let platform = platform();
        let guest = guest(&platform);
        Self::new(platform, keys(None), guest, level)
    }

    /// What the guest gets for `request`; the status if the host gets one.
    pub(super) fn ask<R: GuestRequest>(
        &mut self,
        request: &R,
    ) -> Result<R::Response, FirmwareStatus> {
        let (mut asked, mut answer) = (GuestMessage::zeroed(), GuestMessage::zeroed());
        self.channel.seal(request, &mut asked).unwrap();
        self.processor
            .guest_request(&mut asked, &mut answer)
            .map_err(|refusal| refusal.status())?;
        Ok(self.channel.open::<R>(&mut answer).unwrap())
    }
}
