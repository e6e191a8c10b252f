//! A growing table in shared chunks: a fork copies pointers, its next write one chunk.

use alloc::sync::Arc;
use alloc::vec::Vec;

const CHUNK: usize = 64;

/// Values by a dense index from 1, as the log's.
#[derive(Clone, Debug)]
pub(super) struct Chunked<T> {
    chunks: Vec<Arc<Vec<T>>>,
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T: Clone + Default> Chunked<T> {
    /// The value at `index`, where one was written.
    pub fn get(&self, index: u64) -> Option<&T> {
        let at = usize::try_from(index.checked_sub(1)?).ok()?;
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    /// The value at `index`, to be written. Everything before it that was never written is the
    /// default.
    pub fn entry(&mut self, index: u64) -> &mut T {
        assert!(index > 0, "logs start at 1");
        let at = (index - 1) as usize;
        while self.chunks.len() <= at / CHUNK {
            if let Some(last) = self.chunks.last_mut() {
                let last = Arc::make_mut(last);
                last.resize_with(CHUNK, T::default);
            }
            self.chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        let chunk = Arc::make_mut(&mut self.chunks[at / CHUNK]);
        if chunk.len() <= at % CHUNK {
            chunk.resize_with(at % CHUNK + 1, T::default);
        }
        &mut chunk[at % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_they_were_written() {
        let mut table = Chunked::default();
        for index in [1_u64, 2, 64, 65, 200] {
            *table.entry(index) = index;
        }
        assert_eq!(table.get(0), None);
        assert_eq!(table.get(64), Some(&64));
        assert_eq!(table.get(130), Some(&0));
        assert_eq!(table.get(200), Some(&200));
        assert_eq!(table.get(201), None);
    }

    #[test]
    fn a_fork_keeps_its_own_values() {
        let mut table = Chunked::default();
        *table.entry(70) = 7_u64;
        let fork = table.clone();
        *table.entry(70) = 8;
        assert_eq!(fork.get(70), Some(&7));
        assert_eq!(table.get(70), Some(&8));
    }
}
