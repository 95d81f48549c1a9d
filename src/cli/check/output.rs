//! What a check and a rebuild found, as people read it.

use std::fmt::Write as _;

use crate::server::check::Report;
use crate::server::check::rebuild::MISSING;
use crate::server::check::rebuild::Plan;
use crate::server::check::rebuild::Rebuilt;
use crate::server::check::vote::SoleVoter;

/// Bytes in the largest unit below them.
pub(super) fn show_bytes(bytes: u64) -> String {
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    match units.iter().find(|(shift, _)| bytes >= 1 << shift) {
        Some((shift, unit)) => format!("{:.1} {unit}", bytes as f64 / (1_u64 << shift) as f64),
        None => format!("{bytes} B"),
    }
}

/// The table and the findings. Writing to a string does not fail.
pub(super) fn report(report: &Report) -> String {
    let mut text = String::new();
    let copies = if report.copies == 1 { "1 copy" } else { &format!("{} copies", report.copies) };
    let _ = writeln!(text, "deployment {}, {copies} of each blob\n", report.deployment);
    for volume in &report.volumes {
        let (path, bytes) = (volume.path.display(), show_bytes(volume.bytes));
        let _ =
            writeln!(text, "  volume     {path}: {} part files of {bytes}, {} bad", volume.files, volume.bad);
    }
    for replica in &report.metadata {
        let state = match (replica.commit, replica.chain) {
            (Some(commit), Some(chain)) => format!("commit {commit}, chain {chain:08x}"),
            _ if replica.unused => "not looked at, its volume has no vote on metadata".to_owned(),
            _ => "cannot be opened".to_owned(),
        };
        let _ = writeln!(text, "  metadata   {}: {state}", replica.path.display());
    }
    let counts = &report.counts;
    let _ = writeln!(
        text,
        "  rows       {} buckets, {} objects of {}, {} open uploads of {} parts, {} inline bodies",
        counts.buckets,
        counts.objects,
        show_bytes(counts.bytes),
        counts.uploads,
        counts.parts,
        counts.inline
    );
    let by_copies =
        counts.blobs_by_copies.iter().rev().map(|(copies, blobs)| format!("{blobs} with {copies}"));
    let by_copies: Vec<String> = by_copies.collect();
    let by_copies = if by_copies.is_empty() { String::new() } else { format!(": {}", by_copies.join(", ")) };
    let _ = writeln!(
        text,
        "  blobs      {}{by_copies}; {} more await the reclaimer",
        counts.blobs, counts.awaiting_reclaim
    );
    if counts.named_by_copies_alone > 0 {
        let count = counts.named_by_copies_alone;
        let _ = writeln!(text, "             {count} are named by copies alone, their source has gone");
    }
    let how = match report.deep {
        true => format!("every block was read, {}", show_bytes(counts.verified_bytes)),
        false => "part files were opened, not read; --deep reads every block".to_owned(),
    };
    let _ = writeln!(text, "  depth      {how}\n");
    findings(&mut text, report);
    text
}

fn findings(text: &mut String, report: &Report) {
    for finding in &report.findings {
        let (severity, count) = (finding.severity.name(), finding.count);
        let _ = writeln!(text, "{severity:<9} {count:>7} × {}", finding.what);
        for example in &finding.examples {
            let _ = writeln!(text, "                    {example}");
        }
        let more = count - (finding.examples.len() as u64).min(count);
        if more > 0 && !finding.examples.is_empty() {
            let _ = writeln!(text, "                    … and {more} more");
        }
        let _ = writeln!(text, "                    → {}\n", finding.remedy);
    }
    match report.findings.iter().map(|finding| finding.count).sum::<u64>() {
        0 => text.push_str("Clean: everything that rows name is there, and nothing else is.\n"),
        count => drop(writeln!(text, "{count} findings.")),
    }
}

/// What a rebuild would do.
pub(super) fn plan(plan: &Plan) -> String {
    let mut text = String::from("Metadata is made anew from the part files on\n\n");
    for volume in &plan.volumes {
        let _ = writeln!(text, "  {}", volume.display());
    }
    for path in &plan.absent {
        let _ = writeln!(text, "  {}: NOT THERE, and what only it holds will be missing", path.display());
    }
    text.push('\n');
    for (from, to) in &plan.moved {
        let _ = writeln!(text, "  {} is moved to {}", from.display(), to.display());
    }
    for (_, path) in &plan.into {
        let _ = writeln!(text, "  the new metadata will be in {}", path.display());
    }
    text.push('\n');
    for (path, commit) in &plan.sound {
        let _ = writeln!(text, "  {} CAN BE OPENED, at commit {commit}, and knows more", path.display());
    }
    missing(&mut text);
    text
}

fn missing(text: &mut String) {
    text.push_str("What cannot be brought back, because no part file knows of it:\n\n");
    for what in MISSING {
        let _ = writeln!(text, "  - {what}");
    }
    text.push('\n');
}

/// What it means that one replica of the metadata goes on alone.
pub(super) fn sole_voter(sole: &SoleVoter) -> String {
    let mut text = String::new();
    let (volume, commit) = (sole.volume.display(), sole.commit);
    let _ = writeln!(text, "The metadata on {volume} goes on alone, from commit {commit}.\n");
    for (path, commit) in &sole.others {
        let _ = writeln!(text, "  {} is at commit {commit}", path.display());
    }
    for path in &sole.absent {
        let _ = writeln!(text, "  {} is not there", path.display());
    }
    for (from, to) in &sole.moved {
        let _ = writeln!(text, "  {} is moved to {}", from.display(), to.display());
    }
    if let Some((path, commit)) = sole.better() {
        let _ =
            writeln!(text, "\n{} HAS MORE: {} commits. Rather go on with that one.", path.display(), commit);
    }
    text.push_str(
        "\nCommits that other replicas alone acknowledged are lost: objects written, changed or deleted shortly before may \
         be missing,\nold, or back. How many is not known. Should a replica that is away come back, it is made anew from this one.\n\n",
    );
    text
}

/// What a rebuild did.
pub(super) fn rebuilt(rebuilt: &Rebuilt, seconds: f64) -> String {
    let mut text = String::new();
    let rate = rebuilt.objects as f64 / seconds.max(0.001);
    let _ = writeln!(
        text,
        "{} objects of {} in {} buckets are back, {rate:.0} a second\n",
        rebuilt.objects,
        show_bytes(rebuilt.bytes),
        rebuilt.buckets
    );
    let lines = [
        ("part files read", rebuilt.files),
        ("damaged or unreadable files", rebuilt.bad_files),
        ("blobs that do not say whose they are", rebuilt.unknown_blobs),
        ("older generations left out", rebuilt.superseded),
        ("objects of deleted buckets left out", rebuilt.in_deleted_buckets),
        ("uploads made objects of", rebuilt.uploads_as_objects),
        ("uploads that are open again", rebuilt.open_uploads),
        ("uploads with gaps between their parts", rebuilt.uploads_with_gaps),
        ("blobs queued for repair", rebuilt.short_of_copies),
    ];
    for (what, count) in lines {
        let _ = writeln!(text, "  {what:<38} {count:>10}");
    }
    text.push('\n');
    for what in &rebuilt.assumed {
        let _ = writeln!(text, "  an object of an upload, completed or not: {what}");
    }
    for what in &rebuilt.left_out {
        let _ = writeln!(text, "  {what}");
    }
    for (from, to) in &rebuilt.moved {
        let _ = writeln!(text, "  {} is now {}", from.display(), to.display());
    }
    text.push('\n');
    missing(&mut text);
    text.push_str(
        "What was left out is removed by the server's sweep once it is a day old: copy it away before the next start if \
         it is wanted.\n",
    );
    text
}
