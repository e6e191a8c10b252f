//! One node's files, with the semantics of a page cache: a write is visible at once, and durable
//! after a sync that succeeded.

use core::fmt;

/// A file of one node. File 0 is the directory: a rename or a removal is durable after it is
/// synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

impl FileId {
    /// The directory that holds all files of the node.
    pub const DIRECTORY: Self = Self(0);
}

/// What a node may do with its files. Reads and writes take effect at once, as on a real page
/// cache; the time that the device takes for them is charged to the node as if it had spent it.
pub trait Disk {
    /// The length of `file` in bytes; 0 where it does not exist.
    fn len_bytes(&self, file: FileId) -> u64;
    /// Whether `file` exists, also when it is empty.
    fn exists(&self, file: FileId) -> bool;
    /// Reads exactly `out.len()` bytes at `offset`. Reading past the end is
    /// [`DiskError::OutOfRange`].
    fn read_at(&mut self, file: FileId, offset: u64, out: &mut [u8]) -> Result<(), DiskError>;
    /// Writes `bytes` at `offset`, creating the file and filling a gap with zeros.
    fn write_at(&mut self, file: FileId, offset: u64, bytes: &[u8]) -> Result<(), DiskError>;
    /// Truncates or extends (with zeros) the file to `len_bytes`.
    fn set_len(&mut self, file: FileId, len_bytes: u64) -> Result<(), DiskError>;
    /// Moves `from` over `to`; durable after a sync of [`FileId::DIRECTORY`].
    fn rename(&mut self, from: FileId, to: FileId) -> Result<(), DiskError>;
    /// Removes `file`; durable after a sync of [`FileId::DIRECTORY`].
    fn remove(&mut self, file: FileId) -> Result<(), DiskError>;
    /// Makes `files` durable before it returns: the node is busy until the disk is done. For
    /// libraries that sync synchronously; nodes use [`crate::Fx::sync`].
    fn sync_now(&mut self, files: &[FileId]) -> Result<(), DiskError>;
}

/// What a loss of power at this instant would leave of a node's files: for those who judge the node,
/// also while it is up, and never for the node itself.
pub trait DurableFiles {
    /// The file that a boot would find under this name; `None` where it would find none.
    fn find(&self, file: FileId) -> Option<Found>;
    /// Reads bytes that are inside the file that [`DurableFiles::find`] finds.
    fn read_at(&self, file: FileId, offset: u64, out: &mut [u8]);
    /// False from the first time on that the device did what no loss of power does: a sync that
    /// lied, a damaged read or write, an empty disk put in its place. What the node promised may be
    /// gone without its fault.
    fn is_sound(&self) -> bool;
}

/// A durable file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which file it is: another number when another file has taken the name.
    pub inode: u32,
    /// Its length in bytes.
    pub len_bytes: u64,
}

/// What a disk answers when it cannot do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiskError {
    /// The sync failed. What was written since the last good sync may or may not be durable, and
    /// asking again proves nothing.
    SyncFailed,
    /// The device could not read the sector.
    ReadFailed,
    /// The device could not write the sector.
    WriteFailed,
    /// There is no space left.
    Full,
    /// The range is not inside the file.
    OutOfRange,
    /// There is no such file.
    NotFound,
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SyncFailed => "sync failed",
            Self::ReadFailed => "read failed",
            Self::WriteFailed => "write failed",
            Self::Full => "no space left on the disk",
            Self::OutOfRange => "range outside the file",
            Self::NotFound => "no such file",
        })
    }
}

/// What a crash does to what was never synced. Ordered from the mildest to the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiskFate {
    /// The process died, the machine did not: everything written is there.
    Kept,
    /// The machine lost power: what was not synced is gone.
    #[default]
    UnsyncedLost,
    /// Power was lost in the middle of a write: a prefix of the unsynced writes is there, the last
    /// of them cut at a sector boundary.
    Torn,
    /// The disk was replaced by an empty one.
    Wiped,
}

/// Of several outages the worst holds.
const _: () = {
    assert!((DiskFate::Kept as u8) < DiskFate::UnsyncedLost as u8);
    assert!((DiskFate::UnsyncedLost as u8) < DiskFate::Torn as u8);
    assert!((DiskFate::Torn as u8) < DiskFate::Wiped as u8);
};

/// The disk of a node that has none, for hosts of one node: nothing is on it, and nothing can be
/// put there or made durable.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDisk;

impl Disk for NoDisk {
    fn len_bytes(&self, _: FileId) -> u64 {
        0
    }
    fn exists(&self, _: FileId) -> bool {
        false
    }
    fn read_at(&mut self, _: FileId, _: u64, _: &mut [u8]) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }
    fn write_at(&mut self, _: FileId, _: u64, _: &[u8]) -> Result<(), DiskError> {
        Err(DiskError::WriteFailed)
    }
    fn set_len(&mut self, _: FileId, _: u64) -> Result<(), DiskError> {
        Err(DiskError::WriteFailed)
    }
    fn rename(&mut self, _: FileId, _: FileId) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }
    fn remove(&mut self, _: FileId) -> Result<(), DiskError> {
        Err(DiskError::NotFound)
    }
    fn sync_now(&mut self, _: &[FileId]) -> Result<(), DiskError> {
        Err(DiskError::SyncFailed)
    }
}
