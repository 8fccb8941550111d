//! The file before and after, and that what is written is read back as the same values.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::{Change, Effect, Layers, load};

fn loaded(text: &str, flags: &[(String, String)]) -> Settings {
    let file = Some((Path::new("/c.toml"), text));
    load(&Layers {
        cwd: Path::new("/"),
        file,
        env: &[],
        flags,
    })
    .unwrap()
    .settings
}

fn set(settings: &mut Settings, pairs: &[(&str, &str)]) {
    let pairs: Vec<(&[u8], &[u8])> = pairs
        .iter()
        .map(|(k, v)| (k.as_bytes(), v.as_bytes()))
        .collect();
    settings.set(&pairs).unwrap();
}

#[track_caller]
fn check(old: &str, changes: &[(&str, &str)], want: &str) {
    let mut settings = loaded(old, &[]);
    set(&mut settings, changes);
    assert_eq!(rewrite(old, &settings).unwrap(), want);
}

#[test]
fn comments_order_and_spelling_stay() {
    let old = "# My server.\nport = 7000 # not the usual one\n\nmaxmemory = \"100mb\"   # half\ntimeout=5\n# the end\n";
    check(
        old,
        &[("maxmemory", "200mb"), ("timeout", "60")],
        "# My server.\nport = 7000 # not the usual one\n\nmaxmemory = \"200mb\"   # half\ntimeout=60\n# the end\n",
    );
    check(old, &[], old);
}

#[test]
fn the_form_in_the_file_is_kept() {
    check(
        "maxmemory = 1000\n",
        &[("maxmemory", "1mb")],
        "maxmemory = 1048576\n",
    );
    check(
        "latency-tracking = \"yes\"\n",
        &[("latency-tracking", "no")],
        "latency-tracking = \"no\"\n",
    );
    check(
        "latency-tracking = true\n",
        &[("latency-tracking", "no")],
        "latency-tracking = false\n",
    );
    check(
        "slave-read-only = true\n",
        &[("replica-read-only", "no")],
        "slave-read-only = false\n",
    );
    check(
        "active_expire_effort = 2\n",
        &[("active-expire-effort", "3")],
        "active_expire_effort = 3\n",
    );
}

#[test]
fn what_is_new_is_added_and_defaults_are_not() {
    check(
        "",
        &[("maxmemory", "1gb"), ("timeout", "9")],
        "timeout = 9\nmaxmemory = \"1gb\"\n",
    );
    check("", &[("save", "900 1 300 10")], "save = \"900 1 300 10\"\n");
    let mut settings = Settings::default();
    set(&mut settings, &[("timeout", "9")]);
    set(&mut settings, &[("timeout", "0")]);
    assert_eq!(rewrite("", &settings).unwrap(), "");
    assert_eq!(
        rewrite("timeout = 9\n", &settings).unwrap(),
        "timeout = 0\n"
    );
}

#[test]
fn flags_and_variables_are_not_written() {
    let old = "timeout = 1\n";
    let settings = loaded(
        old,
        &[
            ("timeout".into(), "2".into()),
            ("requirepass".into(), "secret".into()),
        ],
    );
    assert_eq!(rewrite(old, &settings).unwrap(), old);
}

#[test]
fn what_cannot_be_written() {
    let mut settings = Settings::default();
    settings.set(&[(b"requirepass", b"\xff\x00")]).unwrap();
    let error = rewrite("", &settings).unwrap_err().to_string();
    assert_eq!(error, "requirepass is not UTF-8 text, which TOML needs");
    let error = rewrite("port = 1\n= 2\n", &settings)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("line 2 is not valid TOML: "), "{error}");
}

/// A live setting and a text that it takes.
fn change() -> impl Strategy<Value = (&'static str, String)> {
    let live: Vec<_> = SETTINGS
        .iter()
        .filter(|s| s.change == Change::Live && s.check.is_none())
        .collect();
    (
        proptest::sample::select(live),
        any::<u64>(),
        "[ -~äß\"\\\\]{0,12}",
    )
        .prop_map(|(setting, number, text)| {
            use crate::Kind::*;
            let value = match setting.kind {
                Bool => if number.is_multiple_of(2) {
                    "yes"
                } else {
                    "no"
                }
                .to_owned(),
                Int { min, max } => (i128::from(min)
                    + i128::from(number) % (i128::from(max) - i128::from(min) + 1))
                    .to_string(),
                Bytes { min, max } => (min + number % (max - min)).to_string(),
                BytesOrAuto => {
                    if number.is_multiple_of(7) {
                        "auto".to_owned()
                    } else {
                        number.to_string()
                    }
                }
                BytesOrPercent => format!("{}%", number % 101),
                Word(words) => words[number as usize % words.len()].to_owned(),
                Text | Secret => text,
                SomeText => format!("x{text}"),
                OutputLimits => format!("pubsub {number} {} 7", number / 2),
                SavePoints => format!("{} {number}", number / 2 + 1),
                Events => "KEA".to_owned(),
                Percentiles => format!("{} 99.9", number % 100),
                Ints { .. } => format!("1 2 {}", number % 2000),
                Mode | IntOrAuto { .. } | Words(_) | Path | Addresses => setting.default.to_owned(),
            };
            (setting.name, value)
        })
}

proptest! {
    /// A rewritten file is read as the values that were running, whatever stood in it before.
    #[test]
    fn what_is_written_is_read_back(before in prop::collection::vec(change(), 0..6), after in prop::collection::vec(change(), 0..12)) {
        let mut settings = Settings::default();
        for (name, value) in &before {
            settings.set(&[(name.as_bytes(), value.as_bytes())]).unwrap();
        }
        let old = rewrite("# start\n", &settings).unwrap();
        let mut settings = loaded(&old, &[]);
        for (name, value) in &after {
            settings.set(&[(name.as_bytes(), value.as_bytes())]).unwrap();
        }
        let new = loaded(&rewrite(&old, &settings).unwrap(), &[]);
        for setting in SETTINGS.iter().filter(|s| s.effect == Effect::Acts || s.change == Change::Live) {
            prop_assert_eq!(new.value(setting.name), settings.value(setting.name), "{}", setting.name);
        }
    }
}
