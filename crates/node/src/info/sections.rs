//! The sections of `INFO`. Names are Redis's wherever the meaning is the same, so that the tools
//! people have keep reading them; what only this server has stands under names of its own.

use corelane::ShardId;
use corelane::tls::Reason;

use super::{Figures, Lines};
use crate::routing::MoveReason;

/// The version of Redis whose commands and replies this server follows.
pub const REDIS_VERSION: &str = "7.0.15";

pub(super) fn server(f: &Figures<'_>, out: &mut Lines) {
    let id = f.identity;
    let uptime_s = f.now_ms.saturating_sub(id.started_ms) / 1000;
    out.line("redis_version", REDIS_VERSION);
    out.line("corelane_version", id.version);
    out.line("redis_mode", f.door.mode());
    out.line("os", &id.system);
    out.line("arch_bits", usize::BITS);
    out.line("multiplexing_api", &id.backend);
    out.line("process_id", id.process_id);
    out.line("run_id", &id.run_id);
    let own_port = id.shard_port(f.first).or(id.tls_shard_port(f.first));
    let own_port = own_port.filter(|_| f.door.is_pinned());
    out.line("tcp_port", own_port.unwrap_or(id.port));
    out.line("server_time_usec", f.now_ms * 1000);
    out.line("uptime_in_seconds", uptime_s);
    out.line("uptime_in_days", uptime_s / 86_400);
    out.line("hz", f.hz);
    out.line("executable", id.executable.display());
    let config = id
        .config_file
        .as_ref()
        .map(|path| path.display().to_string());
    out.line("config_file", config.unwrap_or_default());
    out.line("shards", f.shards);
    out.line("io_shards", f.io_shards);
}

pub(super) fn clients(f: &Figures<'_>, out: &mut Lines) {
    out.line("connected_clients", f.node.clients);
    out.line("maxclients", f.max_clients);
    out.line("client_buffer_bytes", f.node.client_buffer_bytes);
    out.line("blocked_clients", 0);
}

pub(super) fn memory(f: &Figures<'_>, out: &mut Lines) {
    let used = f.node.memory_bytes();
    out.line("used_memory", used);
    out.line("used_memory_human", human(used));
    out.line("used_memory_peak", f.peak_bytes);
    out.line("used_memory_peak_human", human(f.peak_bytes));
    out.line("used_memory_dataset", f.node.used_bytes);
    out.line("used_memory_rss", f.process.resident_bytes);
    out.line("used_memory_rss_human", human(f.process.resident_bytes));
    out.line("total_system_memory", f.identity.total_memory_bytes);
    out.line(
        "total_system_memory_human",
        human(f.identity.total_memory_bytes),
    );
    out.line("maxmemory", f.max_memory_bytes);
    out.line("maxmemory_human", human(f.max_memory_bytes));
    out.line("maxmemory_policy", &f.max_memory_policy);
    out.line("mem_clients_normal", f.node.client_bytes);
    if used > 0 && !f.door.is_pinned() {
        let ratio = f.process.resident_bytes as f64 / used as f64;
        out.line("mem_fragmentation_ratio", format_args!("{ratio:.2}"));
    }
    out.line("mem_allocator", "mimalloc");
}

/// There is no log and no snapshot yet, and so nothing loads, saves or rewrites.
pub(super) fn persistence(_: &Figures<'_>, out: &mut Lines) {
    for name in [
        "loading",
        "rdb_bgsave_in_progress",
        "aof_enabled",
        "aof_rewrite_in_progress",
    ] {
        out.line(name, 0);
    }
}

pub(super) fn stats(f: &Figures<'_>, out: &mut Lines) {
    let (s, rates) = (&f.node.stats, &f.node.rates);
    out.line("total_connections_received", s.connections_received);
    out.line("total_commands_processed", s.commands_processed);
    out.line(
        "instantaneous_ops_per_sec",
        rates.commands_per_s.round() as u64,
    );
    out.line("total_net_input_bytes", s.net_input_bytes);
    out.line("total_net_output_bytes", s.net_output_bytes);
    out.line(
        "instantaneous_input_kbps",
        format_args!("{:.2}", rates.input_bytes_per_s / 1024.0),
    );
    out.line(
        "instantaneous_output_kbps",
        format_args!("{:.2}", rates.output_bytes_per_s / 1024.0),
    );
    out.line("total_reads_processed", s.reads);
    out.line("total_writes_processed", s.writes);
    out.line("rejected_connections", s.connections_rejected);
    out.line("tls_handshakes", s.tls_handshakes);
    out.line("tls_handshakes_resumed", s.tls_resumed);
    out.line("tls_handshakes_failed", s.tls_failures.iter().sum::<u64>());
    out.line("tls_reloads", s.tls_reloads);
    out.line("tls_reloads_failed", s.tls_reloads_failed);
    for (reason, count) in Reason::ALL.iter().zip(s.tls_failures) {
        if count > 0 {
            out.line(format_args!("tls_failed_{}", reason.name()), count);
        }
    }
    out.line("expired_keys", s.expired_keys);
    out.line("evicted_keys", 0);
    out.line("evicted_clients", s.evicted_clients);
    out.line("keyspace_hits", s.keyspace_hits);
    out.line("keyspace_misses", s.keyspace_misses);
    out.line("total_error_replies", s.errors.values().sum::<u64>());
    out.line(
        "client_query_buffer_limit_disconnections",
        s.query_limit_disconnections,
    );
    out.line(
        "client_cross_protocol_disconnections",
        s.cross_protocol_disconnections,
    );
    out.line(
        "client_output_buffer_limit_disconnections",
        s.output_limit_disconnections,
    );
    out.line("client_idle_disconnections", s.idle_disconnections);
    out.line(
        "client_retirement_disconnections",
        s.retirement_disconnections,
    );
    out.line("half_open_disconnections", s.half_open_disconnections);
    out.line("protocol_errors", s.protocol_errors);
    out.line("proxy_protocol_refusals", s.proxy_refusals);
}

pub(super) fn replication(_: &Figures<'_>, out: &mut Lines) {
    out.line("role", "master");
    out.line("connected_slaves", 0);
    out.line("master_repl_offset", 0);
}

pub(super) fn cpu(f: &Figures<'_>, out: &mut Lines) {
    let p = &f.process;
    out.line("used_cpu_sys", format_args!("{:.6}", p.system_s));
    out.line("used_cpu_user", format_args!("{:.6}", p.user_s));
    out.line(
        "used_cpu_sys_children",
        format_args!("{:.6}", p.children_system_s),
    );
    out.line(
        "used_cpu_user_children",
        format_args!("{:.6}", p.children_user_s),
    );
}

/// What only a server of many shards has to say: messages between them, and each one's loop.
pub(super) fn shards(f: &Figures<'_>, out: &mut Lines) {
    let s = &f.node.stats;
    let resizing = f.room.resizing.as_ref();
    out.line("shards_serving", f.shards);
    out.line("shards_max", f.room.max_shards);
    out.line("map_epoch", f.room.map_epoch);
    out.line("partitions_moved", f.room.partitions_moved);
    out.line("resize_in_progress", u8::from(resizing.is_some()));
    if let Some(resizing) = resizing {
        out.line("resize_to", resizing.shards);
        out.line("resize_partitions", resizing.moves);
        out.line("resize_partitions_moved", resizing.moved);
    }
    out.line("hops", s.hops);
    out.line("local_commands", s.local_commands);
    out.line("connections_handed_over", s.connections_handed_over);
    out.line("connections_shed", s.connections_shed);
    out.line("connections_moved", s.connections_moved);
    for ((_, name), moves) in MoveReason::ALL.iter().zip(s.moves_by_reason) {
        out.line(format_args!("connections_moved_{name}"), moves);
    }
    out.line("connection_moves_refused", s.connection_moves_refused);
    out.line("moved_reruns", s.moved_reruns);
    for (name, value) in f.node.mesh.named() {
        out.line(format_args!("mesh_{name}"), value);
    }
    for (name, value) in f.node.runtime.named() {
        out.line(format_args!("loop_{name}"), value);
    }
    for (number, shard) in (f.first.number()..).zip(f.each) {
        let id = ShardId::new(number);
        let ports = [
            ("port", f.identity.shard_port(id)),
            ("tls_port", f.identity.tls_shard_port(id)),
        ];
        let ports = ports
            .iter()
            .filter_map(|(name, port)| Some((name, (*port)?)));
        let ports: String = ports
            .map(|(name, port)| format!(",{name}={port}"))
            .collect();
        let keys: u64 = shard.databases.iter().map(|(keys, _)| keys).sum();
        let s = &shard.stats;
        out.line(
            format_args!("shard{number}"),
            format_args!(
                "keys={keys},clients={},commands={},used_memory={},moved_in={},moved_out={},hop_ns={},move_ns={}{ports}",
                shard.clients,
                s.commands_processed,
                shard.used_bytes,
                s.connections_arrived,
                s.connections_moved,
                shard.costs.hop_ns,
                shard.costs.move_ns
            ),
        );
    }
}

pub(super) fn commands(f: &Figures<'_>, out: &mut Lines) {
    for (id, spec) in f.catalog.iter() {
        let Some(s) = f.node.stats.commands.get(id.0 as usize) else {
            continue;
        };
        if s.calls == 0 && s.rejected == 0 {
            continue;
        }
        let total_us = s.total_us();
        let per_call = if s.calls == 0 {
            0.0
        } else {
            total_us as f64 / s.calls as f64
        };
        out.line(
            format_args!("cmdstat_{}", spec.full_name()),
            format_args!(
                "calls={},usec={total_us},usec_per_call={per_call:.2},rejected_calls={},failed_calls={}",
                s.calls, s.rejected, s.failed
            ),
        );
    }
}

pub(super) fn errors(f: &Figures<'_>, out: &mut Lines) {
    for (prefix, count) in &f.node.stats.errors {
        out.line(
            format_args!("errorstat_{prefix}"),
            format_args!("count={count}"),
        );
    }
}

pub(super) fn cluster(f: &Figures<'_>, out: &mut Lines) {
    out.line("cluster_enabled", u8::from(f.door.is_pinned()));
}

pub(super) fn keyspace(f: &Figures<'_>, out: &mut Lines) {
    for (db, (keys, expires)) in f.node.databases.iter().enumerate() {
        if *keys > 0 {
            out.line(
                format_args!("db{db}"),
                format_args!("keys={keys},expires={expires},avg_ttl=0"),
            );
        }
    }
}

/// `1.50G`, as Redis writes sizes for people.
pub(crate) fn human(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1 << 40, "T"),
        (1 << 30, "G"),
        (1 << 20, "M"),
        (1 << 10, "K"),
    ];
    match UNITS.iter().find(|(size, _)| bytes >= *size) {
        Some((size, unit)) => format!("{:.2}{unit}", bytes as f64 / *size as f64),
        None => format!("{bytes}B"),
    }
}
