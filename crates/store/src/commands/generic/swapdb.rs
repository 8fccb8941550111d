//! `SWAPDB`.

use corelane_wire::number::parse_i64;

use crate::commands::errors::database_number;
use crate::commands::prelude::*;
use crate::exec::Fold;

/// `SWAPDB index1 index2`. On all shards, each swapping its own part when its turn comes.
pub(crate) static SWAPDB: Command = Command {
    spec: CommandSpec {
        name: "swapdb",
        arity: 3,
        flags: F::WRITE.with(F::FAST),
        categories: C::KEYSPACE.with(C::DANGEROUS),
        group: Group::Server,
        since: "4.0.0",
        summary: "Exchanges two databases: each connection then sees the other one's keys.",
        complexity: "O(1)",
        args: &[Arg::integer("index1"), Arg::integer("index2")],
        ..CommandSpec::BASE
    },
    split: Split::AllShards(Fold::AllOk),
    run: swapdb,
};

fn swapdb(exec: &mut Exec<'_>, args: Args<'_>) -> Outcome {
    match parse(args, exec.data.space.databases()) {
        Ok((a, b)) => {
            exec.data.space.swap(a, b);
            exec.data.touched.push(a, b"", Event::SWAPDB);
            exec.data.touched.push(b, b"", Event::SWAPDB);
            exec.data.as_given();
            exec.reply.ok();
            Outcome::Done
        }
        Err(error) => refuse(exec, error),
    }
}

/// Both arguments must be numbers before either must be a database's.
fn parse(args: Args<'_>, databases: u16) -> Result<(u16, u16), &'static str> {
    let number = |arg, error| {
        parse_i64(arg)
            .and_then(|n| i32::try_from(n).ok())
            .ok_or(error)
    };
    let a = number(args.at(1), "ERR invalid first DB index")?;
    let b = number(args.at(2), "ERR invalid second DB index")?;
    Ok((
        database_number(a, databases)?,
        database_number(b, databases)?,
    ))
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{check, check_effects};

    #[test]
    fn swapdb() {
        check(&[
            ("SET a 0", "+OK"),
            ("SELECT 1", "+OK"),
            ("MSET a 1 b 1", "+OK"),
            ("SWAPDB 0 1", "+OK"),
            ("MGET a b", "*2 $1 0 nil"),
            ("DBSIZE", ":1"),
            ("SELECT 0", "+OK"),
            ("MGET a b", "*2 $1 1 $1 1"),
            ("SWAPDB 0 0", "+OK"),
            ("DBSIZE", ":2"),
            ("SWAPDB x y", "-ERR invalid first DB index"),
            ("SWAPDB 99 y", "-ERR invalid second DB index"),
            ("SWAPDB 0 99999999999", "-ERR invalid second DB index"),
            ("SWAPDB 0 16", "-ERR DB index is out of range"),
            ("SWAPDB -1 0", "-ERR DB index is out of range"),
        ]);
        check_effects(&[("SWAPDB 0 1", "SWAPDB 0 1"), ("SWAPDB 0 99", "")]);
    }
}
