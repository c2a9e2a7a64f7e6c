//! A box, if there is memory for it.

use alloc::alloc::alloc;
use alloc::boxed::Box;
use core::alloc::Layout;
use core::ptr;

use crate::OutOfMemory;

/// Puts `value` on the heap.
///
/// # Errors
///
/// [`OutOfMemory`]; `value` is dropped.
pub fn try_box<T>(value: T) -> Result<Box<T>, OutOfMemory> {
    let layout = Layout::new::<T>();
    let place = if layout.size() == 0 {
        ptr::dangling_mut()
    } else {
        // SAFETY: the layout is not empty.
        unsafe { alloc(layout) }.cast::<T>()
    };
    if place.is_null() {
        return Err(OutOfMemory);
    }
    // SAFETY: the place was allocated for a `T` by the allocator that `Box`
    // uses, or a `T` takes no room; nobody else knows it.
    unsafe {
        place.write(value);
        Ok(Box::from_raw(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_hold_what_was_put_in() {
        assert_eq!(try_box([1_u64, 2, 3]).map(|b| *b), Ok([1, 2, 3]));
        assert_eq!(try_box(()).map(|b| *b), Ok(()));
    }
}
