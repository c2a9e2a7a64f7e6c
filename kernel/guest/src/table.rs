//! The account of all pages, as the kernel has it.

use page_state::{FixedBlocks, PageStates};

/// Words and blocks live for ever.
pub type Table = PageStates<'static, FixedBlocks<'static>>;
