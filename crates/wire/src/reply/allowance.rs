//! What a reply may still grow by where several threads write parts of it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that the parts of one reply may take together, on whatever threads they are written.
#[derive(Debug)]
pub struct Allowance {
    left: AtomicUsize,
}

impl Allowance {
    /// So many bytes.
    pub const fn new(bytes: usize) -> Self {
        Self {
            left: AtomicUsize::new(bytes),
        }
    }

    /// Takes so many bytes, or none where fewer are left; whether it did.
    pub fn take(&self, bytes: usize) -> bool {
        let rest = |left: usize| left.checked_sub(bytes);
        // A number alone: nothing is read by what it says.
        let (now, then) = (Ordering::Relaxed, Ordering::Relaxed);
        self.left.fetch_update(now, then, rest).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_is_taken_twice() {
        let allowance = Allowance::new(100_000);
        let took = std::thread::scope(|scope| {
            let taker = |_| scope.spawn(|| (0..1_000).filter(|_| allowance.take(70)).count());
            let takers: Vec<_> = (0..4).map(taker).collect();
            takers
                .into_iter()
                .map(|t| t.join().expect("it counts"))
                .sum::<usize>()
        });
        assert_eq!(took, 100_000 / 70);
        assert!(!allowance.take(70) && allowance.take(100_000 % 70));
    }
}
