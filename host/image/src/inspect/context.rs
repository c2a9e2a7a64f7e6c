//! Initial states of virtual processors.

use igvm::IgvmDirectiveHeader as Directive;
use serde::Serialize;

use super::number::Hex;
use super::platform::names;
use super::register::Register;
use super::{context_registers, vmsa_registers};
use crate::file::Igvm;

/// What a virtual processor starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Context {
    /// Names of the platforms.
    pub platforms: Vec<String>,
    /// Number of the processor.
    pub vp_index: u16,
    /// Where the state lies in guest memory, on platforms that keep it there.
    pub gpa: Option<Hex>,
    /// Virtual trust level, on platforms that have them.
    pub vtl: Option<u8>,
    /// All registers that the context has.
    pub registers: Vec<Register>,
}

pub(super) fn contexts(igvm: &Igvm) -> Vec<Context> {
    igvm.file().directives().iter().filter_map(|directive| context(igvm, directive)).collect()
}

fn context(igvm: &Igvm, directive: &Directive) -> Option<Context> {
    let mut context = Context {
        platforms: names(igvm, directive.compatibility_mask()?),
        vp_index: 0,
        gpa: None,
        vtl: None,
        registers: Vec::new(),
    };
    match directive {
        Directive::SnpVpContext { gpa, vp_index, vmsa, .. } => {
            context.vp_index = *vp_index;
            context.gpa = Some(Hex(*gpa));
            context.registers = vmsa_registers::of_vmsa(vmsa);
        }
        Directive::X64NativeVpContext { vp_index, context: native, .. } => {
            context.vp_index = *vp_index;
            context.registers = context_registers::of_native(native);
        }
        Directive::X64VbsVpContext { vtl, registers, .. } => {
            context.vtl = Some((*vtl).into());
            context.registers = registers.iter().map(context_registers::of_x86).collect();
        }
        Directive::AArch64VbsVpContext { vtl, registers, .. } => {
            context.vtl = Some((*vtl).into());
            context.registers = registers.iter().map(context_registers::of_aarch64).collect();
        }
        Directive::AArch64CcaVpContext { vp_index, context: cca, .. } => {
            context.vp_index = *vp_index;
            context.registers = context_registers::of_cca(cca);
        }
        _ => return None,
    }
    Some(context)
}
