//! The variable headers that are known, with names and sizes.

use igvm_defs::{
    IGVM_VHS_CCA_POLICY, IGVM_VHS_ERROR_RANGE, IGVM_VHS_GUEST_POLICY, IGVM_VHS_PAGE_DATA,
    IGVM_VHS_PAGE_TABLE_RELOCATION, IGVM_VHS_PARAMETER, IGVM_VHS_PARAMETER_AREA,
    IGVM_VHS_PARAMETER_INSERT, IGVM_VHS_RELOCATABLE_REGION, IGVM_VHS_REQUIRED_MEMORY,
    IGVM_VHS_SNP_ID_BLOCK, IGVM_VHS_SUPPORTED_PLATFORM, IGVM_VHS_VBS_MEASUREMENT,
    IGVM_VHS_VP_CONTEXT, IgvmVariableHeaderType as Type,
};

/// A kind of variable header.
pub(super) struct Kind {
    /// For messages.
    pub(super) name: &'static str,
    /// Bytes of content, without padding.
    pub(super) size: usize,
}

/// `IGVM_VHT_CORIM_DOCUMENT`, which `igvm_defs` hides behind a feature.
const CORIM_DOCUMENT: u32 = 0x104;

/// `IGVM_VHT_CORIM_SIGNATURE`, likewise.
const CORIM_SIGNATURE: u32 = 0x105;

/// Whether headers of this type only describe the file: version string and
/// reference measurements (CoRIM) change nothing of what is loaded.
pub(super) fn is_descriptive(header_type: Type) -> bool {
    let descriptive = [Type::IGVM_VHT_VERSION_STRING.0, CORIM_DOCUMENT, CORIM_SIGNATURE];
    descriptive.contains(&header_type.0)
}

impl Kind {
    /// The kind that headers of type `header_type` have, if it is known.
    pub(super) fn of(header_type: Type) -> Option<Self> {
        let parameter = size_of::<IGVM_VHS_PARAMETER>();
        let (name, size) = match header_type {
            Type::IGVM_VHT_SUPPORTED_PLATFORM => {
                ("supported platform", size_of::<IGVM_VHS_SUPPORTED_PLATFORM>())
            }
            Type::IGVM_VHT_GUEST_POLICY => ("guest policy", size_of::<IGVM_VHS_GUEST_POLICY>()),
            Type::IGVM_VHT_CCA_POLICY => ("CCA policy", size_of::<IGVM_VHS_CCA_POLICY>()),
            Type::IGVM_VHT_RELOCATABLE_REGION => {
                ("relocatable region", size_of::<IGVM_VHS_RELOCATABLE_REGION>())
            }
            Type::IGVM_VHT_PAGE_TABLE_RELOCATION_REGION => {
                ("page table relocation region", size_of::<IGVM_VHS_PAGE_TABLE_RELOCATION>())
            }
            Type::IGVM_VHT_PARAMETER_AREA => {
                ("parameter area", size_of::<IGVM_VHS_PARAMETER_AREA>())
            }
            Type::IGVM_VHT_PAGE_DATA => ("page data", size_of::<IGVM_VHS_PAGE_DATA>()),
            Type::IGVM_VHT_PARAMETER_INSERT => {
                ("parameter insert", size_of::<IGVM_VHS_PARAMETER_INSERT>())
            }
            Type::IGVM_VHT_VP_CONTEXT => ("VP context", size_of::<IGVM_VHS_VP_CONTEXT>()),
            Type::IGVM_VHT_REQUIRED_MEMORY => {
                ("required memory", size_of::<IGVM_VHS_REQUIRED_MEMORY>())
            }
            Type::IGVM_VHT_ERROR_RANGE => ("error range", size_of::<IGVM_VHS_ERROR_RANGE>()),
            Type::IGVM_VHT_SNP_ID_BLOCK => ("SNP ID block", size_of::<IGVM_VHS_SNP_ID_BLOCK>()),
            Type::IGVM_VHT_VBS_MEASUREMENT => {
                ("VBS measurement", size_of::<IGVM_VHS_VBS_MEASUREMENT>())
            }
            Type::IGVM_VHT_VP_COUNT_PARAMETER => ("VP count parameter", parameter),
            Type::IGVM_VHT_ENVIRONMENT_INFO_PARAMETER => ("environment parameter", parameter),
            Type::IGVM_VHT_SRAT => ("SRAT parameter", parameter),
            Type::IGVM_VHT_MADT => ("MADT parameter", parameter),
            Type::IGVM_VHT_SLIT => ("SLIT parameter", parameter),
            Type::IGVM_VHT_PPTT => ("PPTT parameter", parameter),
            Type::IGVM_VHT_MMIO_RANGES => ("MMIO ranges parameter", parameter),
            Type::IGVM_VHT_MEMORY_MAP => ("memory map parameter", parameter),
            Type::IGVM_VHT_COMMAND_LINE => ("command line parameter", parameter),
            Type::IGVM_VHT_DEVICE_TREE => ("device tree parameter", parameter),
            _ => return None,
        };
        Some(Self { name, size })
    }
}
