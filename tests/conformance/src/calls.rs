//! The checks of a module: what it answers to calls that nobody should make.
//!
//! A check holds if each call ends with the result that is specified, the module
//! still answers afterwards, and neither its pages nor those of other processors
//! are reached.
//!
//! | file | subject |
//! |---|---|
//! | `format` | calls that there are not, and bytes and bits that are reserved |
//! | `foreign` | pages that are not the guest's to name |
//! | `address` | addresses of pages that are not the guest's |
//! | `list` | lists of pages, and what is in them |
//! | `deposit` | pages that the guest gives the module, and takes back |
//! | `instruction` | what the guest does to pages itself |
//! | `save_area` | save areas that must not run |
//! | `race` | virtual processors that several processors make and delete |
//! | `rounds` | virtual processors that go and come back |
//! | `crowd` | calls of all processors at once |

mod address;
mod crowd;
mod deposit;
mod foreign;
mod format;
mod instruction;
mod list;
mod race;
mod rounds;
mod save_area;

use crate::checks::Check;

/// All checks, in the order in which they run.
pub(crate) fn all() -> impl Iterator<Item = &'static Check> {
    [
        format::CHECKS,
        address::CHECKS,
        list::CHECKS,
        deposit::CHECKS,
        instruction::CHECKS,
        save_area::CHECKS,
        race::CHECKS,
        rounds::CHECKS,
        crowd::CHECKS,
    ]
    .into_iter()
    .flatten()
}
