//! What the process uses, under the names that every Prometheus client library gives it.

use std::fmt::Write as _;

use crate::sys::machine::Usage;

/// Appends the figures in the text format of Prometheus.
pub(super) fn render(text: &mut String, usage: &Usage) {
    let figures: [(&str, &str, &str, f64); 5] = [
        ("process_resident_memory_bytes", "gauge", "Memory in RAM", usage.resident_bytes as f64),
        ("process_cpu_seconds_total", "counter", "Processor time, user and kernel", usage.cpu.as_secs_f64()),
        ("process_open_fds", "gauge", "Open files and sockets", usage.open_files as f64),
        ("process_max_fds", "gauge", "Open files that are allowed", usage.open_files_max as f64),
        ("process_threads", "gauge", "Threads", usage.threads as f64),
    ];
    for (name, kind, help, value) in figures {
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
}
