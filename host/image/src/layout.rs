//! Where everything lies.
//!
//! A layout is computed from checked input and knows nothing of file formats:
//! neither how its input was read nor which file it will be written to.
//!
//! | module | purpose |
//! |---|---|
//! | [`part`] | what a layout consists of |
//! | [`module`] | an image with the module |
//! | [`payload`] | a Linux guest at its final addresses |
//! | [`linux`] | an image that boots Linux at VMPL0 without a module |

pub mod boot_params;
pub mod cpuid_request;
mod guest;
pub mod linux;
pub mod module;
pub mod part;
pub mod payload;
