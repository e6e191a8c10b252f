//! Writing a file whole or not at all: beside its place, synced, then renamed. Everything that the
//! lab writes goes through here, but for logs, which are appended to.
//!
//! Whoever reads sees the old file or the new one. A full disk, a file in the way and an interrupt
//! leave the old one and nothing beside it. A process that is killed at once leaves the part that it
//! had written, and the next that writes the same file takes it away: a part whose writer lives is
//! locked.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How the name of a part ends.
const PARTIAL: &str = "partial";

/// Parts that this process is writing: an exit at once takes them away.
static PARTS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// How many parts this process has begun: two threads never share a name.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// Writes `content` to `path`, whose folder is made where it is missing. A link is followed; a
/// device or a pipe has no place beside it and is written to as it is.
///
/// # Errors
/// When the disk is full, a permission is missing or a folder stands in the way; then the file is
/// what it was.
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = fs::metadata(path).ok();
    if old.as_ref().is_some_and(|old| !old.is_file() && !old.is_dir()) {
        return fs::write(path, content);
    }
    fs::create_dir_all(folder(path))?;
    take_away_dead_parts(path);
    let part = Part::of(path);
    let file = part.fill(content.as_ref())?;
    if let Some(old) = old {
        file.set_permissions(old.permissions())?;
    }
    part.put(path)
}

/// Writes a file that nobody else has, and waits until it is on the disk.
///
/// # Errors
/// When it exists or cannot be written.
pub fn fill(path: &Path, content: &[u8]) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    // Where nothing can be locked, a dead part stays until somebody removes it.
    drop(file.try_lock());
    file.write_all(content)?;
    file.sync_all()?;
    Ok(file)
}

/// Takes away what this process has begun to write. For an exit at once only: whoever goes on would
/// miss its part.
pub fn abandon() {
    for part in parts().iter() {
        remove(part);
    }
}

/// The folder that a file lies in.
#[must_use]
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// A file or a folder on its way to its place. It is removed when it does not come there.
#[derive(Debug)]
pub struct Part {
    path: PathBuf,
}

impl Part {
    /// A name beside `target` that no other process and no other thread uses. Nothing is written yet.
    #[must_use]
    pub fn of(target: &Path) -> Self {
        let path = beside(target, PARTIAL);
        parts().insert(path.clone());
        Self { path }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn fill(&self, content: &[u8]) -> io::Result<File> {
        fill(&self.path, content)
    }

    /// Moves it to its place.
    ///
    /// # Errors
    /// When it cannot be moved there.
    pub fn put(self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        sync_folder(folder(target));
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        remove(&self.path);
        parts().remove(&self.path);
    }
}

/// A hidden name beside `target`, of this process alone, that ends with `.suffix`.
#[must_use]
pub fn beside(target: &Path, suffix: &str) -> PathBuf {
    let leaf = target.file_name().unwrap_or_default().to_string_lossy();
    let nth = BEGUN.fetch_add(1, Ordering::Relaxed);
    folder(target).join(format!(".{leaf}.{}-{nth}.{suffix}", process::id()))
}

/// What [`beside`] named for `target`, in this process or in another one.
#[must_use]
pub fn all_beside(target: &Path, suffix: &str) -> Vec<PathBuf> {
    let leaf = target.file_name().unwrap_or_default().to_string_lossy();
    let (head, tail) = (format!(".{leaf}."), format!(".{suffix}"));
    let is_one = |name: &str| {
        let middle = name.strip_prefix(&head).and_then(|rest| rest.strip_suffix(&tail));
        middle.is_some_and(|of| of.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit()))
    };
    let Ok(entries) = fs::read_dir(folder(target)) else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<PathBuf> = paths
        .filter(|path| path.file_name().is_some_and(|name| is_one(&name.to_string_lossy())))
        .collect();
    found.sort();
    found
}

fn take_away_dead_parts(target: &Path) {
    for part in all_beside(target, PARTIAL) {
        let is_dead = File::open(&part).is_ok_and(|file| file.try_lock().is_ok());
        if is_dead {
            remove(&part);
        }
    }
}

/// Takes away the parts of a folder `target`, none of which has a writer.
pub fn take_away_parts(target: &Path) {
    all_beside(target, PARTIAL).iter().for_each(|part| remove(part));
}

/// Makes the names in a folder last. Where folders cannot be opened there is nothing to do.
pub fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        drop(folder.sync_all());
    }
}

/// Best effort: what went wrong before is what the user needs to hear of.
fn remove(part: &Path) {
    if fs::remove_file(part).is_err() {
        drop(fs::remove_dir_all(part));
    }
}

fn parts() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PARTS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("chaoslab-{}-{name}", process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_and_its_folder_made() {
        let place = place("replaced");
        let path = place.join("a/b.txt");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(names(&place.join("a")), ["b.txt"]);
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let place = place("in-the-way");
        fs::create_dir(place.join("x")).unwrap();
        assert!(write(&place.join("x"), "text").is_err());
        assert_eq!(names(&place), ["x"]);
        fs::remove_dir_all(place).unwrap();
    }

    #[test]
    fn dead_parts_go_and_living_ones_and_others_stay() {
        let place = place("parts");
        let path = place.join("x.toml");
        fs::write(place.join(".x.toml.1-0.partial"), "dead").unwrap();
        fs::write(place.join(".x.toml.old.1-0.partial"), "of another file").unwrap();
        let living = fill(&place.join(".x.toml.2-0.partial"), b"living").unwrap();
        write(&path, "text").unwrap();
        let left = names(&place);
        assert_eq!(left, [".x.toml.2-0.partial", ".x.toml.old.1-0.partial", "x.toml"]);
        drop(living);
        fs::remove_dir_all(place).unwrap();
    }
}
