//! Making a task.

use alloc::boxed::Box;
use core::any::Any;

use hal::OutOfMemory;
use hal::extended_state::{ExtendedState, NotStarted};
use hal::heap::try_box;
use hal::memory::StackOwner;
use hal::sync::mask;
use hal::thread::Stack;

use crate::affinity::Affinity;
use crate::dispatcher::Refused;
use crate::join_handle::JoinHandle;
use crate::priority::Priority;
use crate::system::system;
use crate::thread_table::Life;

/// What kind of task is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskOptions {
    /// For messages.
    pub name: &'static str,
    /// Who it goes before.
    pub priority: Priority,
    /// Where it runs.
    pub affinity: Affinity,
    /// Pages of 4096 bytes of its stack, 1 to
    /// [`MOST_STACK_PAGES`](hal::memory::MOST_STACK_PAGES).
    pub stack_pages: u32,
    /// Which registers it has to itself.
    pub registers: TaskRegisters,
}

/// Which registers a task has to itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TaskRegisters {
    /// Those that the kernel uses.
    #[default]
    Kernel,
    /// All: x87, SSE and what came after, too. For what runs on behalf of others.
    Extended,
}

/// The task was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpawnError {
    /// There is no memory for its stack or its work.
    #[error("no new task: {0}")]
    OutOfMemory(#[from] OutOfMemory),
    /// There are no extended registers for it.
    #[error("no new task: {0}")]
    Registers(#[from] NotStarted),
    /// There are as many tasks as there is room for.
    #[error("no new task: all places are taken; wait for one to end, or start with more")]
    TooMany,
    /// No processor has this index.
    #[error("no new task: there is no processor {0}")]
    NoProcessor(usize),
}

/// Makes a task that does `work`.
///
/// # Errors
///
/// [`SpawnError`]; `work` is dropped, and all else is as before.
///
/// # Panics
///
/// If tasks have not been started, or the stack has an impossible size.
pub fn spawn<T: Send + 'static>(
    options: TaskOptions,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, SpawnError> {
    let system = system();
    let TaskOptions { name, priority, affinity, stack_pages, registers } = options;
    let extended = match registers {
        TaskRegisters::Kernel => None,
        TaskRegisters::Extended => Some(ExtendedState::allocate()?),
    };
    let mut result = try_box(None::<T>)?;
    let task = system.dispatcher.reserve(priority, affinity).map_err(|refused| match refused {
        Refused::Full => SpawnError::TooMany,
        Refused::Processor(index) => SpawnError::NoProcessor(index),
    })?;
    let thread = system.threads.of(task);
    let entry = move || {
        {
            let _masked = mask();
            system.settle();
        }
        *result = Some(work());
        let result: Box<dyn Any + Send> = result;
        *thread.result.lock() = Some(result);
        system.end(task)
    };
    let owner = StackOwner::Task(task.0);
    let parts = try_box(entry).and_then(|entry| Ok((entry, Stack::allocate(stack_pages, owner)?)));
    let (entry, stack) = match parts {
        Ok(parts) => parts,
        Err(error) => {
            system.dispatcher.release(task);
            return Err(error.into());
        }
    };
    thread.life.with(|life| *life = Life::Joinable);
    *thread.name.lock() = name;
    let armed = thread.context.arm(stack, extended, entry);
    assert!(armed.is_ok(), "the context of a free place is empty");
    let handle = JoinHandle::new(task);
    if let Some(call) = system.dispatcher.admit(task) {
        system.call(call);
        system.make_way_if_due(&mask());
    }
    Ok(handle)
}
