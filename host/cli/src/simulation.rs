//! Guests in the platform simulator: an image, the machine that it starts on,
//! and what became of it.
//!
//! [`simulate()`] does all of it, for `svsm run` and for test steps: it turns the
//! image into a launch file, starts QEMU with the simulator's hypervisor as its
//! kernel and the launch file as its RAM disk, and attends the machine until
//! something [ends](End) the run. Nothing stays behind.
//!
//! | file | what it knows |
//! |---|---|
//! | `request` | what is to be run, and how |
//! | `image` | where the image comes from |
//! | `launch` | image and platform as a launch file |
//! | `hypervisor` | the program that runs in QEMU |
//! | `security_processor` | who signs attestation reports |
//! | `emulator` | QEMU's command line |
//! | `attend` | what to do with what comes out of the machine |
//! | `operator` | who sits at the console |
//! | `end` | how runs end |
//! | `statistics` | what the simulator counted |

mod attend;
mod emulator;
mod end;
mod expectation;
mod hypervisor;
mod image;
mod launch;
mod lines;
mod operator;
mod request;
mod security_processor;
mod simulate;
mod statistics;

pub(crate) use end::End;
pub(crate) use hypervisor::hypervisor;
pub(crate) use image::image;
pub(crate) use operator::{Operator, Typed};
pub(crate) use request::{Devices, FirmwareItem, Image, LinuxImage, Pace, Platform, Request};
pub(crate) use simulate::{Outcome, simulate};
pub(crate) use statistics::Statistics;
