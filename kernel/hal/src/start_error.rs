//! Why other processors do not run.

use platform_parameters::Refusal;

use crate::OutOfMemory;
use crate::stop_reason::StopReason;

/// Why other processors do not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// There is no memory for what each of them needs.
    #[error(transparent)]
    OutOfMemory(#[from] OutOfMemory),
    /// There cannot be so many.
    #[error("{0} processors are more than the kernel can have: lower max_vcpus in the manifest")]
    TooMany(usize),
    /// The host does not do its part.
    #[error("{0}")]
    Host(StopReason),
    /// The list of processors cannot be used, where the platform can do without.
    #[error("{0}")]
    List(Refusal),
    /// The memory map has no page that a processor in real mode could start at.
    #[error("the host's memory map has no page of memory below 640 KiB for them to start at")]
    NoTrampoline,
    /// Nobody knows how their time stamp counters are to run.
    #[error("the security processor has not told how their time stamp counters run")]
    TimeStamp,
    /// There is no way to start them on this platform.
    #[error("there is no way to start other processors on this machine")]
    Unsupported,
}
