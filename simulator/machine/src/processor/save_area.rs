//! Loading a VMSA into a processor, and storing it back.
//!
//! A VMSA names the registers of a VMCB and many more [APM 24593 appendix B,
//! tables B-2 and B-4]. Here they move between the VMSA and the two places that
//! stand for the processor: the VMCB's save area and the [`RegisterFile`].
//!
//! Not moved, because no processor of QEMU's has them: shadow stacks of user
//! mode and of other privilege levels, branch records and sampling; so a VMSA
//! keeps what it had there.

use abi_snp::{SevFeatures, Vmpl, Vmsa};
use abi_svm::{Event, ExitCode, SaveArea};

use crate::guest_tsc::GuestTsc;
use crate::processor::entry_check::{Offer, StateRefusal, check_vmsa};
use crate::processor::registers::RegisterFile;
use crate::processor::saved_events::SavedEvents;
use crate::processor::x87::{abridge_tags, full_tags, pack_registers, unpack_registers};
use crate::processor::xsave_image::{MXCSR_MASK, StateComponents};

/// Runs `vmsa` at `vmpl`: fills in the VMCB's save area and the other
/// registers, all of them, whatever they held.
///
/// # Errors
///
/// The check that failed; nothing has changed then, and VMRUN ends with
/// `VMEXIT_INVALID`.
pub fn load_vmsa(
    vmsa: &Vmsa,
    vmpl: Vmpl,
    offer: &Offer,
    save: &mut SaveArea,
    file: &mut RegisterFile,
) -> Result<(), StateRefusal> {
    check_vmsa(vmsa, vmpl, offer)?;
    file.vmpl = vmpl;
    file.features = vmsa.sev_features;
    load_same(vmsa, save, file);
    load_extended(vmsa, file);
    file.tsc = GuestTsc::of(vmsa);
    file.events = SavedEvents::of(vmsa);
    let debug = file.features.contains(SevFeatures::DEBUG_SWAP);
    file.dr = if debug { vmsa.dr } else { [0; 4] };
    file.dr_address_mask = if debug { vmsa.dr_address_mask } else { [0; 4] };
    Ok(())
}

/// Why a processor leaves a VMSA: what the VMSA tells about its last automatic
/// exit [APM 24593 appendix B, table B-4].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitRecord {
    /// Code.
    pub code: ExitCode,
    /// First word of details.
    pub info_1: u64,
    /// Second word of details.
    pub info_2: u64,
    /// The event whose delivery the exit cut short, or [`Event::NONE`].
    pub interrupted: Event,
    /// Address of the instruction after the one that exited.
    pub next_rip: u64,
}

/// Stores the registers of the VMSA that was [loaded](load_vmsa) last back into it,
/// and why it exits. What a processor only reads stays.
pub fn store_vmsa(save: &SaveArea, file: &RegisterFile, exit: &ExitRecord, vmsa: &mut Vmsa) {
    store_same(save, file, vmsa);
    store_extended(file, vmsa);
    if file.features.contains(SevFeatures::DEBUG_SWAP) {
        vmsa.dr = file.dr;
        vmsa.dr_address_mask = file.dr_address_mask;
    }
    if let Some(events) = file.events {
        events.store(vmsa);
    }
    vmsa.guest_exit_code = exit.code.0;
    vmsa.guest_exit_info_1 = exit.info_1;
    vmsa.guest_exit_info_2 = exit.info_2;
    vmsa.guest_exit_int_info = exit.interrupted.bits();
    vmsa.guest_nrip = exit.next_rip;
}

/// Defines how registers move that have the same form in both places. The names
/// are those of the VMSA, and with `as` the image's before it.
macro_rules! same_registers {
    (
        save area { $($save:ident)* }
        general { $($general:ident)* }
        file { $($file:ident)* }
        image { $($image:ident as $saved:ident,)* }
    ) => {
        fn load_same(vmsa: &Vmsa, save: &mut SaveArea, file: &mut RegisterFile) {
            $(save.$save = vmsa.$save;)*
            $(file.general.$general = vmsa.$general;)*
            $(file.$file = vmsa.$file;)*
            $(file.extended.$image = vmsa.$saved;)*
        }

        fn store_same(save: &SaveArea, file: &RegisterFile, vmsa: &mut Vmsa) {
            $(vmsa.$save = save.$save;)*
            $(vmsa.$general = file.general.$general;)*
            $(vmsa.$file = file.$file;)*
            $(vmsa.$saved = file.extended.$image;)*
        }
    };
}

same_registers! {
    save area {
        es cs ss ds fs gs gdtr ldtr idtr tr cpl efer
        cr4 cr3 cr0 dr7 dr6 rflags rip rsp s_cet ssp isst_address rax
        star lstar cstar sfmask kernel_gs_base sysenter_cs sysenter_esp sysenter_eip cr2
        g_pat dbgctl br_from br_to last_excp_from last_excp_to
    }
    general { rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15 }
    file { xcr0 xss pkru tsc_aux spec_ctrl }
    image {
        control_word as x87_fcw,
        status_word as x87_fsw,
        opcode as x87_fop,
        instruction_pointer as x87_rip,
        data_pointer as x87_dp,
        mxcsr as mxcsr,
    }
}

fn load_extended(vmsa: &Vmsa, file: &mut RegisterFile) {
    let image = &mut file.extended;
    image.abridged_tags = abridge_tags(vmsa.x87_ftw);
    image.x87 = unpack_registers(&vmsa.fpreg_x87);
    image.xmm.as_flattened_mut().copy_from_slice(&vmsa.fpreg_xmm);
    image.ymm_upper.as_flattened_mut().copy_from_slice(&vmsa.fpreg_ymm);
    image.mxcsr_mask = MXCSR_MASK;
    let all = StateComponents::X87 | StateComponents::SSE | StateComponents::AVX;
    image.components = all.bits();
    image.compaction = 0;
}

fn store_extended(file: &RegisterFile, vmsa: &mut Vmsa) {
    let image = &file.extended;
    vmsa.x87_ftw = full_tags(image);
    vmsa.fpreg_x87 = pack_registers(&image.x87);
    vmsa.fpreg_xmm.copy_from_slice(image.xmm.as_flattened());
    vmsa.fpreg_ymm.copy_from_slice(image.ymm_upper.as_flattened());
}

#[cfg(test)]
mod tests;
