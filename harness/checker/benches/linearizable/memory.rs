//! What a piece of work needs of memory, where the system tells.

/// By how many bytes the peak of resident memory grows while `work` runs; `None` where the system
/// does not tell, or does not forget an earlier peak.
pub fn grown_by<T>(work: impl FnOnce() -> T) -> Option<u64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    let before = status("VmRSS:")?;
    drop(work());
    Some(status("VmHWM:")?.saturating_sub(before))
}

/// A line of the process's status, in bytes.
fn status(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1_024)
}
