//! A history that cannot be, told so that a person sees why: shrunk to what matters, in the order of the calls, with
//! how far the best explanation comes.

use std::fmt::Write;

use corelane_wire::Value;

use crate::check::{End, Op, shrink};
use crate::drive::KeyOp;
use crate::model::{Group, Names, Strings};
use crate::plan::{Keyspace, shorten};

/// Tells why `history` of `object` cannot be, which was seen within `bound` configurations.
pub(crate) fn tell(keyspace: &Keyspace, object: usize, history: &[KeyOp], bound: usize) -> String {
    let name = keyspace.name(object);
    let start = keyspace.start(object);
    let mut text = format!("no order of what clients did to {name} explains their replies\n");
    let Some(shrunk) = shrink::<Strings>(&start, history, bound) else {
        let all = history.len();
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  ({all} operations, too entangled to be made fewer)");
        return text;
    };
    let names = keyspace.names(object);
    let _ = writeln!(
        text,
        "of {} operations these {} are impossible together (µs, connection, command, reply):",
        history.len(),
        shrunk.history.len()
    );
    let place = |index: usize| shrunk.why.order.iter().position(|op| *op == index);
    let mut lines: Vec<usize> = (0..shrunk.history.len()).collect();
    lines.sort_by_key(|index| shrunk.history[*index].called_ns);
    for index in lines {
        let mark = match place(index) {
            Some(place) => format!("{:>4}", place + 1),
            None if shrunk.why.stuck.contains(&index) => "   ?".to_owned(),
            None => "    ".to_owned(),
        };
        let _ = writeln!(text, "{mark}  {}", line(&shrunk.history[index], &names));
    }
    let _ = writeln!(
        text,
        "in the order of the numbers all fits, and leaves {}; then none of those with ? does",
        state(&shrunk.why.state, &names)
    );
    text
}

fn line(op: &Op<crate::model::Action, Value>, names: &Names) -> String {
    let words = op.action.words(names);
    let words: Vec<_> = words
        .iter()
        .map(|word| String::from_utf8_lossy(word))
        .collect();
    let called = op.called_ns / 1000;
    let (over, reply) = match &op.end {
        End::Replied { at_ns, reply } => (micros(*at_ns), format!("{reply:?}")),
        End::Done { by_ns } => (micros(*by_ns), "done".to_owned()),
        End::Open => ("…".to_owned(), "nobody knows".to_owned()),
    };
    let command = shorten(words.join(" "));
    let reply = shorten(reply);
    format!(
        "{called:>9}–{over:<9} {:>3}  {command} → {reply}",
        op.process
    )
}

fn micros(ns: u64) -> String {
    (ns / 1000).to_string()
}

fn state(group: &Group, names: &Names) -> String {
    let mut text = String::new();
    for (entry, name) in group.iter().zip(names) {
        let name = String::from_utf8_lossy(name);
        let value = match entry {
            None => "missing".to_owned(),
            Some(entry) => {
                let expires = if entry.expires { " (expires)" } else { "" };
                let value = format!("{:?}", String::from_utf8_lossy(&entry.value));
                format!("{}{expires}", shorten(value))
            }
        };
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{comma}{name} = {value}");
    }
    text
}
