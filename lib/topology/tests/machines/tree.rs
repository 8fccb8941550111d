//! Builds the file tree of a fake machine from its description in `fixtures/*.tree`.
//!
//! A machine of 48 CPUs is some 1,200 small files; as a description it is forty lines that can be
//! reviewed. One entry per line, the rest is generated into a temporary directory:
//!
//! ```text
//! # a remark
//! @probe works                    what the kernel answers when a ring is tried,
//! @probe refused WHY              or why it would not
//! /path = one line                a file
//! /path =                         a file of several lines, which follow indented by two blanks
//! /path/                          a directory
//! @cores package=0 node=0 threads=0-11+24-35 L1d=48K L1i=32K L2=1M L3=18M
//! ```
//!
//! `@cores` writes `cpuN/topology` and `cpuN/cache` for equal cores: the lists joined by `+` are the
//! cores' first, second… hardware threads. L1 and L2 are each core's own, L3 is shared by them all; a
//! size left empty is a cache whose size the kernel does not tell.

use std::fs;
use std::path::Path;

use corelane_topology::{CpuSet, Live, Machine, Probe, ReadError};

/// A fake machine's files, and what its kernel answers.
pub(crate) struct Tree {
    /// Path (absolute, as on the machine) and content; directories end in a slash.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Whether a ring can be set up.
    pub(crate) probe: Probe,
}

impl Tree {
    /// The machine described in `fixtures/NAME.tree`.
    pub(crate) fn of(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fixtures")
            .join(name)
            .with_extension("tree");
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut tree = Self {
            files: Vec::new(),
            probe: Probe::NotTried,
        };
        for line in text.lines() {
            tree.entry(line);
        }
        tree
    }

    /// Replaces a file's content, or adds the file.
    pub(crate) fn set(&mut self, path: &str, content: &str) {
        self.files.retain(|(known, _)| known != path);
        self.files.push((path.to_owned(), content.into()));
    }

    /// Writes the files into a fresh directory and reads the machine from there.
    pub(crate) fn read(&self) -> Result<Machine, ReadError> {
        // Thousands of small files are written and dropped again: in memory where there is such a
        // place, which takes a tenth of the time.
        let memory = Path::new("/dev/shm");
        let root = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        let root = root.expect("a temporary directory");
        for (path, content) in &self.files {
            let target = root.path().join(path.trim_start_matches('/'));
            if path.ends_with('/') {
                fs::create_dir_all(&target).expect("a directory");
                continue;
            }
            fs::create_dir_all(target.parent().expect("a file in a directory"))
                .expect("its directory");
            fs::write(&target, content).expect("a file");
        }
        let live = Live {
            io_uring: self.probe.clone(),
            ..Live::default()
        };
        Machine::read_with(root.path(), &live)
    }

    fn entry(&mut self, line: &str) {
        if let Some(more) = line.strip_prefix("  ") {
            let (_, content) = self
                .files
                .last_mut()
                .expect("an indented line follows a file");
            content.extend(more.bytes().chain([b'\n']));
        } else if let Some(answer) = line.strip_prefix("@probe ") {
            self.probe = match answer.split_once(' ') {
                None if answer == "works" => Probe::Works,
                Some(("refused", why)) => Probe::Refused(why.to_owned()),
                _ => panic!("no probe's answer: {line}"),
            };
        } else if let Some(fields) = line.strip_prefix("@cores ") {
            self.cores(fields);
        } else if line.starts_with('/') && line.ends_with('/') {
            self.files.push((line.to_owned(), Vec::new()));
        } else if let Some((path, content)) = line.split_once(" =") {
            let newline = if content.is_empty() { "" } else { "\n" };
            self.files.push((
                path.to_owned(),
                format!("{}{newline}", content.trim_start()).into(),
            ));
        } else {
            assert!(line.is_empty() || line.starts_with('#'), "no entry: {line}");
        }
    }

    fn cores(&mut self, fields: &str) {
        let fields: Vec<(&str, &str)> = fields
            .split(' ')
            .map(|field| field.split_once('=').expect(field))
            .collect();
        let field = |name| {
            fields
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| *value)
        };
        let threads: Vec<CpuSet> = field("threads")
            .expect("threads")
            .split('+')
            .map(|list| list.parse().expect(list))
            .collect();
        let all: CpuSet = threads.iter().flat_map(CpuSet::iter).collect();
        for core in 0..threads[0].len() {
            let siblings: CpuSet = threads
                .iter()
                .filter_map(|list| list.iter().nth(core))
                .collect();
            for cpu in siblings.iter() {
                let dir = format!("/sys/devices/system/cpu/cpu{cpu}");
                let mut write = |name: &str, content: &str| {
                    self.files
                        .push((format!("{dir}/{name}"), format!("{content}\n").into()));
                };
                write(
                    "topology/physical_package_id",
                    field("package").expect("package"),
                );
                write("topology/core_id", &core.to_string());
                write("topology/thread_siblings_list", &siblings.to_string());
                let caches = [
                    ("L1d", 1, "Data"),
                    ("L1i", 1, "Instruction"),
                    ("L2", 2, "Unified"),
                    ("L3", 3, "Unified"),
                ];
                for (index, (key, level, kind)) in caches.into_iter().enumerate() {
                    let Some(size) = field(key) else { continue };
                    let shared = if level == 3 { &all } else { &siblings };
                    write(&format!("cache/index{index}/level"), &level.to_string());
                    write(&format!("cache/index{index}/type"), kind);
                    write(
                        &format!("cache/index{index}/shared_cpu_list"),
                        &shared.to_string(),
                    );
                    if !size.is_empty() {
                        write(&format!("cache/index{index}/size"), size);
                        write(&format!("cache/index{index}/coherency_line_size"), "64");
                    }
                }
            }
        }
    }
}
