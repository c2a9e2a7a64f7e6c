//! Another privilege level than the file says.
//!
//! No loader of today's VMMs does this. It puts a guest where a module above it
//! would put it, so that one can see what the guest makes of that.

use abi_simulator::launch::Page;
use abi_snp::{PagePermissions, Vmpl, VmplPermissions, Vmsa};
use zerocopy::FromBytes;

/// What lower privilege levels may do with launched pages: nothing, unless the
/// guest runs at one of them, which may do everything then.
pub(crate) fn permissions(level: Option<Vmpl>) -> VmplPermissions {
    let all = PagePermissions::READ
        | PagePermissions::WRITE
        | PagePermissions::EXECUTE_USER
        | PagePermissions::EXECUTE_SUPERVISOR;
    let none = VmplPermissions::NONE;
    match level {
        None | Some(Vmpl::Vmpl0) => none,
        Some(Vmpl::Vmpl1) => VmplPermissions { vmpl1: all, ..none },
        Some(Vmpl::Vmpl2) => VmplPermissions { vmpl2: all, ..none },
        Some(Vmpl::Vmpl3) => VmplPermissions { vmpl3: all, ..none },
    }
}

/// The save area `page` for a processor that starts at `level`.
pub(crate) fn save_area(page: &Page, level: Vmpl) -> Page {
    let mut page = *page;
    let (vmsa, _) = Vmsa::mut_from_prefix(&mut page).expect("a save area is no larger than a page");
    vmsa.vmpl = level.number();
    page
}
