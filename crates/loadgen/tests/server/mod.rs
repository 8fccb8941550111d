//! A server for tests: a map behind blocking sockets, one thread per connection, faults to choose.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use corelane_wire::{Args, Limits, Parsed, Parser, Proto, Reply};

/// What the server does wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behaviour {
    /// Nothing.
    Good,
    /// GET brings the value of another key.
    MixedUpValues,
    /// Every reply is an error.
    Errors,
    /// The first connection is closed after so many commands.
    ClosesFirstAfter(usize),
    /// No replies on any connection after so many commands.
    SilentAfter(usize),
    /// Replies that are no protocol.
    Garbage,
    /// Each command takes so long.
    Slow(Duration),
}

/// A running server. Its threads end when their connections do.
pub(crate) struct Server {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    behaviour: Behaviour,
    map: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
    commands: AtomicUsize,
    stop: AtomicBool,
}

impl Server {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            behaviour,
            map: Mutex::default(),
            commands: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let acceptor = shared.clone();
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                if acceptor.stop.load(Ordering::Relaxed) {
                    return;
                }
                let shared = acceptor.clone();
                std::thread::spawn(move || shared.serve(stream.unwrap(), number));
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// All keys that were written.
    pub(crate) fn keys(&self) -> Vec<Vec<u8>> {
        self.shared.map.lock().unwrap().keys().cloned().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        // Wakes the acceptor.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream, number: usize) {
        stream.set_nodelay(true).unwrap();
        let (mut parser, mut proto) = (Parser::new(), Proto::Resp2);
        let (mut input, mut out, mut served) = (Vec::new(), Vec::new(), 0);
        let mut chunk = vec![0; 4096];
        loop {
            let Ok(bytes @ 1..) = stream.read(&mut chunk) else {
                return;
            };
            input.extend_from_slice(&chunk[..bytes]);
            while let Parsed::Command { consumed } =
                parser.parse(&input, &Limits::default()).unwrap()
            {
                served += 1;
                if matches!(self.behaviour, Behaviour::ClosesFirstAfter(n) if number == 0 && served > n)
                {
                    return;
                }
                self.reply(&parser.args(&input), &mut proto, &mut out);
                input.drain(..consumed);
            }
            // In two pieces, so that replies are cut anywhere.
            let (head, tail) = out.split_at(out.len() / 3);
            if stream
                .write_all(head)
                .and_then(|()| stream.write_all(tail))
                .is_err()
            {
                return;
            }
            out.clear();
        }
    }

    fn reply(&self, args: &Args<'_>, proto: &mut Proto, out: &mut Vec<u8>) {
        let commands = self.commands.fetch_add(1, Ordering::Relaxed);
        match self.behaviour {
            Behaviour::Errors => return Reply::new(out, *proto).error("OOM command not allowed"),
            Behaviour::Garbage => return out.extend_from_slice(b"what?\r\n"),
            Behaviour::SilentAfter(n) if commands >= n => return,
            Behaviour::Slow(time) => std::thread::sleep(time),
            _ => {}
        }
        if args.name() == b"HELLO" {
            *proto = Proto::Resp3;
        }
        let mut reply = Reply::new(out, *proto);
        let mut map = self.map.lock().unwrap();
        match args.name() {
            b"GET" => {
                let wrong = matches!(self.behaviour, Behaviour::MixedUpValues);
                let value = if wrong {
                    map.values().next()
                } else {
                    map.get(&args[1])
                };
                match value {
                    Some(value) => reply.bulk(value),
                    None => reply.null(),
                }
            }
            b"SET" => {
                map.insert(args[1].to_vec(), args[2].to_vec());
                reply.ok();
            }
            b"HELLO" => reply.map(0),
            _ => reply.simple("PONG"),
        }
    }
}
