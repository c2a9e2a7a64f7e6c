//! The TPM 2.0 device as a program: its state in a folder, its commands over
//! sockets, for software that talks to swtpm or to Microsoft's simulator.
//!
//! | file | what |
//! |---|---|
//! | `journal` | what happens, a line each |
//! | `records`, `folder` | the state file, and the folder that holds it |
//! | `surroundings` | what the operating system lends the device |
//! | `appliance` | a device with its surroundings and a switch |
//! | `message` | commands and responses as bytes |
//! | `manufacture` | new devices with certificates |
//! | `link`, `unix_socket` | connections |
//! | `swtpm` | swtpm's protocol |
//! | `simulator` | the protocol of Microsoft's simulator |
//! | `server` | sockets and threads |
#![forbid(unsafe_code)]

mod appliance;
mod ending;
mod folder;
mod journal;
mod link;
mod manufacture;
pub mod message;
mod records;
mod server;
mod simulator;
mod surroundings;
mod swtpm;
mod unix_socket;

pub use appliance::{Appliance, LARGEST_COMMAND, ReplaceError, Startup, StoreAccess};
pub use folder::{Durability, FolderError, StateFolder};
pub use journal::Journal;
pub use manufacture::{
    Authority, AuthorityError, ManufactureError, Origin, PublicError, manufacture,
};
pub use records::FormatError;
pub use server::{Lifetime, Listeners, MOST_CONNECTIONS};
