//! Frames however they are cut, against slow models; and what is refused.

use proptest::prelude::*;

use super::{Decoder, FrameError, Framing, LENGTH_BYTES, Lengths, Lines, put_frame};

const MAX: usize = 12;

type Frames = Vec<Result<Vec<u8>, FrameError>>;

/// All that a decoder says of `bytes`, which come in pieces as `cuts` say.
fn decode<F: Framing>(framing: F, bytes: &[u8], cuts: &[usize]) -> Frames {
    let mut decoder = Decoder::new(framing);
    let mut frames = Vec::new();
    let mut rest = bytes;
    for cut in cuts.iter().chain([&usize::MAX]) {
        let (piece, later) = rest.split_at((*cut).min(rest.len()));
        rest = later;
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(Ok(frame.to_vec())),
                Ok(None) => break,
                Err(error @ FrameError::LengthTooLong { .. }) => {
                    frames.push(Err(error));
                    return frames;
                }
                Err(error) => frames.push(Err(error)),
            }
        }
        assert!(
            decoder.rest().len() <= MAX + LENGTH_BYTES + 1,
            "held beyond the bound: {}",
            decoder.rest().len()
        );
    }
    frames
}

fn lines_slowly(bytes: &[u8]) -> Frames {
    let mut frames = Frames::new();
    let mut lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').collect();
    let last = lines.pop().unwrap_or_default();
    for line in lines {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        frames.push(match line.len() <= MAX {
            true => Ok(line.to_vec()),
            false => Err(FrameError::TooLong { max_bytes: MAX }),
        });
    }
    if last.len() > MAX + 1 {
        frames.push(Err(FrameError::TooLong { max_bytes: MAX }));
    }
    frames
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![6 => any::<u8>(), 2 => Just(b'\n'), 1 => Just(b'\r')];
    prop::collection::vec(byte, 0..200)
}

proptest! {
    #[test]
    fn lines_are_the_same_however_they_are_cut(
        bytes in text(),
        cuts in prop::collection::vec(0..30_usize, 0..40),
    ) {
        prop_assert_eq!(decode(Lines { max_bytes: MAX }, &bytes, &cuts), lines_slowly(&bytes));
    }

    #[test]
    fn frames_come_back_however_they_are_cut(
        sent in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=MAX), 0..12),
        cuts in prop::collection::vec(0..30_usize, 0..40),
        tail in 0..LENGTH_BYTES,
    ) {
        let mut bytes = Vec::new();
        for frame in &sent {
            put_frame(&mut bytes, frame, MAX).expect("within the bound");
        }
        bytes.extend(std::iter::repeat_n(0, tail));
        let got = decode(Lengths { max_bytes: MAX }, &bytes, &cuts);
        prop_assert_eq!(got, sent.into_iter().map(Ok).collect::<Frames>());
    }

    #[test]
    fn anything_at_all_is_frames_or_an_error(
        bytes in prop::collection::vec(0..3_u8, 0..300),
        cuts in prop::collection::vec(0..30_usize, 0..40),
    ) {
        let whole = decode(Lengths { max_bytes: MAX }, &bytes, &[]);
        prop_assert_eq!(decode(Lengths { max_bytes: MAX }, &bytes, &cuts), whole);
    }
}

#[test]
fn a_huge_length_is_refused_before_its_bytes_come() {
    let mut decoder = Decoder::new(Lengths { max_bytes: 1 << 20 });
    decoder.push(&u32::MAX.to_be_bytes());
    let error = decoder.next_frame().expect_err("4 GiB");
    assert_eq!(
        error.to_string(),
        "a frame announces 4294967295 bytes, 1048576 are allowed"
    );
    assert_eq!(decoder.next_frame(), Err(error), "it cannot go on");
}

#[test]
fn an_endless_line_is_refused_and_not_kept() {
    let mut decoder = Decoder::new(Lines { max_bytes: 100 });
    decoder.push(&[b'x'; 5000]);
    let error = decoder.next_frame().expect_err("no end");
    assert_eq!(
        error.to_string(),
        "a line is longer than the 100 bytes allowed"
    );
    for _ in 0..1000 {
        decoder.push(&[b'x'; 5000]);
        assert_eq!(decoder.next_frame(), Ok(None));
        assert!(decoder.rest().is_empty());
    }
    decoder.push(b"\nafter\n");
    assert_eq!(decoder.next_frame(), Ok(Some(&b"after"[..])));
}

#[test]
fn what_is_too_long_is_not_put() {
    let mut out = b"before".to_vec();
    let error = put_frame(&mut out, &[0; 11], 10).expect_err("too long");
    assert_eq!(
        error,
        FrameError::LengthTooLong {
            len: 11,
            max_bytes: 10
        }
    );
    assert_eq!(out, b"before");
}
