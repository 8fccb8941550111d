//! Disks, network interfaces and GPUs, each from its directory in sysfs.
//!
//! What a later plan needs to know of them (is this disk one that seeks, how fast is this network,
//! is there a GPU) and no more. Source: `Documentation/ABI/stable/sysfs-block`,
//! `testing/sysfs-class-net`, `testing/sysfs-bus-pci`.

use serde::Serialize;

use crate::host::{Host, quoted};

/// `size` in `/sys/block` counts these, whatever the disk's own sector is.
const SECTOR_BYTES: u64 = 512;

/// Block devices that are memory or files in disguise.
const NOT_DISKS: [&str; 4] = ["loop", "ram", "zram", "sr"];

/// PCI base class of display controllers, graphics cards and compute cards alike.
const PCI_DISPLAY: u32 = 0x03;

/// `type` of the loopback interface (`ARPHRD_LOOPBACK`).
const LOOPBACK: u32 = 772;

/// What hangs on the machine's buses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Devices {
    /// Disks, by name.
    pub disks: Vec<Disk>,
    /// Network interfaces, by name.
    pub interfaces: Vec<Interface>,
    /// Display controllers, by address.
    pub gpus: Vec<Gpu>,
}

/// A whole disk, real or virtual.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disk {
    /// As in `/dev`.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Whether it seeks, where the kernel tells; virtual disks often claim to.
    pub rotational: Option<bool>,
    /// The I/O scheduler in use; none for stacked devices.
    pub scheduler: Option<String>,
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// What stands behind it.
    pub kind: InterfaceKind,
    /// Whether it is up.
    pub up: bool,
    /// Megabits per second, where the driver tells.
    pub speed_mbps: Option<u32>,
}

/// What stands behind a network interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InterfaceKind {
    /// The machine itself.
    Loopback,
    /// A card, or what a virtual machine takes for one.
    Device,
    /// Software: bridges, tunnels, the inner end of a container's link.
    Virtual,
}

/// A PCI device of class 0x03.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gpu {
    /// PCI address: `0000:17:00.0`.
    pub address: String,
    /// The whole class: 0x0300xx drives a screen, 0x0302xx only computes.
    pub class: u32,
    /// PCI vendor.
    pub vendor: u16,
    /// PCI device of that vendor.
    pub device: u16,
    /// The NUMA node it is near to, where the kernel tells.
    pub node: Option<usize>,
}

impl Devices {
    pub(crate) fn read(host: &Host) -> Self {
        Self {
            disks: read_disks(host),
            interfaces: read_interfaces(host),
            gpus: read_gpus(host),
        }
    }
}

impl Gpu {
    /// The vendor's name, for those one meets.
    pub fn vendor_name(&self) -> &'static str {
        match self.vendor {
            0x1002 => "AMD",
            0x10de => "NVIDIA",
            0x1234 | 0x1b36 => "QEMU",
            0x1a03 => "ASPEED",
            0x1af4 => "virtio",
            0x8086 => "Intel",
            _ => "unknown",
        }
    }
}

fn read_disks(host: &Host) -> Vec<Disk> {
    let names = host.names("/sys/block");
    names
        .into_iter()
        .filter(|name| is_disk(name))
        .filter_map(|name| read_disk(host, name))
        .collect()
}

fn is_disk(name: &str) -> bool {
    let kind = name.trim_end_matches(|c: char| c.is_ascii_digit());
    !NOT_DISKS.contains(&kind)
}

/// `None` for a drive without a medium.
fn read_disk(host: &Host, name: String) -> Option<Disk> {
    let dir = format!("/sys/block/{name}");
    let sectors = host
        .parsed::<u64>(&format!("{dir}/size"))
        .filter(|&sectors| sectors > 0)?;
    let rotational = host
        .parsed::<u8>(&format!("{dir}/queue/rotational"))
        .map(|flag| flag != 0);
    let scheduler = host.text(&format!("{dir}/queue/scheduler"));
    let scheduler = scheduler.as_deref().and_then(bracketed).map(quoted);
    Some(Disk {
        name,
        size_bytes: sectors.saturating_mul(SECTOR_BYTES),
        rotational,
        scheduler,
    })
}

/// The kernel lists what it has and puts what it uses in brackets: `none [mq-deadline]`.
fn bracketed(text: &str) -> Option<&str> {
    let (_, after) = text.split_once('[')?;
    after.split_once(']').map(|(inside, _)| inside)
}

fn read_interfaces(host: &Host) -> Vec<Interface> {
    let names = host.names("/sys/class/net");
    // `bonding_masters` lies among the interfaces and is a file.
    let names = names
        .into_iter()
        .filter(|name| host.exists(&format!("/sys/class/net/{name}/type")));
    names.map(|name| read_interface(host, name)).collect()
}

fn read_interface(host: &Host, name: String) -> Interface {
    let dir = format!("/sys/class/net/{name}");
    let kind = if host.parsed(&format!("{dir}/type")) == Some(LOOPBACK) {
        InterfaceKind::Loopback
    } else if host.exists(&format!("{dir}/device")) {
        InterfaceKind::Device
    } else {
        InterfaceKind::Virtual
    };
    // Loopback and tunnels are `unknown` and work; virtual drivers say -1 for "no idea".
    let up = matches!(
        host.text(&format!("{dir}/operstate")).as_deref(),
        Some("up" | "unknown")
    );
    let speed = host.text(&format!("{dir}/speed"));
    let speed_mbps = speed
        .and_then(|speed| speed.parse().ok())
        .filter(|&mbps| mbps > 0);
    Interface {
        name,
        kind,
        up,
        speed_mbps,
    }
}

fn read_gpus(host: &Host) -> Vec<Gpu> {
    let addresses = host.names("/sys/bus/pci/devices");
    addresses
        .into_iter()
        .filter_map(|address| read_gpu(host, address))
        .collect()
}

fn read_gpu(host: &Host, address: String) -> Option<Gpu> {
    let dir = format!("/sys/bus/pci/devices/{address}");
    let number = |name: &str| hexadecimal(&host.text(&format!("{dir}/{name}"))?);
    let class = number("class").filter(|class| class >> 16 == PCI_DISPLAY)?;
    let id = |name| {
        number(name)
            .and_then(|id| u16::try_from(id).ok())
            .unwrap_or(0)
    };
    // -1 where the machine has no nodes.
    let node = host.parsed::<i64>(&format!("{dir}/numa_node"));
    let node = node.and_then(|node| usize::try_from(node).ok());
    Some(Gpu {
        class,
        vendor: id("vendor"),
        device: id("device"),
        node,
        address,
    })
}

fn hexadecimal(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_texts_are_read() {
        assert_eq!(bracketed("none [mq-deadline] kyber"), Some("mq-deadline"));
        assert_eq!(bracketed("[none]"), Some("none"));
        assert_eq!(bracketed("]none["), None);
        assert_eq!(hexadecimal("0x030200"), Some(0x03_0200));
        assert_eq!(hexadecimal("030200"), None);
        assert_eq!(hexadecimal("0x1ffffffff"), None);
        for (name, expected) in [
            ("sda", true),
            ("nvme0n1", true),
            ("dm-0", true),
            ("loop12", false),
            ("zram0", false),
            ("sr0", false),
        ] {
            assert_eq!(is_disk(name), expected, "{name}");
        }
    }
}
