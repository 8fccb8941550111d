//! A report as a person reads it. Apart from the data, so that neither bends to the other.

use std::fmt::Write;

use super::{CommandReport, Report, Used};

/// Renders the whole report.
pub(super) fn render(report: &Report) -> String {
    let mut out = String::new();
    setup_line(report, &mut out);
    commands_table(report, &mut out);
    totals_line(report, &mut out);
    used_line("server   ", report.server, report.elapsed_s, &mut out);
    used_line("generator", report.generator, report.elapsed_s, &mut out);
    verified_line(report, &mut out);
    failures_list(report, &mut out);
    out
}

/// Writing to a `String` cannot fail.
macro_rules! line {
    ($out:expr, $($arg:tt)*) => {
        writeln!($out, $($arg)*).expect("writing to a string")
    };
}

fn setup_line(report: &Report, out: &mut String) {
    let setup = &report.setup;
    let plural = |n: u64| if n == 1 { "" } else { "s" };
    let speed = match setup.rate {
        Some(rate) => format!("open loop at {}/s", grouped(rate)),
        None => "closed loop".into(),
    };
    line!(
        out,
        "{}: {} connection{}, {} thread{}, pipeline {}, {speed}; {} keys {}, values of {} bytes, seed {}",
        setup.target,
        setup.connections,
        plural(setup.connections.into()),
        setup.threads,
        plural(setup.threads.into()),
        setup.pipeline,
        grouped(setup.keys),
        setup.distribution,
        setup.value_size,
        setup.seed,
    );
    line!(out, "");
}

fn commands_table(report: &Report, out: &mut String) {
    let header = [
        "command",
        "requests",
        "per second",
        "mean µs",
        "p50",
        "p90",
        "p99",
        "p99.9",
        "max",
        "misses",
        "errors",
    ];
    let mut rows = vec![header.map(String::from)];
    rows.extend(report.commands.iter().map(row));
    if report.commands.len() > 1 {
        rows.push(row(&report.all));
    }
    let mut widths = [0; 11];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let mut text = format!("{:<width$}", row[0], width = widths[0]);
        for (cell, width) in row.iter().zip(widths).skip(1) {
            write!(text, "  {cell:>width$}").expect("writing to a string");
        }
        line!(out, "{text}");
    }
    line!(out, "");
}

fn row(command: &CommandReport) -> [String; 11] {
    let latency = command.latency_us;
    [
        command.command.clone(),
        grouped(command.requests),
        grouped(command.per_second.round() as u64),
        micros(latency.mean),
        micros(latency.p50),
        micros(latency.p90),
        micros(latency.p99),
        micros(latency.p99_9),
        micros(latency.max),
        grouped(command.misses),
        grouped(command.errors),
    ]
}

fn totals_line(report: &Report, out: &mut String) {
    let seconds = report.elapsed_s.max(f64::MIN_POSITIVE);
    line!(
        out,
        "{} requests in {:.2} s: {}/s, {} sent ({}/s), {} received ({}/s)",
        grouped(report.all.requests),
        report.elapsed_s,
        grouped(report.all.per_second.round() as u64),
        bytes(report.traffic.sent_bytes as f64),
        bytes(report.traffic.sent_bytes as f64 / seconds),
        bytes(report.traffic.received_bytes as f64),
        bytes(report.traffic.received_bytes as f64 / seconds),
    );
}

fn used_line(who: &str, used: Option<Used>, elapsed_s: f64, out: &mut String) {
    if let Some(used) = used {
        line!(
            out,
            "{who}  {:.3} µs CPU per request, {:.0}% of a core, {:.3} sleeps and {:.3} preemptions per request",
            used.cpu_us_per_request,
            100.0 * used.cpu_s / elapsed_s.max(f64::MIN_POSITIVE),
            used.voluntary_switches_per_request,
            used.involuntary_switches_per_request,
        );
    }
}

fn verified_line(report: &Report, out: &mut String) {
    if let Some(verified) = report.verified {
        line!(
            out,
            "{} values checked, {} wrong",
            grouped(verified.checked),
            grouped(verified.wrong)
        );
    }
}

fn failures_list(report: &Report, out: &mut String) {
    let failures = &report.failures;
    if failures.lost_connections > 0 {
        line!(
            out,
            "{} connections were lost",
            grouped(failures.lost_connections)
        );
    }
    if failures.unanswered > 0 {
        line!(
            out,
            "{} requests were never answered",
            grouped(failures.unanswered)
        );
    }
    if failures.unsent > 0 {
        line!(
            out,
            "{} requests fell due and were not sent: the server did not keep up with the rate",
            grouped(failures.unsent)
        );
    }
    for (text, count) in &failures.errors {
        line!(out, "{:>12} × {text}", grouped(*count));
    }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Microseconds with about three significant digits.
fn micros(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.2}")
    } else if value < 100.0 {
        format!("{value:.1}")
    } else {
        grouped(value.round() as u64)
    }
}

fn bytes(count: f64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    let mut value = count;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    let decimals = usize::from(unit > 0 && value < 100.0);
    format!("{value:.decimals$} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        for (number, want) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), want);
        }
        for (value, want) in [
            (0.5, "0.50"),
            (12.34, "12.3"),
            (123.4, "123"),
            (12_345.6, "12,346"),
        ] {
            assert_eq!(micros(value), want);
        }
        for (count, want) in [
            (5.0, "5 B"),
            (1500.0, "1.5 KB"),
            (250e6, "250 MB"),
            (3e15, "3000 TB"),
        ] {
            assert_eq!(bytes(count), want);
        }
    }
}
