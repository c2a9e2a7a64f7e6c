//! Debian's stock kernels below the module, in the platform simulator.
//!
//! They are judges that we did not write: they run at VMPL2, as they come from
//! Debian, and everything that Linux asks of a module it asks of ours.
//!
//! | file | what |
//! |---|---|
//! | `boot` | kernels and machines; a kernel that knows no module ends by itself |
//! | `guest` | the module, a kernel, a script, a disk and a machine for them |
//! | `findings` | what the guest found, compared with what there should be |
//! | `reports` | attestation reports, of the module's level and of the guest's own |
//! | `random_numbers` | a program for the guest that asks the processor for random numbers |

pub(super) mod boot;
mod findings;
mod guest;
mod random_numbers;
mod reports;
