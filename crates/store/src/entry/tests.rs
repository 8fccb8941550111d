//! Entries against a slow model: whatever is done to a word, it says what the model says, and its
//! memory is accounted for.

use proptest::prelude::*;

use super::*;

/// What a word should hold.
#[derive(Debug, Clone, PartialEq)]
struct Model {
    key: Vec<u8>,
    value: Vec<u8>,
    is_int: bool,
    expire_at_ms: Option<u64>,
    clock: u32,
}

#[derive(Debug, Clone)]
enum Op {
    WriteInt(i64, Option<u64>),
    WriteBytes(Vec<u8>, Option<u64>),
    SetExpire(Option<u64>),
    Append(Vec<u8>),
    Grow(usize),
    Poke(usize, u8),
    Rekey(Vec<u8>),
    SetClock(u32),
    Copy,
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let around_large = (LARGE_BYTES - 3..LARGE_BYTES + 3).prop_map(|len| vec![b'x'; len]);
    prop_oneof![
        6 => prop::collection::vec(any::<u8>(), 0..120),
        1 => prop::collection::vec(any::<u8>(), 4000..5000),
        1 => around_large,
    ]
}

fn op() -> impl Strategy<Value = Op> {
    let expire = || prop::option::of(any::<u64>());
    prop_oneof![
        (any::<i64>(), expire()).prop_map(|(int, at)| Op::WriteInt(int, at)),
        (value(), expire()).prop_map(|(bytes, at)| Op::WriteBytes(bytes, at)),
        expire().prop_map(Op::SetExpire),
        value().prop_map(Op::Append),
        prop_oneof![0usize..200, 0..LARGE_BYTES * 2].prop_map(Op::Grow),
        (0usize..100, any::<u8>()).prop_map(|(at, byte)| Op::Poke(at, byte)),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(Op::Rekey),
        (0u32..1 << 24).prop_map(Op::SetClock),
        Just(Op::Copy),
    ]
}

impl Model {
    fn apply(&mut self, op: &Op) {
        match op {
            Op::WriteInt(int, at) => {
                (self.value, self.is_int) = (int.to_string().into_bytes(), true);
                self.expire_at_ms = *at;
            }
            Op::WriteBytes(bytes, at) => {
                (self.value, self.is_int) = (bytes.clone(), false);
                self.expire_at_ms = *at;
            }
            Op::SetExpire(at) => self.expire_at_ms = *at,
            Op::Append(tail) => {
                self.value.extend_from_slice(tail);
                self.is_int = false;
            }
            Op::Grow(len) => {
                self.value.resize(self.value.len().max(*len), 0);
                self.is_int = false;
            }
            Op::Poke(at, byte) => {
                self.is_int = false;
                if let Some(place) = self.value.get_mut(*at) {
                    *place = *byte;
                }
            }
            Op::Rekey(key) => self.key = key.clone(),
            Op::SetClock(clock) => self.clock = *clock,
            Op::Copy => {}
        }
    }
}

fn apply(mut word: Word, op: &Op) -> Word {
    match op {
        Op::WriteInt(int, at) => word.write(Payload::Int(*int), *at),
        Op::WriteBytes(bytes, at) => word.write(Payload::Bytes(bytes), *at),
        Op::SetExpire(at) => word.set_expire(*at),
        Op::Append(tail) => {
            word.append(tail);
        }
        Op::Grow(len) => {
            word.bytes_mut(*len);
        }
        Op::Poke(at, byte) => {
            if let Some(place) = word.bytes_mut(0).get_mut(*at) {
                *place = *byte;
            }
        }
        Op::Rekey(key) => {
            let fragment = word.fragment();
            word = word.rekeyed(fragment, key);
        }
        Op::SetClock(clock) => word.set_clock(*clock),
        Op::Copy => {
            let fragment = word.fragment();
            let copy = Word::copy_of(word.entry());
            drop(word);
            let key = copy.entry().key().to_vec();
            word = copy.rekeyed(fragment, &key);
        }
    }
    word
}

fn seen(word: &Word) -> Model {
    let entry = word.entry();
    assert_eq!(word.is_volatile(), entry.expire_at_ms().is_some());
    let (value, is_int) = match entry.payload() {
        Payload::Int(int) => (int.to_string().into_bytes(), true),
        Payload::Bytes(bytes) => (bytes.to_vec(), false),
    };
    Model {
        key: entry.key().to_vec(),
        value,
        is_int,
        expire_at_ms: entry.expire_at_ms(),
        clock: entry.clock(),
    }
}

proptest! {
    #[test]
    fn a_word_says_what_the_model_says(
        key in prop::collection::vec(any::<u8>(), 0..40),
        fragment in 0u16..1 << FRAGMENT_BITS,
        ops in prop::collection::vec(op(), 0..40),
    ) {
        let mut word = Word::new(fragment, &key, Payload::Int(7), None);
        let mut model =
            Model { key, value: b"7".to_vec(), is_int: true, expire_at_ms: None, clock: 0 };
        for op in &ops {
            word = apply(word, op);
            model.apply(op);
            prop_assert_eq!(&seen(&word), &model, "after {:?}", op);
            prop_assert_eq!(word.fragment(), fragment);
        }
    }
}

#[test]
fn a_small_entry_takes_one_size_class() {
    #[track_caller]
    fn check(key_len: usize, value: Payload<'_>, expire_at_ms: Option<u64>, bytes: usize) {
        let word = Word::new(0, &vec![b'k'; key_len], value, expire_at_ms);
        assert_eq!(word.entry().bytes(), bytes);
    }
    check(16, Payload::Bytes(&[0; 64]), None, 96);
    check(16, Payload::Bytes(&[0; 64]), Some(1), 112);
    check(16, Payload::Int(1), None, 48);
    check(0, Payload::Bytes(b""), None, 16);
    check(
        16,
        Payload::Bytes(&[0; LARGE_BYTES + 1]),
        None,
        48 + 32 + LARGE_BYTES + 4096,
    );
}

#[test]
fn appending_to_a_large_string_moves_it_seldom() {
    let mut word = Word::new(0, b"k", Payload::Bytes(b""), None);
    let mut moves = 0;
    let mut before = 0;
    for _ in 0..100_000 {
        word.append(&[b'x'; 100]);
        let now = word.entry().bytes();
        moves += u32::from(now != before);
        before = now;
    }
    assert!(moves < 100, "{moves} moves for 10 MB in steps of 100 B");
    assert!(before < 13_000_000, "{before} bytes for 10 MB");
}

#[test]
fn detached_words_may_cross_threads() {
    fn check<T: Send>() {}
    check::<Word>();
}
