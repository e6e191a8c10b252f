//! A growing table by index whose copy costs one reference count. Its head can be forgotten, so that a
//! long run needs no more than its tail.

use super::CHUNK_ENTRIES_MAX as CHUNK;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Values by a dense index from 1, as the log's.
#[derive(Clone, Debug)]
pub struct Table<T> {
    chunks: Arc<Vec<Arc<Vec<T>>>>,
    /// How many chunks were forgotten.
    gone: usize,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { chunks: Arc::default(), gone: 0 }
    }
}

impl<T: Clone + Default> Table<T> {
    /// The value at `index`, where one was written.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&T> {
        let at = usize::try_from(index.checked_sub(1)?).ok()?;
        self.chunks.get((at / CHUNK).checked_sub(self.gone)?)?.get(at % CHUNK)
    }

    /// The value at `index`, to be written; `None` where it was forgotten. Everything before it
    /// that was never written is the default.
    pub fn entry(&mut self, index: u64) -> Option<&mut T> {
        assert!(index > 0, "logs start at 1");
        let at = (index - 1) as usize;
        if self.chunks.is_empty() {
            // Nothing was written, so nothing before this chunk is missed.
            self.gone = self.gone.max(at / CHUNK);
        }
        let place = (at / CHUNK).checked_sub(self.gone)?;
        let chunks = Arc::make_mut(&mut self.chunks);
        while chunks.len() <= place {
            if let Some(last) = chunks.last_mut() {
                let last = Arc::make_mut(last);
                last.resize_with(CHUNK, T::default);
            }
            chunks.push(Arc::new(Vec::with_capacity(CHUNK)));
        }
        let chunk = Arc::make_mut(&mut chunks[place]);
        if chunk.len() <= at % CHUNK {
            chunk.resize_with(at % CHUNK + 1, T::default);
        }
        chunk.get_mut(at % CHUNK)
    }

    /// Forgets what lies before `index`, as far as whole chunks do.
    pub fn forget_before(&mut self, index: u64) {
        let before = (index.saturating_sub(1) as usize / CHUNK).saturating_sub(self.gone);
        if before > 0 {
            let chunks = Arc::make_mut(&mut self.chunks);
            let before = before.min(chunks.len().saturating_sub(1));
            chunks.drain(..before);
            self.gone += before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_they_were_written() {
        let mut table = Table::default();
        for index in [1_u64, 2, 64, 65, 200] {
            *table.entry(index).unwrap() = index;
        }
        assert_eq!(table.get(0), None);
        assert_eq!(table.get(64), Some(&64));
        assert_eq!(table.get(130), Some(&0));
        assert_eq!(table.get(200), Some(&200));
        assert_eq!(table.get(201), None);
    }

    #[test]
    fn a_fork_keeps_its_own_values() {
        let mut table = Table::default();
        *table.entry(70).unwrap() = 7_u64;
        let fork = table.clone();
        *table.entry(70).unwrap() = 8;
        assert_eq!(fork.get(70), Some(&7));
        assert_eq!(table.get(70), Some(&8));
    }

    #[test]
    fn the_head_is_forgotten_in_whole_chunks() {
        let mut table = Table::default();
        (1..=300_u64).for_each(|index| *table.entry(index).unwrap() = index);
        table.forget_before(200);
        assert_eq!((table.get(192), table.get(193)), (None, Some(&193)));
        assert_eq!(table.entry(100), None);
        *table.entry(301).unwrap() = 301;
        assert_eq!(table.get(301), Some(&301));
    }
}
