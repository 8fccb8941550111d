//! The operator: sends other people's connections about, counts, and says when it is enough.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use corelane_wire::{Value, encode_command};

use crate::crowd::Options;
use crate::report::Report;
use crate::wire::Line;

/// A connection of its own.
pub(crate) struct Operator {
    line: Line,
    rng: fastrand::Rng,
    /// What the server had counted before.
    before: BTreeMap<String, u64>,
}

/// How often both are read until they agree.
const LOOKS: usize = 1000;

/// Every how many orders the server's own counters are read.
const LOOK_EVERY: u32 = 64;

impl Operator {
    /// An operator that counts from here.
    pub(crate) fn new(line: Line, seed: u64) -> Result<Self, String> {
        let mut operator = Self {
            line,
            rng: fastrand::Rng::with_seed(seed),
            before: BTreeMap::new(),
        };
        operator.before = operator.moves()?;
        Ok(operator)
    }

    /// Sends connections to random shards until the server has counted `moves`.
    pub(crate) fn conduct(
        &mut self,
        ids: &[AtomicI64],
        options: &Options,
        enough: &AtomicBool,
    ) -> Result<(), String> {
        while !enough.load(Ordering::Relaxed) {
            for _ in 0..LOOK_EVERY {
                self.order(ids, options.shards)?;
            }
            if self.moves()?.get("connections_moved").copied() >= Some(options.moves) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Some connections go to one shard.
    fn order(&mut self, ids: &[AtomicI64], shards: usize) -> Result<(), String> {
        let mut words = vec!["CLIENT".to_owned(), "MIGRATE".to_owned()];
        words.push(self.rng.usize(..shards).to_string());
        words.push("ID".to_owned());
        for _ in 0..self.rng.usize(1..=3) {
            let id = ids[self.rng.usize(..ids.len())].load(Ordering::Relaxed);
            words.push(id.to_string());
        }
        match self.call(&words)? {
            Value::Int(0..) => Ok(()),
            other => Err(format!("{} was answered with {other:?}", words.join(" "))),
        }
    }

    /// When all is quiet: what the server has counted, and what `CLIENT LIST` tells, which must be the same.
    pub(crate) fn count(&mut self, ids: &[AtomicI64]) -> Result<Report, String> {
        let mut report = Report::default();
        for _ in 0..LOOKS {
            report.moves = self.moves()?;
            report.listed_moves = self.listed_moves(ids)?;
            if report.moved() == report.listed_moves {
                return Ok(report);
            }
            // Orders that were given last may still be carried out.
            std::thread::yield_now();
        }
        let (counted, listed) = (report.moved(), report.listed_moves);
        let problem = format!("INFO counts {counted} moves, and CLIENT LIST tells of {listed}");
        report.wrong.push(problem);
        Ok(report)
    }

    /// What the server has counted since.
    fn moves(&mut self) -> Result<BTreeMap<String, u64>, String> {
        let info = self.text(&["INFO", "shards"])?;
        let named = |name: &str| name.starts_with("connection") && name.contains("mov");
        let pairs = info
            .lines()
            .filter_map(|line| line.trim_end().split_once(':'));
        let numbers = pairs.filter(|(name, _)| named(name));
        let read = |(name, value): (&str, &str)| {
            let before = self.before.get(name).copied().unwrap_or(0);
            Some((name.to_owned(), value.parse::<u64>().ok()? - before))
        };
        Ok(numbers.filter_map(read).collect())
    }

    /// Everybody is listed once, and moves as told there add up: their sum.
    fn listed_moves(&mut self, ids: &[AtomicI64]) -> Result<u64, String> {
        let list = self.text(&["CLIENT", "LIST"])?;
        for id in ids {
            let id = id.load(Ordering::Relaxed);
            let lines = list
                .lines()
                .filter(|line| line.contains(&format!("id={id} ")));
            let count = lines.count();
            if count != 1 {
                return Err(format!("client {id} is listed {count} times"));
            }
        }
        let field = |line: &str| {
            let value = line.split(" moves=").nth(1)?;
            value.split(' ').next()?.trim().parse::<u64>().ok()
        };
        Ok(list.lines().filter_map(field).sum())
    }

    fn text(&mut self, words: &[&str]) -> Result<String, String> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        let reply = self.call(&words)?;
        let bytes = reply.as_bytes();
        let bytes = bytes.ok_or_else(|| format!("{} is no text: {reply:?}", words.join(" ")))?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    fn call(&mut self, words: &[String]) -> Result<Value, String> {
        let mut bytes = Vec::new();
        encode_command(&mut bytes, words);
        self.line.write(&bytes)?;
        self.line.reply()
    }
}
