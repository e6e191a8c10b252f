//! Names and inodes, each as the node sees it and as it is durable.

use super::image::Image;
use super::journal::Change;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use contract::FileId;

/// A file's data: what reads return, and what a crash leaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inode {
    pub cached: Image,
    pub durable: Image,
}

/// All files of a disk. Inodes are shared by forks until one of them writes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Files {
    names: BTreeMap<FileId, u32>,
    names_durable: BTreeMap<FileId, u32>,
    inodes: BTreeMap<u32, Rc<Inode>>,
    inodes_made: u32,
    used_bytes: u64,
}

impl Files {
    pub fn inode(&self, file: FileId) -> Option<u32> {
        self.names.get(&file).copied()
    }

    /// The file as the node sees it.
    pub fn cached(&self, file: FileId) -> Option<&Image> {
        Some(&self.inodes[self.names.get(&file)?].cached)
    }

    /// The file as a crash leaves it.
    pub fn durable(&self, file: FileId) -> Option<&Image> {
        Some(self.durable_inode(file)?.1)
    }

    /// The file as a crash leaves it, and its number.
    pub fn durable_inode(&self, file: FileId) -> Option<(u32, &Image)> {
        let inode = self.names_durable.get(&file)?;
        Some((*inode, &self.inodes[inode].durable))
    }

    /// The names that a crash leaves.
    pub fn durable_names(&self) -> impl Iterator<Item = FileId> + '_ {
        self.names_durable.keys().copied()
    }

    /// The bytes in use, as the node sees them.
    pub fn used_bytes(&self) -> u64 {
        self.used_bytes
    }

    /// Makes an empty file.
    pub fn create(&mut self, file: FileId) -> u32 {
        assert_ne!(file, FileId::DIRECTORY, "the directory is not a file");
        let inode = self.inodes_made;
        self.inodes_made += 1;
        self.inodes.insert(inode, Rc::default());
        let replaced = self.names.insert(file, inode);
        assert!(replaced.is_none(), "only a missing file is created");
        inode
    }

    pub fn write(&mut self, inode: u32, offset: u64, bytes: &[u8]) {
        self.change(inode, |image| image.write(offset, bytes));
    }

    pub fn set_len(&mut self, inode: u32, len_bytes: u64) {
        self.change(inode, |image| image.set_len(len_bytes));
    }

    /// Moves a name; `false` when it does not exist.
    pub fn rename(&mut self, from: FileId, to: FileId) -> Option<u32> {
        assert_ne!(from, to, "a file is not moved onto itself");
        assert_ne!(to, FileId::DIRECTORY, "the directory is not a file");
        let inode = self.names.remove(&from)?;
        if let Some(old) = self.names.insert(to, inode) {
            self.used_bytes -= self.inodes[&old].cached.len_bytes();
        }
        Some(inode)
    }

    /// Removes a name.
    pub fn remove(&mut self, file: FileId) -> Option<u32> {
        let inode = self.names.remove(&file)?;
        self.used_bytes -= self.inodes[&inode].cached.len_bytes();
        Some(inode)
    }

    /// One bit of a file rots: the node sees it and a crash does not repair it.
    pub fn flip(&mut self, file: FileId, bit: u64) {
        if let Some(inode) = self.names.get(&file).or(self.names_durable.get(&file)) {
            let inode = self.inodes.get_mut(inode).expect("a name has an inode");
            let inode = Rc::make_mut(inode);
            let bits = inode.durable.len_bytes().max(inode.cached.len_bytes()) * 8;
            if bits > 0 {
                let bit = bit % bits;
                for image in [&mut inode.durable, &mut inode.cached] {
                    if bit < image.len_bytes() * 8 {
                        image.flip(bit);
                    }
                }
            }
        }
    }

    /// Makes one operation durable.
    pub fn apply(&mut self, change: Change, bytes: &[u8]) {
        match change {
            Change::Write { inode, offset, start, len } => {
                assert!((start + len) as usize <= bytes.len(), "its bytes are there");
                let bytes = &bytes[start as usize..(start + len) as usize];
                self.harden(inode, |image| image.write(offset, bytes));
            }
            Change::SetLen { inode, len_bytes } => {
                self.harden(inode, |image| image.set_len(len_bytes));
            }
            Change::Create { file, inode } => {
                assert!(inode < self.inodes_made, "it was made");
                self.names_durable.insert(file, inode);
            }
            Change::Rename { from, to, inode } => {
                self.forget_name(from, inode);
                self.names_durable.insert(to, inode);
            }
            Change::Remove { file, inode } => self.forget_name(file, inode),
        }
    }

    /// After a crash: what is durable is all there is.
    pub fn revert(&mut self) {
        self.names = self.names_durable.clone();
        self.sweep();
        assert!(self.inodes.len() <= self.names.len(), "what has no durable name is gone");
        self.used_bytes = 0;
        for inode in self.inodes.values_mut() {
            let inode = Rc::make_mut(inode);
            inode.cached = inode.durable.clone();
            self.used_bytes += inode.cached.len_bytes();
        }
    }

    /// Forgets inodes that have no name left.
    pub fn sweep(&mut self) {
        let (names, durable) = (&self.names, &self.names_durable);
        self.inodes
            .retain(|inode, _| names.values().chain(durable.values()).any(|named| named == inode));
        assert!(self.inodes.len() <= names.len() + durable.len(), "an inode has a name");
    }

    fn forget_name(&mut self, file: FileId, inode: u32) {
        if self.names_durable.get(&file) == Some(&inode) {
            self.names_durable.remove(&file);
        }
    }

    fn change(&mut self, inode: u32, change: impl FnOnce(&mut Image)) {
        let inode = self.inodes.get_mut(&inode).expect("an open file has an inode");
        let image = &mut Rc::make_mut(inode).cached;
        self.used_bytes -= image.len_bytes();
        change(image);
        self.used_bytes += image.len_bytes();
    }

    /// An inode that lost its last name has nothing to harden.
    fn harden(&mut self, inode: u32, change: impl FnOnce(&mut Image)) {
        if let Some(inode) = self.inodes.get_mut(&inode) {
            change(&mut Rc::make_mut(inode).durable);
        }
    }
}
