//! Values that belong to one runtime, found by their type. What a `thread_local!` is to a thread, this is to a
//! runtime: in the simulator, where many runtimes share a thread, each has its own; and a value is dropped with its
//! runtime, inside it, after the last task.
//!
//! ```
//! use std::cell::Cell;
//! use corelane_rt::{Runtime, RuntimeOptions, local};
//!
//! struct Served(Cell<u64>);
//!
//! let runtime = Runtime::new(&RuntimeOptions::default())?;
//! runtime.block_on(async {
//!     let served = local::get_or_insert_with(|| Served(Cell::new(0)));
//!     served.0.set(served.0.get() + 1);
//!     assert_eq!(local::get::<Served>().map(|served| served.0.get()), Some(1));
//! });
//! assert!(local::get::<Served>().is_none(), "outside a runtime there is nothing");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::rc::Rc;

use crate::context;

/// The current runtime's value of type `T`; `None` where none was put, and outside a runtime.
pub fn get<T: 'static>() -> Option<Rc<T>> {
    context::try_with(|core| core.locals.get()).flatten()
}

/// Puts a value into the current runtime; gives back the one of the same type that was there.
///
/// # Panics
///
/// Outside a runtime.
pub fn insert<T: 'static>(value: Rc<T>) -> Option<Rc<T>> {
    context::with(|core| core.locals.insert(value))
}

/// The current runtime's value of type `T`, made now if there was none.
///
/// # Panics
///
/// Outside a runtime.
pub fn get_or_insert_with<T: 'static>(make: impl FnOnce() -> T) -> Rc<T> {
    if let Some(value) = get() {
        return value;
    }
    // Nothing is borrowed here: `make` may use this module itself.
    let value = Rc::new(make());
    insert(value.clone());
    value
}

/// Takes the value of type `T` out of the current runtime; `None` where there is none, and outside a runtime.
pub fn remove<T: 'static>() -> Option<Rc<T>> {
    context::try_with(|core| core.locals.remove()).flatten()
}

/// How often the end of a runtime goes over values that the drops of others have put there.
const CLOSING_ROUNDS: u32 = 4;

/// One runtime's values. A handful of types, so a list; the oldest first.
#[derive(Default)]
pub(crate) struct Locals {
    values: RefCell<Vec<(TypeId, Rc<dyn Any>)>>,
}

impl Locals {
    fn get<T: 'static>(&self) -> Option<Rc<T>> {
        let values = self.values.borrow();
        let (_, value) = values.iter().find(|(of, _)| *of == TypeId::of::<T>())?;
        value.clone().downcast().ok()
    }

    fn insert<T: 'static>(&self, value: Rc<T>) -> Option<Rc<T>> {
        let before = self.remove();
        self.values.borrow_mut().push((TypeId::of::<T>(), value));
        before
    }

    fn remove<T: 'static>(&self) -> Option<Rc<T>> {
        let mut values = self.values.borrow_mut();
        let place = values.iter().position(|(of, _)| *of == TypeId::of::<T>())?;
        values.remove(place).1.downcast().ok()
    }

    /// Drops all values, the youngest first, as what was made later may use what was made before.
    pub(crate) fn close(&self) {
        for _ in 0..CLOSING_ROUNDS {
            let mut values = self.values.take();
            while let Some(value) = values.pop() {
                drop(value);
            }
        }
    }
}
