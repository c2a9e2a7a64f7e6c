//! The machine that an image is loaded into.

use abi_simulator::launch::{Options, SecurityProcessor};
use abi_snp::Vmpl;

/// The machine that an image is loaded into, and what its host says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MachineOptions<'a> {
    /// How the machine is set up.
    pub options: Options,
    /// Bytes of memory that it has. The part of a page at the end does not
    /// count.
    pub memory_size: u64,
    /// Whom its security processor plays.
    pub security_processor: SecurityProcessor,
    /// What the host answers when a guest asks for certificates, see
    /// [`abi_simulator::launch::LaunchFile::certificates`]; empty for nothing.
    pub certificates: &'a [u8],
    /// What a hostile host does; empty if it plays fair.
    pub scenario: &'a str,
    /// What the host says about the guest in attestation reports.
    pub host_data: [u8; 32],
    /// What the guest gets as command line, in ASCII; empty for none. The file
    /// must have a place for one.
    pub command_line: &'a str,
    /// The privilege level that all save areas of the file start at instead of
    /// their own, with all permissions for the pages of the file, as if
    /// somebody above had given them. Memory without content in the file nobody
    /// has validated there. `None` for what the file says.
    pub vmpl: Option<Vmpl>,
}
