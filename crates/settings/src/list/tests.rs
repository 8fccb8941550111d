//! What must hold of every block.

use std::collections::BTreeSet;

use super::*;
use crate::{Change, Effect, Group, Kind, Shown, Value, find};

#[test]
fn every_name_is_there_once() {
    let mut seen = BTreeSet::new();
    for name in SETTINGS.iter().flat_map(Setting::names) {
        assert!(seen.insert(name), "'{name}' is listed twice");
        assert_eq!(name, name.to_ascii_lowercase());
    }
}

#[test]
fn every_default_is_a_value_that_passes_its_check() {
    for setting in &SETTINGS {
        let value = setting.default_value();
        if let Some(check) = setting.check {
            assert_eq!(check(&value), Ok(()), "{}", setting.name);
        }
    }
}

#[test]
fn every_value_reads_its_own_text_back() {
    for setting in &SETTINGS {
        let value = setting.default_value();
        let again = setting.kind.parse(&value.to_bytes(), Some(&value)).unwrap();
        assert_eq!(again, value, "{}", setting.name);
    }
}

#[test]
fn every_setting_says_what_it_does() {
    for setting in &SETTINGS {
        assert!(
            setting.doc.ends_with('.') && setting.doc.len() > 15,
            "{}",
            setting.name
        );
        assert!(
            setting.shown != Shown::Main || setting.effect == Effect::Acts,
            "{}",
            setting.name
        );
    }
}

#[test]
fn names_are_found_in_any_spelling() {
    let rows = [
        ("cpu-allocation", Some("cpu-allocation")),
        ("CPU_Allocation", Some("cpu-allocation")),
        ("slave-read-only", Some("replica-read-only")),
        ("lua-time-limit", Some("busy-reply-threshold")),
        ("no-such-thing", None),
        ("", None),
    ];
    for (name, want) in rows {
        assert_eq!(find(name).map(|(_, s)| s.name), want, "{name:?}");
    }
}

#[test]
fn derived_names() {
    let setting = find("maxmemory-policy").unwrap().1;
    assert_eq!(setting.env_name(), "CORELANE_MAXMEMORY_POLICY");
    assert_eq!(setting.flag_name(), "--maxmemory-policy");
}

/// A run-time `dir` or file name is how servers of this kind were made to overwrite others' files. Certificates are only
/// read, and must be replaced without a restart.
#[test]
fn paths_are_given_at_start_only() {
    for setting in &SETTINGS {
        let path = matches!(setting.kind, Kind::Path) || setting.name.ends_with("filename");
        let only_read = setting.group == Group::Tls;
        assert!(
            !path || only_read || setting.change == Change::Start,
            "{}",
            setting.name
        );
    }
}

#[test]
fn what_is_not_there_is_refused_rather_than_promised() {
    for (name, text) in [
        ("maxmemory-policy", "allkeys-lru"),
        ("activedefrag", "yes"),
        ("cluster-enabled", "yes"),
        ("replicaof", "127.0.0.1 6379"),
        ("daemonize", "yes"),
        ("dbfilename", "../x.rdb"),
        ("shutdown-on-sigint", "save nosave"),
    ] {
        let setting = find(name).unwrap().1;
        let value: Value = setting.kind.parse(text.as_bytes(), None).unwrap();
        assert!(setting.check.unwrap()(&value).is_err(), "{name} {text}");
    }
}
