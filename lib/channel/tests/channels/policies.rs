//! Options that contradict each other, and what errors say.

use corelane_channel::{Full, Options, OptionsError, RecvError, SPIN_STEPS_MAX, SendError, spsc};

#[test]
fn options_that_cannot_be_are_refused_in_words() {
    let shed = |high, low| Options::new(10).full(Full::Shed { high, low });
    let marks = |high, low| OptionsError::Marks {
        high,
        low,
        capacity: 10,
    };
    let rows = [
        (Options::new(0), OptionsError::NoRoom, "1 or more"),
        (
            Options::new(1).spin(0, SPIN_STEPS_MAX + 1),
            OptionsError::Spin,
            "fewer",
        ),
        (shed(5, 5), marks(5, 5), "`low` must be below `high`"),
        (shed(5, 6), marks(5, 6), "`low` must be below `high`"),
        (shed(11, 6), marks(11, 6), "no more than the capacity"),
    ];
    for (options, error, words) in rows {
        assert_eq!(spsc::with::<u8>(options).unwrap_err(), error);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
#[should_panic(expected = "capacity of 1 or more")]
fn a_bounded_channel_without_room_is_refused() {
    let _ = spsc::bounded::<u8>(0);
}

#[test]
#[should_panic(expected = "capacity of 1 or more")]
fn an_unbounded_channel_without_room_is_refused() {
    let _ = spsc::unbounded_up_to::<u8>(0);
}

#[test]
fn errors_say_what_to_do_and_give_the_value_back() {
    /// Need not be printable.
    struct Opaque(u8);
    let rows = [
        (SendError::Full(Opaque(1)), "receive faster"),
        (SendError::Shed(Opaque(1)), "try again later"),
        (SendError::TimedOut(Opaque(1)), "stuck or too slow"),
        (SendError::Closed(Opaque(1)), "stop sending"),
    ];
    for (error, words) in rows {
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.into_inner().0, 1);
    }
    for (error, words) in [
        (RecvError::Empty, "wait with `recv`"),
        (RecvError::TimedOut, "in time"),
        (RecvError::Closed, "stop receiving"),
    ] {
        assert!(error.to_string().contains(words), "{error}");
    }
}
