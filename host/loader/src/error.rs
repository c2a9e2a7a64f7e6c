//! Why a file was not loaded.

use abi_simulator::launch;
use svsm_image::measure;

/// Why a file was not loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file supports no SEV-SNP platform.
    #[error("the file is not for SEV-SNP but for {platforms}: the simulator has no such platform")]
    NotSnp {
        /// The platforms that it is for.
        platforms: String,
    },
    /// No security processor launches a guest without a policy.
    #[error("the file states no guest policy for SEV-SNP: build it with one")]
    NoPolicy,
    /// Pages that no guest can have.
    #[error(transparent)]
    Pages(#[from] measure::Error),
    /// A VP context for a processor that the machine lacks.
    #[error(
        "the file has a VP context for processor {vp_index}, but the machine has {vcpus} \
         processors: give it more"
    )]
    NoSuchProcessor {
        /// Number of the processor.
        vp_index: u16,
        /// Processors of the machine.
        vcpus: u32,
    },
    /// A processor can start in one state only.
    #[error("the file has more than one VP context for processor {vp_index}")]
    TwoContexts {
        /// Number of the processor.
        vp_index: u16,
    },
    /// Nobody would start the guest.
    #[error("the file has no VP context for processor 0: nothing would run")]
    NoBootProcessor,
    /// A parameter that this loader knows nothing to say about.
    #[error("the file asks its loader for the {parameter}, which the simulator does not have")]
    UnsupportedParameter {
        /// The parameter, in words.
        parameter: &'static str,
    },
    /// A parameter that is too long for its place.
    #[error(
        "the {parameter} has {size} bytes, but the file has {space} for it: build it with a \
         larger parameter area"
    )]
    ParameterSpace {
        /// The parameter, in words.
        parameter: &'static str,
        /// Bytes that it has.
        size: u64,
        /// Bytes from its place to the end of its area.
        space: u64,
    },
    /// Parameter areas beyond what any guest needs.
    #[error("the parameter areas of the file have {size} bytes together, at most {max} are loaded")]
    ParameterAreas {
        /// Bytes of all areas that are inserted.
        size: u64,
        /// Most bytes that are loaded.
        max: u64,
    },
    /// The command line would not arrive as it is.
    #[error("the command line has characters that are not ASCII, or a zero")]
    CommandLine,
    /// There is no place for a command line.
    #[error(
        "the file has no place for a command line that is given to its loader: leave it out, or \
         build it into the file"
    )]
    NoCommandLinePlace,
    /// The machine is impossible, or the file names impossible memory.
    #[error("the machine or the file is out of bounds: {0}")]
    Bounds(#[from] launch::Error),
}
