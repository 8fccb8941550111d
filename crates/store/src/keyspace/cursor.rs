//! SCAN's cursor: a slot and a position in its table, in one number.
//!
//! ```text
//! 14 bits slot | 24 bits prefix | 15 bits fragment
//! ```
//!
//! It has 53 bits, so that clients which keep numbers as doubles can carry it. 0 is the start and,
//! coming back, the end: nothing ever stops there in between.

use corelane_wire::slot::SLOTS;

use crate::table::{POSITION_BITS, Position};

/// The slot in which a SCAN cursor stands: the owner of its partition is to be asked next. A number
/// that is no cursor gives the last slot.
pub fn slot_of_cursor(cursor: u64) -> u16 {
    (cursor >> POSITION_BITS).min(u64::from(SLOTS - 1)) as u16
}

/// The cursor that stands at the beginning of a slot.
pub fn cursor_of_slot(slot: u16) -> u64 {
    cursor_of(slot, Position::default())
}

/// The cursor of a position in a slot's table; `slot` may be one past the last.
pub(super) fn cursor_of(slot: u16, at: Position) -> u64 {
    if slot >= SLOTS {
        0
    } else {
        u64::from(slot) << POSITION_BITS | at.to_bits()
    }
}

/// The slot and position of a cursor, `None` for a number that is none.
pub(super) fn position_of(cursor: u64) -> Option<(u16, Position)> {
    let slot = cursor >> POSITION_BITS;
    (slot < u64::from(SLOTS)).then(|| (slot as u16, Position::from_bits(cursor)))
}
