//! Any bytes, read in any pieces, parse as they do in one piece; and what was parsed parses again once encoded.

#![no_main]

use corelane_fuzz::{End, Input, Outcome, feed};
use corelane_wire::encode_command;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Input {
        bytes,
        cuts,
        limits,
    } = Input::new(data);
    let whole = feed(bytes, &[], &limits);
    assert_eq!(feed(bytes, &cuts, &limits), whole, "cuts at {cuts:?}");

    let mut encoded = Vec::new();
    for command in &whole.commands {
        encode_command(&mut encoded, command);
    }
    let again = feed(&encoded, &[], &corelane_wire::Limits::DEFAULT);
    assert_eq!(
        again,
        Outcome {
            commands: whole.commands,
            end: End::Open(0)
        }
    );
});
