//! PCI: which of the outer machine's devices a guest has, and what it sees of
//! them.
//!
//! The devices are those of the machine that the simulator runs in. A guest is
//! shown its host bridge, which it may only look at, and virtio functions on
//! bus 0, which it drives. All else is not there: it reads as ones, what is
//! written to it is lost, and it is switched off before the guest starts, so
//! that it cannot be reached by accident.
//!
//! Of a virtio function the guest does not see
//!
//! - MSI and MSI-X: devices signal by their interrupt lines;
//! - ranges of ports, and the expansion ROM: devices are reached in memory.
//!
//! Transitional virtio devices are not shown, because their first half needs
//! ports.
//!
//! | module | purpose |
//! |---|---|
//! | `function` | names a function on bus 0 |
//! | `configuration_space` | how the outer machine's registers are reached |
//! | `header` | where registers are |
//! | `capabilities` | the list of capabilities without those that are hidden |
//! | `base_addresses` | ranges of device memory: how large, and where they are |
//! | `window` | where in memory they may be, and a place for each |
//! | `device_register` | an access to device memory that is allowed |
//! | `registers` | a set of registers |
//! | `shown` | a function as the guest sees it |
//! | `devices` | all of them: found once, then read and written |
//! | `ports` | the two registers by which software reaches configuration space |
//!
//! Specification: [PCI 3.0 §3.2.2.3, §6.1, §6.2, §6.7, §6.8], [virtio 1.2
//! §4.1].

mod base_addresses;
mod capabilities;
mod configuration_space;
mod device_register;
mod devices;
mod function;
mod header;
mod ports;
mod registers;
#[cfg(test)]
mod sample_machine;
mod shown;
mod window;

pub use configuration_space::ConfigurationSpace;
pub use device_register::{DeviceRegister, RegisterWidth};
pub use function::Function;
pub use ports::Pci;
pub use window::NoRoom;
