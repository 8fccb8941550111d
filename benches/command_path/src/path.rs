//! A store with its keys, and the way of one request after the other through all stages.

use std::hint::black_box;

use corelane_store::{COMMANDS, Command, Data, Effects, Exec, Keyspace, Limits, Outcome, Touched};
use corelane_wire::frame::Value;
use corelane_wire::{Args, Decoder, Parsed, Parser, Proto, Reply, encode_command};

use crate::kinds::{Kind, REQUESTS, VALUE_BYTES, key};
use crate::stages::{stage_execute, stage_parse, stage_reply, stage_route};

/// The time that all commands see: any will do, as long as it is always the same.
const NOW_MS: u64 = 1_800_000_000_000;

/// One shard's data with what its commands need around it.
struct Store {
    space: Keyspace,
    effects: Effects,
    touched: Touched,
    rng: fastrand::Rng,
    limits: Limits,
    out: Vec<u8>,
}

/// Sends all requests of a kind through all stages.
pub(crate) fn run(kind: &Kind) -> Result<(), String> {
    let command = COMMANDS
        .iter()
        .copied()
        .find(|c| c.spec.name.eq_ignore_ascii_case(kind.words[0]));
    let requests: Vec<Vec<u8>> = (0..REQUESTS).map(|n| encode(&kind.request(n))).collect();
    let mut store = Store::filled()?;
    let mut parser = Parser::new();
    let limits = corelane_wire::Limits::default();
    for (n, request) in requests.iter().enumerate() {
        match stage_parse(&mut parser, black_box(request), &limits) {
            Ok(Parsed::Command { consumed }) if consumed == request.len() => {}
            other => return Err(format!("request {n} is parsed as {other:?}")),
        }
        let args = parser.args(request);
        store.out.clear();
        match command {
            Some(command) => store.execute(command, args)?,
            // Answered by the connection, not by the store.
            None => Reply::new(&mut store.out, Proto::Resp2).simple("PONG"),
        }
        if n == 0 && !store.out.starts_with(kind.reply.as_bytes()) {
            return Err(format!(
                "wrong reply {:?}",
                String::from_utf8_lossy(&store.out)
            ));
        }
        store.write_again()?;
    }
    Ok(())
}

impl Store {
    /// A store with the keys that the kinds name.
    fn filled() -> Result<Self, String> {
        let mut store = Self {
            space: Keyspace::new(16, 1),
            effects: Effects::default(),
            touched: Touched::default(),
            rng: fastrand::Rng::with_seed(1),
            limits: Limits::default(),
            out: Vec::new(),
        };
        let set = COMMANDS
            .iter()
            .find(|c| c.spec.name == "set")
            .ok_or("there is no SET")?;
        let value = [b'x'; VALUE_BYTES];
        for n in 0..REQUESTS {
            for (kind, value) in [("key", &value[..]), ("counter", b"1000000")] {
                let request = encode(&[b"SET".to_vec(), key(kind, n), value.to_vec()]);
                let mut parser = Parser::new();
                let parsed = parser.parse(&request, &corelane_wire::Limits::default());
                parsed.map_err(|error| error.to_string())?;
                store.fill(set, parser.args(&request))?;
            }
        }
        Ok(store)
    }

    /// As [`Store::execute`], but not counted.
    fn fill(&mut self, command: &Command, args: Args<'_>) -> Result<(), String> {
        let slot = corelane_wire::slot_of(&args[1]);
        self.with_exec(slot, |exec| done(exec.run(command, args)))
    }

    fn execute(&mut self, command: &Command, args: Args<'_>) -> Result<(), String> {
        let slot = stage_route(black_box(args));
        self.with_exec(slot, |exec| {
            done(stage_execute(exec, command, black_box(args)))
        })
    }

    fn with_exec<T>(&mut self, slot: u16, run: impl FnOnce(&mut Exec<'_>) -> T) -> T {
        let mut exec = Exec {
            data: Data {
                space: &mut self.space,
                effects: &mut self.effects,
                touched: &mut self.touched,
                now_ms: NOW_MS,
                db: 0,
                first_slot: Some(slot),
            },
            reply: Reply::new(&mut self.out, Proto::Resp2),
            rng: &mut self.rng,
            limits: &self.limits,
        };
        let result = run(&mut exec);
        self.effects.clear();
        self.touched.clear();
        result
    }

    /// Writes the reply that stands in `out` once more, by itself.
    fn write_again(&mut self) -> Result<(), String> {
        let decoded = Decoder::new()
            .decode(&self.out)
            .map_err(|error| error.to_string())?;
        let (value, _): (Value, usize) = decoded.ok_or("half a reply")?;
        self.out.clear();
        stage_reply(
            &mut Reply::new(&mut self.out, Proto::Resp2),
            black_box(&value),
        );
        Ok(())
    }
}

/// None of the kinds works in slices.
fn done(outcome: Outcome) -> Result<(), String> {
    match outcome {
        Outcome::Done => Ok(()),
        Outcome::More(_) => Err("the command wants to go on in slices".into()),
    }
}

fn encode(words: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    encode_command(&mut out, words);
    out
}

#[cfg(test)]
mod tests {
    use super::run;
    use crate::kinds::KINDS;

    #[test]
    fn every_kind_gets_the_reply_it_names() {
        for kind in KINDS {
            run(kind).unwrap_or_else(|problem| panic!("{}: {problem}", kind.name));
        }
    }
}
