//! A platform, memory and owners, for tests.

use alloc::collections::BTreeMap;

use abi_snp::{
    EcdsaP384PublicKey, EcdsaSignature, FirmwareVersion, IdAuthentication, IdBlock, P384Integer,
    PlatformInfo, Policy, PolicyFlags, TcbVersion, VmplPermissions,
};
use p384::ecdsa::signature::Signer;
use p384::ecdsa::{Signature, SigningKey};
use zerocopy::IntoBytes;

use crate::cpuid::Cpuid;
use crate::cpuid::samples::{facts, physical_cpuid};
use crate::gpa::Gpa;
use crate::guest_memory::{GuestMemory, NoMemory};
use crate::launch::finish::FinishParameters;
use crate::launch::guest::LaunchedGuest;
use crate::launch::page::{LaunchPage, PageContent};
use crate::launch::start::{Launch, StartParameters};
use crate::platform::{ChipMasks, Platform, ReportVersion};
use crate::reverse_map::{Encryption, MemoryRange, ReverseMap};

/// A platform with an SNP processor of the fourth generation.
pub(crate) fn platform() -> Platform {
    Platform {
        cpuid: Cpuid::new(facts(), physical_cpuid),
        firmware: FirmwareVersion::new(1, 55, 40),
        committed_firmware: FirmwareVersion::new(1, 55, 39),
        current_tcb: TcbVersion([10, 0, 0, 0, 0, 0, 24, 84]),
        committed_tcb: TcbVersion([9, 0, 0, 0, 0, 0, 23, 72]),
        reported_tcb: TcbVersion([9, 0, 0, 0, 0, 0, 22, 71]),
        mitigations: 5,
        info: PlatformInfo::SMT_ENABLED | PlatformInfo::ALIAS_CHECK_COMPLETE,
        chip_id: core::array::from_fn(|i| i as u8 + 1),
        masks: ChipMasks::empty(),
        report_version: ReportVersion::Version3,
        tsc_khz: 2_000_000,
        tsc_factor: 200,
    }
}

pub(crate) const POLICY: Policy = Policy::new(1, 50, PolicyFlags::SMT_ALLOWED);

pub(crate) fn parameters() -> StartParameters {
    StartParameters { policy: POLICY, guest_os_workarounds: [7; 16], tsc_khz: None }
}

pub(crate) const SEED: [u8; 32] = [0x5e; 32];

/// Pages of the sample guest, from 0 on; the last has an entry in the reverse
/// map and no memory.
pub(crate) const PAGES: u64 = 17;
/// Bytes of its memory.
pub(crate) const MEMORY: u64 = (PAGES - 1) * 0x1000;

/// Memory that a launch fills, page by page.
pub(crate) struct Memory {
    /// Pages that were written, by their number.
    pub(crate) private: BTreeMap<u64, [u8; 4096]>,
    /// Where it ends.
    end: u64,
}

impl Memory {
    /// So many bytes, from 0 on.
    pub(crate) const fn new(bytes: u64) -> Self {
        Self { private: BTreeMap::new(), end: bytes }
    }
}

impl GuestMemory for Memory {
    fn read(&self, gpa: Gpa, _: Encryption, bytes: &mut [u8]) -> Result<(), NoMemory> {
        bytes.copy_from_slice(self.private.get(&gpa.page_number()).ok_or(NoMemory(gpa))?);
        Ok(())
    }

    fn write(&mut self, gpa: Gpa, encryption: Encryption, bytes: &[u8]) -> Result<(), NoMemory> {
        assert_eq!(encryption, Encryption::Private, "a launch writes what the guest reads");
        if gpa.0 >= self.end {
            return Err(NoMemory(gpa));
        }
        self.private.insert(gpa.page_number(), bytes.try_into().unwrap());
        Ok(())
    }
}

pub(crate) fn reverse_map() -> ReverseMap {
    ReverseMap::new(&[MemoryRange { start: Gpa(0), bytes: PAGES * 0x1000 }]).unwrap()
}

/// A page without permissions for lower levels.
pub(crate) fn page(gpa: u64, content: PageContent<'_>) -> LaunchPage<'_> {
    LaunchPage { gpa: Gpa(gpa), content, permissions: VmplPermissions::NONE }
}

/// A launch with one page.
pub(crate) fn launch(platform: &Platform) -> Launch<'_> {
    let mut launch = Launch::start(platform, parameters(), SEED).unwrap();
    let content = PageContent::Normal(&[0x11; 4096]);
    launch.update(&mut reverse_map(), &mut Memory::new(MEMORY), page(0, content)).unwrap();
    launch
}

/// A guest without an owner, with one page.
pub(crate) fn guest(platform: &Platform) -> LaunchedGuest {
    let parameters = FinishParameters { identity: None, host_data: [0x4d; 32] };
    launch(platform).finish(parameters).unwrap()
}

/// A key of P-384 whose private number is this byte all over.
pub(crate) fn key(byte: u8) -> SigningKey {
    SigningKey::from_slice(&[byte; 48]).unwrap()
}

fn number(bytes: &p384::FieldBytes) -> P384Integer {
    P384Integer::from_big_endian(&(*bytes).into())
}

pub(crate) fn public(key: &SigningKey) -> EcdsaP384PublicKey {
    let point = key.verifying_key().to_sec1_point(false);
    EcdsaP384PublicKey::new(number(point.x().unwrap()), number(point.y().unwrap()))
}

pub(crate) fn sign(key: &SigningKey, message: &[u8]) -> EcdsaSignature {
    let signature: Signature = key.sign(message);
    let (r, s) = signature.split_bytes();
    EcdsaSignature::new(number(&r), number(&s))
}

/// The ID block for the guest of [`launch`].
pub(crate) fn id_block(launch: &Launch<'_>) -> IdBlock {
    IdBlock {
        launch_digest: launch.digest(),
        family_id: [0xfa; 16],
        image_id: [0x1a; 16],
        version: IdBlock::VERSION,
        guest_svn: 3,
        policy: POLICY,
    }
}

/// The authentication of `block` by an ID key, which an author key signed.
pub(crate) fn authentication(block: &IdBlock) -> IdAuthentication {
    let (id_key, author_key) = (key(1), key(2));
    let public_id_key = public(&id_key);
    let certificate = sign(&author_key, public_id_key.as_bytes());
    IdAuthentication::by_id_key(public_id_key, sign(&id_key, block.as_bytes()))
        .certified_by(public(&author_key), certificate)
}
