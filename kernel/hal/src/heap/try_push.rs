//! One more element, if there is memory for it.

use alloc::vec::Vec;

use crate::OutOfMemory;

/// Growing collections that say so when there is no memory.
pub trait TryPush<T> {
    /// Adds `value` at the end.
    ///
    /// # Errors
    ///
    /// [`OutOfMemory`]; `value` is dropped, and all else is as before.
    fn try_push(&mut self, value: T) -> Result<(), OutOfMemory>;
}

impl<T> TryPush<T> for Vec<T> {
    #[expect(clippy::disallowed_methods, reason = "there is room: nothing is allocated")]
    fn try_push(&mut self, value: T) -> Result<(), OutOfMemory> {
        self.try_reserve(1).map_err(|_| OutOfMemory)?;
        self.push(value);
        Ok(())
    }
}
