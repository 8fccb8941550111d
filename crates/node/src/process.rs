//! What the system says of this process, read through the runtime so that a simulation reads its
//! own, empty one.

/// Memory and processor time of the process; zeros where the system does not tell.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ProcessFigures {
    pub(crate) resident_bytes: u64,
    pub(crate) user_s: f64,
    pub(crate) system_s: f64,
    pub(crate) children_user_s: f64,
    pub(crate) children_system_s: f64,
}

/// Linux counts `/proc/self/statm` in pages; every platform this runs on has pages of 4 KiB or says
/// so in its documentation.
const PAGE_BYTES: u64 = 4096;

/// `USER_HZ`, fixed by the kernel's ABI (proc(5)).
const TICKS_PER_S: f64 = 100.0;

impl ProcessFigures {
    pub(crate) async fn read() -> Self {
        let mut figures = Self::default();
        if let Some(text) = read_text("/proc/self/statm").await {
            let pages = text
                .split_whitespace()
                .nth(1)
                .and_then(|field| field.parse::<u64>().ok());
            figures.resident_bytes = pages.unwrap_or_default() * PAGE_BYTES;
        }
        if let Some(text) = read_text("/proc/self/stat").await {
            // The second field, the program's name, may hold anything but ends with the last ')'.
            let fields: Vec<&str> = text
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            let seconds = |index: usize| {
                fields
                    .get(index)
                    .and_then(|f| f.parse::<f64>().ok())
                    .unwrap_or(0.0)
                    / TICKS_PER_S
            };
            figures.user_s = seconds(11);
            figures.system_s = seconds(12);
            figures.children_user_s = seconds(13);
            figures.children_system_s = seconds(14);
        }
        figures
    }
}

async fn read_text(path: &str) -> Option<String> {
    let bytes = corelane::fs::read_to_vec(std::path::Path::new(path))
        .await
        .ok()?;
    String::from_utf8(bytes).ok()
}
