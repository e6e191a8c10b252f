//! A list that only grows, in shared chunks: a fork of a run copies one pointer per chunk, not the
//! past.

use std::sync::Arc;

/// Items per chunk: large enough that the list of chunks stays short, small enough that the first
/// write after a fork copies little.
const CHUNK: usize = 256;

/// A growing list whose full chunks are shared with its clones.
#[derive(Clone, Debug)]
pub struct Chunks<T> {
    full: Vec<Arc<[T]>>,
    tail: Vec<T>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { full: Vec::new(), tail: Vec::new() }
    }
}

impl<T: Clone> Chunks<T> {
    /// Appends `item`.
    pub fn push(&mut self, item: T) {
        self.tail.push(item);
        if self.tail.len() == CHUNK {
            self.full.push(Arc::from(self.tail.as_slice()));
            self.tail.clear();
        }
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.full.len() * CHUNK + self.tail.len()
    }

    /// Whether nothing was pushed yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items in the order in which they were pushed.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.full.iter().flat_map(|chunk| chunk.iter()).chain(&self.tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_past_and_grow_apart() {
        let mut one = Chunks::default();
        (0..1_000).for_each(|i| one.push(i));
        let mut two = one.clone();
        one.push(1);
        two.push(2);
        assert_eq!(one.len(), 1_001);
        assert_eq!(
            one.iter().copied().collect::<Vec<_>>()[..1_000],
            (0..1_000).collect::<Vec<_>>()
        );
        assert_eq!(one.iter().last(), Some(&1));
        assert_eq!(two.iter().last(), Some(&2));
        assert!(Arc::ptr_eq(&one.full[0], &two.full[0]));
    }
}
