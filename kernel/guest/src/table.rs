//! The account of all pages, as the kernel has it.

use page_state::{GrowingBlocks, PageStates};

/// Words and blocks live for ever; a guest can give memory for more blocks.
pub type Table = PageStates<'static, &'static GrowingBlocks>;
