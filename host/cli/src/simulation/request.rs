//! What is to be run, and how.

use std::path::PathBuf;
use std::time::Duration;

use abi_simulator::launch::{CpuidAdditions, CpuidPolicy, Trace};
use abi_snp::{SevFeatures, Vmpl};

/// A run that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What is started.
    pub(crate) image: Image,
    /// The guest's command line: that of a bare Linux kernel, or what an IGVM
    /// file gets if it asks its loader for one. May be empty.
    pub(crate) command_line: String,
    /// On what.
    pub(crate) platform: Platform,
    /// With what attached.
    pub(crate) devices: Devices,
    /// How time passes.
    pub(crate) pace: Pace,
    /// TCP port on which QEMU waits for a debugger before it starts.
    pub(crate) debugger: Option<u16>,
    /// When to give up.
    pub(crate) limit: Option<Duration>,
    /// Not empty. When it appears on the console, the run is over and has
    /// succeeded; otherwise it has failed.
    pub(crate) expect: Option<String>,
}

/// What is started.
#[derive(Clone, Debug)]
pub(crate) enum Image {
    /// An IGVM file.
    Igvm(PathBuf),
    /// Linux at VMPL0, from which an image is built.
    Linux(LinuxImage),
}

/// What a bare Linux image is built from.
#[derive(Clone, Debug)]
pub(crate) struct LinuxImage {
    /// A bzImage.
    pub(crate) kernel: PathBuf,
    /// Its initial RAM disk.
    pub(crate) initrd: Option<PathBuf>,
    /// What protection its save area asks for: `SNP_ACTIVE` and whatever the
    /// kernel can live with.
    pub(crate) sev_features: SevFeatures,
}

impl LinuxImage {
    /// An image whose save area asks for SNP and nothing more.
    pub(crate) const fn new(kernel: PathBuf, initrd: Option<PathBuf>) -> Self {
        Self { kernel, initrd, sev_features: SevFeatures::SNP_ACTIVE }
    }
}

/// The machine, as an owner of hardware or the firmware would choose it, and
/// what its host does.
#[derive(Clone, Debug)]
pub(crate) struct Platform {
    /// Virtual processors, 1 to 16.
    pub(crate) cpus: u32,
    /// Guest memory in bytes.
    pub(crate) memory: u64,
    /// Number of the page-table bit that makes a page private.
    pub(crate) c_bit: u32,
    /// What the platform lets a save area ask for.
    pub(crate) sev_features: SevFeatures,
    /// Which processor features the guest is shown.
    pub(crate) cpuid: CpuidPolicy,
    /// Which it is shown besides.
    pub(crate) cpuid_additions: CpuidAdditions,
    /// Version of attestation reports: 2, 3 or 5.
    pub(crate) report_version: u8,
    /// The privilege level that the guest starts at, instead of the one that
    /// the image says.
    pub(crate) vmpl: Option<Vmpl>,
    /// Seed of the random order in which processors take turns; with 0 they go
    /// round.
    pub(crate) schedule: u64,
    /// File that says what a hostile host does.
    pub(crate) scenario: Option<PathBuf>,
    /// What the simulator tells while it runs.
    pub(crate) trace: Trace,
}

/// The features that the simulated platform has; all but the first can be left
/// out.
const SEV_FEATURES: SevFeatures = SevFeatures::SNP_ACTIVE
    .union(SevFeatures::RESTRICTED_INJECTION)
    .union(SevFeatures::ALTERNATE_INJECTION)
    .union(SevFeatures::DEBUG_SWAP)
    .union(SevFeatures::SECURE_TSC);

impl Default for Platform {
    fn default() -> Self {
        Self {
            cpus: 1,
            memory: 512 << 20,
            c_bit: 51,
            sev_features: SEV_FEATURES,
            cpuid: CpuidPolicy::REDUCED,
            // Linux/KVM shows guests none of them.
            cpuid_additions: CpuidAdditions::empty(),
            report_version: 3,
            vmpl: None,
            schedule: 0,
            scenario: None,
            trace: Trace::empty(),
        }
    }
}

/// What is attached to the machine: to its PCI bus, and items that the guest
/// can read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Devices {
    /// A raw disk image, as a virtio disk.
    pub(crate) disk: Option<PathBuf>,
    /// UNIX socket of a vhost-user back end for a virtio socket device.
    pub(crate) vsock: Option<PathBuf>,
    /// Texts that the guest finds by name, as QEMU's `-fw_cfg` has them.
    pub(crate) items: Vec<FirmwareItem>,
}

/// A text for the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FirmwareItem {
    /// Its name; QEMU leaves those that begin with `opt/` to its users.
    pub(crate) name: String,
    /// The text.
    pub(crate) text: String,
}

/// How time passes for the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As it does for us.
    #[default]
    RealTime,
    /// A nanosecond with each instruction, so that two runs are the same.
    Instructions,
}
