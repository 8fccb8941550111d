//! Any bytes, read in any pieces, decode as they do in one piece; and skipping says the same as decoding.

#![no_main]

use corelane_fuzz::Input;
use corelane_wire::{DecodeError, Decoder, Value, frame::DecodeFault, skip};
use libfuzzer_sys::fuzz_target;

/// A value, how long it was, or that it is not whole, or an error.
type Decoded = Result<Option<(Value, usize)>, DecodeError>;

fuzz_target!(|data: &[u8]| {
    let Input { bytes, cuts, .. } = Input::new(data);
    let mut rest = bytes;
    loop {
        let whole = Decoder::new().decode(rest);
        check_skip(rest, &whole);
        check_cuts(rest, &cuts, &whole);
        match whole {
            Ok(Some((_, len))) => rest = &rest[len..],
            _ => break,
        }
    }
});

fn check_skip(bytes: &[u8], whole: &Decoded) {
    let skipped = skip(bytes);
    match whole {
        Ok(Some((_, len))) => assert_eq!(skipped, Ok(Some(*len))),
        Ok(None) => assert_eq!(skipped, Ok(None)),
        // Skipping does not look at contents.
        Err(error) if error.fault == DecodeFault::BadContent => {
            assert!(matches!(skipped, Ok(Some(_))))
        }
        Err(error) => assert_eq!(skipped, Err(*error)),
    }
}

fn check_cuts(bytes: &[u8], cuts: &[usize], whole: &Decoded) {
    let mut decoder = Decoder::new();
    for cut in cuts
        .iter()
        .copied()
        .filter(|cut| *cut < bytes.len())
        .chain([bytes.len()])
    {
        let decoded = decoder.decode(&bytes[..cut]);
        if decoded != Ok(None) || cut == bytes.len() {
            assert!(
                same(&decoded, whole),
                "{decoded:?} at {cut}, {whole:?} in one piece"
            );
            return;
        }
    }
}

/// Equality that holds for what is no number too.
fn same(a: &Decoded, b: &Decoded) -> bool {
    a == b || format!("{a:?}") == format!("{b:?}")
}
