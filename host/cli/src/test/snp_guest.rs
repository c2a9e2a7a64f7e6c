//! Debian's stock kernels as SNP guests in the platform simulator.
//!
//! They are judges that we did not write: what they take for a machine with
//! SEV-SNP is one as far as they look, and what hardware makes them refuse must
//! make them refuse here.
//!
//! | file | what it proves |
//! |---|---|
//! | `boot` | kernels find SEV-SNP, all processors, a timer and sound memory |
//! | `secure_tsc` | a kernel with Secure TSC trusts its time stamp counter |
//! | `attestation` | reports say what was launched, and others believe them |
//! | `refusal` | what is wrong fails as on hardware |
//! | `hostile` | a hostile host stops them, or does not get what it wants |
//! | `repetition` | the same image twice is the same run |
//! | `guest` | a kernel, a script and a machine for it |
//! | `owner` | images measured and signed |

pub(super) mod attestation;
pub(super) mod boot;
mod guest;
pub(super) mod hostile;
mod owner;
pub(super) mod refusal;
pub(super) mod repetition;
mod secure_tsc;
