//! The three kinds of channel by the same tests: against a slow model, policy by policy; what closing,
//! giving up and waiting do; and over real threads.
#![cfg(not(loom))]

/// Runs a test written as a macro over the module of each kind.
macro_rules! every_kind {
    ($($test:ident)*) => {
        $(
            mod $test {
                use super::*;

                #[test]
                fn spsc() {
                    $test!(corelane_channel::spsc);
                }
                #[test]
                fn mpsc() {
                    $test!(corelane_channel::mpsc);
                }
                #[test]
                fn mpmc() {
                    $test!(corelane_channel::mpmc);
                }
            }
        )*
    };
}

mod ends;
mod model;
mod policies;
mod soak;
mod waits;
