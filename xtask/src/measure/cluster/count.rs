//! Counts a server's instructions, under a load that is the same each time.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use corelane_wire::slot::slot_of;
use corelane_wire::{encode_command, skip};

use super::contest::Options;
use super::way::Way;
use crate::measure::server::{Programs, Server, Start};
use crate::server::Client;

/// Keys of the counted requests.
const COUNTED_KEYS: u64 = 5000;

/// What is counted of a server's life: from the bytes of a read to the replies. What shards do beside, such as the search for
/// expired keys, goes by the clock.
const COUNTED: &str = "--toggle-collect=corelane_front::resp::session::Session::feed_chunk";

/// Instructions per request of each command: those of a server that was filled and then asked, less those of one that
/// was filled alone.
pub(super) fn count(
    options: &Options,
    programs: &Programs,
    way: Way,
) -> Result<Vec<(&'static str, f64)>, String> {
    let filled = instructions(options, programs, way, None)?;
    let mut counts = Vec::new();
    for command in ["GET", "SET"] {
        let all = instructions(options, programs, way, Some(command))?;
        counts.push((command, (all - filled) / options.counted as f64));
    }
    Ok(counts)
}

/// Instructions of a server under callgrind, as far as they are counted.
fn instructions(
    options: &Options,
    programs: &Programs,
    way: Way,
    command: Option<&str>,
) -> Result<f64, String> {
    let file: PathBuf = std::env::temp_dir().join(format!("cluster-{}.out", std::process::id()));
    let start = Start {
        programs,
        processors: None,
    };
    let tool = [
        "--tool=callgrind",
        COUNTED,
        &format!("--callgrind-out-file={}", file.display()),
    ];
    // The watch over stalls uses signals, which callgrind does not bear; the ring is no matter of user space.
    let flags = [
        "--shard-ports",
        "auto",
        "--overprovisioned",
        "yes",
        "--io",
        "polling",
        "--stall-threshold-ms",
        "0",
    ];
    let mut server = start.corelane_under(&tool, way.shards(), &flags)?;
    ask(options, way, &server, "SET", COUNTED_KEYS)?;
    if let Some(command) = command {
        ask(options, way, &server, command, options.counted)?;
    }
    server.shut_down()?;
    let text = fs::read_to_string(&file);
    // A file left behind lies in the system's folder for such.
    let _ = fs::remove_file(&file);
    let text = text.map_err(|error| format!("callgrind wrote nothing: {error}"))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
    total
        .and_then(|total| total.trim().parse().ok())
        .ok_or_else(|| "callgrind counted nothing".to_owned())
}

/// Sends so many commands on keys in their order, full pipelines one after the other, each by the port of its owner.
fn ask(
    options: &Options,
    way: Way,
    server: &Server,
    command: &str,
    requests: u64,
) -> Result<(), String> {
    let ports = way.ports(server)?;
    let mut links: BTreeMap<u16, (TcpStream, Vec<u8>, u32)> = BTreeMap::new();
    for request in 0..requests {
        let key = format!("key:{:018}", request % COUNTED_KEYS);
        let port = ports[usize::from(slot_of(key.as_bytes()))];
        let link = match links.entry(port) {
            Entry::Occupied(link) => link.into_mut(),
            Entry::Vacant(place) => {
                place.insert((Client::connect(port)?.into_stream(), Vec::new(), 0))
            }
        };
        let words: &[&[u8]] = match command {
            "GET" => &[b"GET", key.as_bytes()],
            _ => &[b"SET", key.as_bytes(), b"xxx"],
        };
        encode_command(&mut link.1, words.iter().copied());
        link.2 += 1;
        if link.2 == options.pipeline {
            exchange(link)?;
        }
    }
    links.values_mut().try_for_each(exchange)
}

/// Sends what has collected and takes as many replies.
fn exchange((stream, out, commands): &mut (TcpStream, Vec<u8>, u32)) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("the load failed: {error}");
    stream.write_all(out).map_err(failed)?;
    out.clear();
    let mut unread = Vec::new();
    while *commands > 0 {
        let mut chunk = [0; 16 * 1024];
        let bytes = stream.read(&mut chunk).map_err(failed)?;
        if bytes == 0 || chunk[0] == b'-' {
            return Err(format!(
                "a server answered {:?}",
                String::from_utf8_lossy(&chunk[..bytes])
            ));
        }
        unread.extend_from_slice(&chunk[..bytes]);
        while let Ok(Some(length)) = skip(&unread) {
            unread.drain(..length);
            *commands -= 1;
        }
    }
    Ok(())
}
