//! From registers and a copy of a stack to functions with files and lines: unwound by the unwind tables of the program's
//! object files, named by their symbols and debug information. All of it is read from the files, by safe code, on the
//! watchdog's thread, and forgotten afterwards: stalls are rare and debug information is large.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use addr2line::{Loader, Location};
use framehop::{
    CacheNative, ExplicitModuleSectionInfo, MayAllocateDuringUnwind, Module, UnwindRegsNative,
    Unwinder, UnwinderNative,
};
use object::elf::PF_X;
use object::{Object as _, ObjectSection as _, ObjectSegment as _, ReadCache, SegmentFlags};

use super::report::Frame;
use super::sample::{Registers, Sample};

/// Calls that a report shows at most; of a deeper stack the outermost are missing.
const FRAMES_MAX: usize = 64;

/// Where a sampled thread was, the innermost call first.
pub(super) fn frames(sample: &Sample) -> Vec<Frame> {
    let mut objects = objects();
    let addresses = unwind(sample, &mut objects);
    let mut frames = Vec::new();
    for address in addresses {
        match objects
            .iter_mut()
            .find(|object| object.range.contains(&address))
        {
            Some(object) => object.name(address, &mut frames),
            None => frames.push(Frame {
                function: format!("{address:#x}"),
                location: None,
            }),
        }
    }
    frames.truncate(FRAMES_MAX);
    frames
}

fn unwind(sample: &Sample, objects: &mut [Object]) -> Vec<u64> {
    let mut unwinder = UnwinderNative::<Vec<u8>, MayAllocateDuringUnwind>::new();
    for object in objects {
        if let Some(module) = object.module() {
            unwinder.add_module(module);
        }
    }
    let mut cache = CacheNative::<MayAllocateDuringUnwind>::new_in();
    let begin = sample.registers.sp;
    let mut read_stack = |address: u64| {
        let at = usize::try_from(address.wrapping_sub(begin)).map_err(drop)?;
        let word = sample.stack.get(at..).and_then(|rest| rest.first_chunk());
        word.map(|word| u64::from_ne_bytes(*word)).ok_or(())
    };
    let mut found = unwinder.iter_frames(
        sample.registers.pc,
        native(&sample.registers),
        &mut cache,
        &mut read_stack,
    );
    let mut addresses = Vec::new();
    while addresses.len() < FRAMES_MAX
        && let Ok(Some(frame)) = found.next()
    {
        addresses.push(frame.address_for_lookup());
    }
    addresses
}

#[cfg(target_arch = "x86_64")]
fn native(registers: &Registers) -> UnwindRegsNative {
    UnwindRegsNative::new(registers.pc, registers.sp, registers.fp)
}

#[cfg(target_arch = "aarch64")]
fn native(registers: &Registers) -> UnwindRegsNative {
    UnwindRegsNative::new(registers.link, registers.sp, registers.fp)
}

/// An object file whose code is mapped into this process.
struct Object {
    path: PathBuf,
    /// Where its code lies in memory.
    range: Range<u64>,
    /// The place in the file that this begins with.
    offset: u64,
    /// What is to be added to an address in the file to get one in memory.
    bias: u64,
    /// Its names, read when the first is asked for.
    names: Option<Option<Loader>>,
}

fn objects() -> Vec<Object> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().filter_map(object_of).collect()
}

/// A line of `/proc/self/maps` (proc_pid_maps(5)), if it maps code from a file.
fn object_of(line: &str) -> Option<Object> {
    let mut fields = line.splitn(6, ' ');
    let (start, end) = fields.next()?.split_once('-')?;
    let is_code = fields.next()?.contains('x');
    let offset = u64::from_str_radix(fields.next()?, 16).ok()?;
    let path = fields.nth(2)?.trim_start();
    if !is_code || !path.starts_with('/') {
        return None;
    }
    let start = u64::from_str_radix(start, 16).ok()?;
    let end = u64::from_str_radix(end, 16).ok()?;
    Some(Object {
        path: readable(path),
        range: start..end,
        offset,
        bias: 0,
        names: None,
    })
}

/// The program's own file may have been replaced since its start: then it is still there by this name.
fn readable(path: &str) -> PathBuf {
    const OWN: &str = "/proc/self/exe";
    let own = fs::read_link(OWN).is_ok_and(|own| own == Path::new(path));
    PathBuf::from(if own { OWN } else { path })
}

impl Object {
    /// Its unwind tables. Also learns its bias.
    fn module(&mut self) -> Option<Module<Vec<u8>>> {
        let file = ReadCache::new(fs::File::open(&self.path).ok()?);
        let file = object::File::parse(&file).ok()?;
        let code = file.segments().find(|segment| {
            let is_code =
                matches!(segment.flags(), SegmentFlags::Elf { p_flags } if p_flags & PF_X != 0);
            let (begin, bytes) = segment.file_range();
            // A mapping begins at the page in which its segment does.
            is_code
                && self.offset < begin + bytes
                && begin < self.offset + (self.range.end - self.range.start)
        })?;
        let of_file = code.address().wrapping_sub(code.file_range().0);
        self.bias = self
            .range
            .start
            .wrapping_sub(self.offset)
            .wrapping_sub(of_file);
        let range = |name: &str| {
            let section = file.section_by_name(name)?;
            Some(section.address()..section.address() + section.size())
        };
        let data = |name: &str| Some(file.section_by_name(name)?.data().ok()?.to_vec());
        let sections = ExplicitModuleSectionInfo {
            base_svma: 0,
            text_svma: range(".text"),
            got_svma: range(".got"),
            eh_frame_svma: range(".eh_frame"),
            eh_frame: data(".eh_frame"),
            eh_frame_hdr_svma: range(".eh_frame_hdr"),
            eh_frame_hdr: data(".eh_frame_hdr"),
            ..ExplicitModuleSectionInfo::default()
        };
        let name = self.path.display().to_string();
        Some(Module::new(name, self.range.clone(), self.bias, sections))
    }

    /// Names the call at `address`, and before it those that were inlined there.
    fn name(&mut self, address: u64, frames: &mut Vec<Frame>) {
        let in_file = address.wrapping_sub(self.bias);
        let path = &self.path;
        let names = self.names.get_or_insert_with(|| Loader::new(path).ok());
        let mut calls = names
            .as_ref()
            .map_or_else(Vec::new, |names| calls(names, in_file));
        // The outermost is the function itself. Its symbol says more than debug information of lines alone.
        let own = calls.pop().unwrap_or_default();
        frames.extend(
            calls
                .into_iter()
                .map(|call| call.frame(|| "(inlined)".to_owned())),
        );
        let symbol = names.as_ref().and_then(|names| names.find_symbol(in_file));
        let own = Call {
            function: symbol.map(demangled).or(own.function),
            location: own.location,
        };
        frames.push(own.frame(|| format!("{}+{in_file:#x}", path.display())));
    }
}

/// What debug information says of a call.
#[derive(Default)]
struct Call {
    function: Option<String>,
    location: Option<String>,
}

impl Call {
    fn frame(self, unnamed: impl FnOnce() -> String) -> Frame {
        Frame {
            function: self.function.unwrap_or_else(unnamed),
            location: self.location,
        }
    }
}

/// The calls that were inlined at an address, the innermost first, and the function that they were inlined into.
fn calls(names: &Loader, in_file: u64) -> Vec<Call> {
    let mut calls = Vec::new();
    if let Ok(mut found) = names.find_frames(in_file) {
        while let Ok(Some(frame)) = found.next() {
            let function = frame.function;
            calls.push(Call {
                function: function.and_then(|name| Some(demangled(&name.raw_name().ok()?))),
                location: frame.location.and_then(location_text),
            });
        }
    }
    if calls.is_empty() {
        let location = names.find_location(in_file).ok().flatten();
        calls.push(Call {
            function: None,
            location: location.and_then(location_text),
        });
    }
    calls
}

fn location_text(location: Location<'_>) -> Option<String> {
    let file = location.file?;
    Some(match location.line {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    })
}

/// A name as its source has it, without the compiler's hash.
fn demangled(raw: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(raw))
}
