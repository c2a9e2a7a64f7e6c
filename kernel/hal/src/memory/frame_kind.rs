//! What frames are used for, as types.

use frame_allocator::Kind;

/// A use of frames. Only this module's types are such kinds.
pub trait FrameKind: sealed::Sealed {
    /// Its number with the allocator.
    #[doc(hidden)]
    const KIND: Kind;
    /// What happens to the content.
    #[doc(hidden)]
    const CONTENT: Content;
}

/// What happens to the content of frames of a kind.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing: who takes a frame sees what the last owner left.
    Left,
    /// A frame is zeros when it is taken.
    Cleared,
    /// A frame is zeros when it is taken, and again when it is given back.
    ClearedAndWiped,
}

mod sealed {
    /// Keeps other crates from adding kinds.
    pub trait Sealed {}
}

/// Makes a type for each kind.
macro_rules! kinds {
    ($($(#[$doc:meta])* $visibility:vis $name:ident = $number:literal, $content:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            $visibility enum $name {}

            impl sealed::Sealed for $name {}

            impl FrameKind for $name {
                const KIND: Kind = Kind::new($number);
                const CONTENT: Content = Content::$content;
            }
        )*
    };
}

kinds! {
    /// Tables that a processor translates addresses with.
    pub PageTable = 0, Cleared;
    /// Slabs and large objects of the kernel's heap.
    pub(crate) Heap = 1, Left;
    /// Stacks of kernel threads.
    pub Stack = 2, ClearedAndWiped;
    /// Memory of user processes.
    pub User = 3, ClearedAndWiped;
    /// Memory that the host can read and write.
    pub SharedWithHost = 4, Left;
    /// Save areas of virtual processors (VMSA).
    pub SaveArea = 5, ClearedAndWiped;
    /// Data of the kernel that does not lie on the heap.
    pub KernelData = 6, Cleared;
    /// Data of the kernel that nobody may find later.
    pub Secret = 7, ClearedAndWiped;
    /// Frames whose state the host has left unclear: never used again.
    pub(crate) Lost = 8, Left;
}
