//! `cargo xtask tidy`: the project's rules that no compiler checks.
//!
//! | rule | file | what it asks |
//! |---|---|---|
//! | floors | `floors` | a crate imports crates of lower floors only |
//! | reach | `floors` | only `corelane-rt` names compio, the server and the examples reach it only through `corelane`, the framework knows no server |
//! | headers | `headers` | every file opens with `//!` and says what it is |
//! | unsafe | `unsafety` | only where it is allowed, each with its `// SAFETY:` |
//! | unfinished | `unfinished` | no `todo!`, no `unimplemented!` |
//! | effects | `effects` | no clock, random number, file, socket or thread in the pure crates |
//! | sizes | `sizes` | no file and no function beyond its bound |
//! | docs | `docs` | what the documents name is there |
//!
//! Rules work on tokens rather than on a syntax tree: the lexer is small to build, and what stands
//! inside a macro's call is seen like everything else. `workspace` finds the files and manifests,
//! `tokens` and `source` read one file, `task` runs all rules and prints.

mod docs;
mod effects;
mod finding;
mod floors;
mod headers;
mod imports;
mod sizes;
mod source;
mod task;
mod tokens;
mod unfinished;
mod unsafety;
mod workspace;

pub(crate) use task::{Options, is_tidy, run};
