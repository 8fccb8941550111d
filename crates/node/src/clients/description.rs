//! A client as `CLIENT LIST` and `CLIENT INFO` show it.

use corelane_wire::Proto;
use corelane_wire::spec::CommandSpec;

use super::client::Client;
use super::list::ClientId;

/// A copy of a client's state that can cross to another shard.
#[derive(Debug, Clone)]
pub struct ClientInfo {
    /// Its number.
    pub id: ClientId,
    /// The line of `CLIENT LIST`, without its end.
    pub line: String,
}

impl Client {
    /// The line that `CLIENT LIST` and `CLIENT INFO` show, with Redis's field names plus `shard`.
    pub fn describe(&self, now_ms: u64) -> ClientInfo {
        let names = self.names();
        let name = String::from_utf8_lossy(&names.name);
        let [lib_name, lib_ver] = names
            .library
            .each_ref()
            .map(|part| String::from_utf8_lossy(part));
        let seconds = |since: u64| now_ms.saturating_sub(since) / 1000;
        let mut flags = String::new();
        for (set, letter) in [(self.no_evict.get(), 'e'), (self.unix, 'U')] {
            if set {
                flags.push(letter);
            }
        }
        if flags.is_empty() {
            flags.push('N');
        }
        let resp = match self.proto.get() {
            Proto::Resp2 => 2,
            Proto::Resp3 => 3,
        };
        let command = self.last_command.get().map(CommandSpec::full_name);
        let line = format!(
            "id={} addr={} laddr={} fd=-1 name={name} age={} idle={} flags={flags} db={} sub=0 psub=0 ssub=0 \
             multi=-1 qbuf={} qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem={} \
             tot-mem={} events=r cmd={} user=default redir=-1 resp={resp} lib-name={lib_name} \
             lib-ver={lib_ver} shard={} moves={} routing={}",
            self.id.0,
            self.peer,
            self.local,
            seconds(self.since_ms),
            seconds(self.active_ms.get()),
            self.db.get(),
            self.query_bytes.get(),
            self.output.get().bytes,
            self.memory_bytes(),
            command.as_deref().unwrap_or("NULL"),
            self.shard().number(),
            self.moves(),
            self.course.shown(),
        );
        ClientInfo { id: self.id, line }
    }
}
