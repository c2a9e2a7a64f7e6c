//! A list of equal elements, if there is memory for it.

use alloc::vec::Vec;

use super::try_push::TryPush;
use crate::OutOfMemory;

/// A list of `count` elements that are all `value`.
///
/// # Errors
///
/// [`OutOfMemory`].
pub fn try_repeat<T: Copy>(value: T, count: usize) -> Result<Vec<T>, OutOfMemory> {
    let mut list = Vec::new();
    list.try_reserve_exact(count).map_err(|_| OutOfMemory)?;
    for _ in 0..count {
        list.try_push(value)?;
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_elements_are_there() {
        assert_eq!(try_repeat(7, 3).as_deref(), Ok([7, 7, 7].as_slice()));
        assert_eq!(try_repeat(0_u64, usize::MAX), Err(OutOfMemory));
    }
}
