//! Where the control groups of this process lie in the file tree.
//!
//! `/proc/self/cgroup` names the group of each hierarchy as the kernel counts paths, and
//! `/proc/self/mountinfo` says which part of each hierarchy is mounted where. In a container the
//! mounted part is often not the whole, so neither file is enough alone. Formats: `cgroups(7)`,
//! `proc_pid_mountinfo(5)`.

/// Directories from a group up to its mount point that are looked at; deeper groups than this are
/// cut at the leaf's end. The kernel's own default bound on depth is "none", practice is below ten.
const MAX_DEPTH: usize = 64;

/// The longest line of either file that is looked at; each holds a path or two, and the kernel's bound
/// on a path is 4,096 bytes.
const MAX_LINE_BYTES: usize = 16 << 10;

/// A mounted (part of a) hierarchy.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    /// The part of the hierarchy that is mounted.
    root: String,
    /// Where.
    point: String,
    /// Controllers of a version 1 hierarchy; `None` for version 2.
    controllers: Option<Vec<String>>,
}

/// This process's group in one hierarchy.
#[derive(Debug, PartialEq, Eq)]
struct Membership {
    /// As in [`Mount::controllers`].
    controllers: Option<Vec<String>>,
    path: String,
}

/// All hierarchies of this process.
#[derive(Debug, Default)]
pub(super) struct Hierarchies {
    mounts: Vec<Mount>,
    memberships: Vec<Membership>,
}

impl Hierarchies {
    /// From the texts of `/proc/self/mountinfo` and `/proc/self/cgroup`; lines that make no sense
    /// are passed over, as both files grow new forms.
    pub(super) fn parse(mountinfo: &str, memberships: &str) -> Self {
        Self {
            mounts: lines(mountinfo).filter_map(parse_mount).collect(),
            memberships: lines(memberships).filter_map(parse_membership).collect(),
        }
    }

    /// Whether a version 2 hierarchy is mounted.
    pub(super) fn has_v2(&self) -> bool {
        self.mounts.iter().any(|mount| mount.controllers.is_none())
    }

    /// Whether a version 1 hierarchy with `cpu` or `memory` is mounted.
    pub(super) fn has_v1(&self) -> bool {
        self.mounts.iter().any(|mount| {
            let controllers = mount.controllers.iter().flatten();
            controllers
                .into_iter()
                .any(|name| name == "cpu" || name == "memory")
        })
    }

    /// This process's version 2 group and its visible ancestors, the group itself first.
    pub(super) fn v2_groups(&self) -> Vec<String> {
        self.groups(|controllers| controllers.is_none())
    }

    /// The same for the version 1 hierarchy of `controller`.
    pub(super) fn v1_groups(&self, controller: &str) -> Vec<String> {
        self.groups(|controllers| {
            controllers
                .as_ref()
                .is_some_and(|all| all.iter().any(|c| c == controller))
        })
    }

    fn groups(&self, fits: impl Fn(&Option<Vec<String>>) -> bool) -> Vec<String> {
        let Some(membership) = self.memberships.iter().find(|m| fits(&m.controllers)) else {
            return Vec::new();
        };
        let mounts = self.mounts.iter().filter(|mount| fits(&mount.controllers));
        // Of several mounts of one hierarchy, the one that is nearest to the group shows it; one
        // that does not hold the group at all (namespaces can cause that) still shows its own limits.
        let nearest = mounts.max_by_key(|mount| {
            beneath(&membership.path, &mount.root).map_or(0, |_| 1 + mount.root.len())
        });
        nearest
            .map(|mount| mount.directories(&membership.path))
            .unwrap_or_default()
    }
}

impl Mount {
    /// The directory of the group at `path` and all above it, up to the mount point.
    fn directories(&self, path: &str) -> Vec<String> {
        let inner = beneath(path, &self.root).unwrap_or("");
        let names: Vec<&str> = inner.split('/').filter(|name| !name.is_empty()).collect();
        // A path that climbs lies outside what is mounted here.
        let names = if names.contains(&"..") {
            &[][..]
        } else {
            &names[..]
        };
        let names = &names[..names.len().min(MAX_DEPTH)];
        let point = self.point.trim_end_matches('/');
        let directory = |depth: usize| {
            names[..depth]
                .iter()
                .fold(point.to_owned(), |dir, name| format!("{dir}/{name}"))
        };
        (0..=names.len()).rev().map(directory).collect()
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.len() <= MAX_LINE_BYTES)
}

/// What of `path` lies beneath `root`; `None` when it does not.
fn beneath<'a>(path: &'a str, root: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(root.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// `36 35 0:28 ROOT POINT OPTIONS [TAG…] - TYPE SOURCE SUPER-OPTIONS`
fn parse_mount(line: &str) -> Option<Mount> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let (root, point) = (unescape(left.next()?), unescape(left.next()?));
    let mut right = right.split(' ');
    let controllers = match right.next()? {
        "cgroup2" => None,
        "cgroup" => Some(right.nth(1)?.split(',').map(str::to_owned).collect()),
        _ => return None,
    };
    Some(Mount {
        root,
        point,
        controllers,
    })
}

/// `4:cpu,cpuacct:PATH`, and for version 2 `0::PATH`
fn parse_membership(line: &str) -> Option<Membership> {
    let mut fields = line.splitn(3, ':');
    let (id, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
    let controllers = match controllers {
        "" if id == "0" => None,
        names => Some(names.split(',').map(str::to_owned).collect()),
    };
    Some(Membership {
        controllers,
        path: path.to_owned(),
    })
}

/// `mountinfo` writes blanks, tabs, newlines and backslashes as three octal digits: `\040`.
fn unescape(text: &str) -> String {
    let mut pieces = text.split('\\');
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece
            .get(..3)
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code.filter(u8::is_ascii) {
            Some(code) => {
                plain.push(char::from(code));
                plain.push_str(&piece[3..]);
            }
            None => {
                plain.push('\\');
                plain.push_str(piece);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The version 2 groups for a mount with `root` and a process in the group `path`.
    fn check(root: &str, path: &str, expected: &[&str]) {
        let mountinfo = format!("31 23 0:28 {root} /cg rw shared:1 master:2 - cgroup2 cgroup2 rw");
        let hierarchies = Hierarchies::parse(&mountinfo, &format!("0::{path}"));
        assert_eq!(
            hierarchies.v2_groups(),
            expected,
            "root {root}, path {path}"
        );
    }

    #[test]
    fn groups_lead_from_the_leaf_to_the_mount() {
        check("/", "/", &["/cg"]);
        check("/", "/a/b", &["/cg/a/b", "/cg/a", "/cg"]);
        check("/docker/x", "/docker/x", &["/cg"]);
        check("/docker/x", "/docker/x/y", &["/cg/y", "/cg"]);
        // Another container's part is mounted, or a namespace shows the path from elsewhere.
        check("/docker/x", "/docker/xy", &["/cg"]);
        check("/", "/../a", &["/cg"]);
        check("/..", "/..", &["/cg"]);
    }

    #[test]
    fn the_nearest_of_several_mounts_is_taken() {
        let mountinfo = "1 1 0:1 /x /far rw - cgroup cgroup rw,memory\n\
                         2 1 0:1 / /whole rw - cgroup cgroup rw,memory\n\
                         3 1 0:1 /a /near\\040by rw - cgroup cgroup rw,memory\n\
                         4 1 0:2 / /cpu rw - cgroup cgroup rw,cpu,cpuacct";
        let hierarchies = Hierarchies::parse(mountinfo, "7:memory:/a/b\n3:cpu,cpuacct:/c");
        assert_eq!(hierarchies.v1_groups("memory"), ["/near by/b", "/near by"]);
        assert_eq!(hierarchies.v1_groups("cpu"), ["/cpu/c", "/cpu"]);
        assert_eq!(hierarchies.v1_groups("pids"), [""; 0]);
        assert!(hierarchies.has_v1() && !hierarchies.has_v2());
    }

    #[test]
    fn octal_escapes_are_undone() {
        for (written, meant) in [
            ("a\\040b", "a b"),
            ("\\134", "\\"),
            ("a\\", "a\\"),
            ("\\9x", "\\9x"),
            ("\\777", "\\777"),
        ] {
            assert_eq!(unescape(written), meant);
        }
    }

    #[test]
    fn depth_is_bounded() {
        let hierarchies = Hierarchies::parse(
            "1 1 0:1 / /cg rw - cgroup2 cgroup2 rw",
            &format!("0::{}", "/d".repeat(4000)),
        );
        assert_eq!(hierarchies.v2_groups().len(), MAX_DEPTH + 1);
    }

    proptest! {
        #[test]
        fn any_texts_are_read(
            mountinfo in "([0-9/ a\\\\\n-]|cgroup2|cgroup| - |é){0,60}",
            memberships in "([0-9:/,.\n]|cpu|é){0,40}",
        ) {
            let hierarchies = Hierarchies::parse(&mountinfo, &memberships);
            let _ = (hierarchies.v2_groups(), hierarchies.v1_groups("cpu"));
        }
    }
}
