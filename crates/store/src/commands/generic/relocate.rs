//! `MOVE` (a keyword in Rust, hence the file's name).

use crate::commands::errors::{SAME_OBJECT, database};
use crate::commands::prelude::*;

/// `MOVE key db`
pub(crate) static MOVE: Command = Command {
    spec: CommandSpec {
        name: "move",
        arity: 3,
        flags: F::WRITE.with(F::FAST),
        categories: C::KEYSPACE,
        keys: &[KeySpec::at(1).flags(K::RW.with(K::ACCESS).with(K::UPDATE))],
        group: Group::Generic,
        since: "1.0.0",
        summary: "Moves a key to another database.",
        complexity: "O(1)",
        args: &[Arg::key("key", 0), Arg::integer("db")],
        ..CommandSpec::BASE
    },
    split: Split::Single,
    run: relocate,
};

fn relocate(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    let to = match database(args.at(2), exec.data.space.databases()) {
        Ok(db) if db == exec.data.db => return refuse(exec, SAME_OBJECT),
        Ok(db) => db,
        Err(error) => return refuse(exec, error),
    };
    let moved = move_key(exec, args.at(1), to);
    exec.reply.int(moved.into());
    Outcome::Done
}

fn move_key(exec: &mut Exec<'_>, name: &[u8], to: u16) -> bool {
    let key = exec.data.first_key(name);
    if exec.data.get(&key).is_none() || exec.data.in_db(to).contains(&key) {
        return false;
    }
    let Some(value) = exec.data.take(&key) else {
        return false;
    };
    exec.data.as_given();
    let mut target = exec.data.in_db(to);
    target.put(&key, value);
    target.touch(&key, Event::NEW);
    exec.data.touch(&key, Event::MOVE_FROM);
    exec.data.in_db(to).touch(&key, Event::MOVE_TO);
    true
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn moves_between_databases() {
        check(&[
            ("MOVE a 1", ":0"),
            ("SET a x EX 10", "+OK"),
            ("MOVE a 1", ":1"),
            ("EXISTS a", ":0"),
            ("SET a y", "+OK"),
            ("MOVE a 1", ":0"),
            ("SELECT 1", "+OK"),
            ("GET a", "$1 x"),
            ("TTL a", ":10"),
            (
                "MOVE a 1",
                "-ERR source and destination objects are the same",
            ),
            ("MOVE a x", "-ERR value is not an integer or out of range"),
            ("MOVE a 16", "-ERR DB index is out of range"),
            ("ADVANCE 10001", ""),
            ("SELECT 0", "+OK"),
            ("MOVE a 1", ":1"),
        ]);
    }

    #[test]
    fn effects() {
        check_effects(&[
            ("SET a x", "SET a x"),
            ("MOVE a 1", "MOVE a 1"),
            ("SET a x", "SET a x"),
            ("MOVE a 1", ""),
        ]);
    }
}
