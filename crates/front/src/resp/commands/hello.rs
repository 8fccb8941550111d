//! `HELLO`.

use corelane_wire::number::parse_i64;
use corelane_wire::spec::{Arg, CommandSpec, Flags, Group};
use corelane_wire::{Args, Proto, Reply};

use super::auth::{WRONG, authenticate};
use super::client::valid_name;
use crate::resp::state::{Command, Run, SessionState};

/// `HELLO [protover [AUTH username password] [SETNAME clientname]]`.
pub(super) static HELLO: Command = Command {
    spec: CommandSpec {
        name: "hello",
        arity: -1,
        flags: Flags::of(&[
            Flags::NOSCRIPT,
            Flags::LOADING,
            Flags::STALE,
            Flags::FAST,
            Flags::NO_AUTH,
            Flags::ALLOW_BUSY,
        ]),
        group: Group::Connection,
        since: "6.0.0",
        summary: "Chooses the protocol, and may authenticate and name the connection.",
        complexity: "O(1)",
        args: &[Arg::block(
            "arguments",
            &[
                Arg::integer("protover"),
                Arg::block(
                    "username_password",
                    &[Arg::string("username"), Arg::string("password")],
                )
                .token("AUTH")
                .optional(),
                Arg::string("clientname").token("SETNAME").optional(),
            ],
        )
        .optional()],
        ..CommandSpec::BASE
    },
    run: Some(Run::Session(hello)),
};

/// What the arguments ask for.
#[derive(Default)]
struct Asked<'a> {
    proto: Option<Proto>,
    auth: Option<(&'a [u8], &'a [u8])>,
    name: Option<&'a [u8]>,
}

fn hello(session: &mut SessionState, args: Args<'_>, reply: &mut Reply<'_>) {
    let asked = match parse(args) {
        Ok(asked) => asked,
        Err(text) => return reply.error(&text),
    };
    if let Some((user, password)) = asked.auth
        && !authenticate(session, user, password)
    {
        return reply.error(WRONG);
    }
    if !session.is_admitted() {
        return reply.error(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the \
             HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and \
             select the RESP protocol version at the same time",
        );
    }
    if let Some(name) = asked.name {
        if !valid_name(name) {
            return reply.error(super::client::BAD_NAME);
        }
        session.client.rename(|names| names.name = name.to_vec());
    }
    if let Some(proto) = asked.proto {
        session.client.proto.set(proto);
        reply.set_proto(proto);
    }
    describe(session, reply);
}

fn parse(args: Args<'_>) -> Result<Asked<'_>, String> {
    let mut asked = Asked::default();
    let Some(version) = args.get(1) else {
        return Ok(asked);
    };
    asked.proto = match parse_i64(version) {
        Some(2) => Some(Proto::Resp2),
        Some(3) => Some(Proto::Resp3),
        Some(_) => return Err("NOPROTO unsupported protocol version".to_owned()),
        None => {
            return Err("ERR Protocol version is not an integer or out of range".to_owned());
        }
    };
    let mut at = 2;
    while let Some(option) = args.get(at) {
        if option.eq_ignore_ascii_case(b"auth") && args.len() > at + 2 {
            asked.auth = Some((args_at(args, at + 1), args_at(args, at + 2)));
            at += 3;
        } else if option.eq_ignore_ascii_case(b"setname") && args.len() > at + 1 {
            asked.name = Some(args_at(args, at + 1));
            at += 2;
        } else {
            let option = String::from_utf8_lossy(option).into_owned();
            return Err(format!("ERR Syntax error in HELLO option '{option}'"));
        }
    }
    Ok(asked)
}

fn args_at(args: Args<'_>, at: usize) -> &[u8] {
    args.get(at).unwrap_or_default()
}

fn describe(session: &SessionState, reply: &mut Reply<'_>) {
    reply.map(7);
    reply.bulk(b"server");
    reply.bulk(b"redis");
    reply.bulk(b"version");
    reply.bulk(corelane_node::REDIS_VERSION.as_bytes());
    reply.bulk(b"proto");
    reply.int(match session.proto() {
        Proto::Resp2 => 2,
        Proto::Resp3 => 3,
    });
    reply.bulk(b"id");
    reply.int(session.client.id.0 as i64);
    reply.bulk(b"mode");
    reply.bulk_str(session.client.door.mode());
    reply.bulk(b"role");
    reply.bulk(b"master");
    reply.bulk(b"modules");
    reply.array(0);
}
