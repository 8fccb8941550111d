//! A load balancer's header: any bytes are one, none, or the beginning of one, and whatever follows changes nothing.

#![no_main]

use corelane_wire::{MAX_HEADER_BYTES, parse_proxy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let whole = parse_proxy(data);
    if let Ok(Some(header)) = whole {
        assert!(header.consumed <= data.len().min(MAX_HEADER_BYTES));
        assert_eq!(parse_proxy(&data[..header.consumed]), whole);
    }
    for cut in 0..data.len().min(64) {
        let part = parse_proxy(&data[..cut]);
        assert!(
            part == Ok(None) || part == whole,
            "{part:?} at {cut}, {whole:?}"
        );
    }
});
