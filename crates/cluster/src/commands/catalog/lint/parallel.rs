//! Work side by side, as much as there are cores.

use std::num::NonZero;
use std::sync::Mutex;
use std::thread;

/// Does `work` with every item, on all cores, and returns the results in the items' order.
pub(super) fn each<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let workers = thread::available_parallelism().map_or(2, NonZero::get).min(items.len());
    let results = Mutex::new(Vec::with_capacity(items.len()));
    let queue = Mutex::new(items.into_iter().enumerate());
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                // The lock is not held while the work is done.
                while let Some((index, item)) = next(&queue) {
                    let result = work(item);
                    results.lock().expect("no worker panics with the lock").push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no worker panics with the lock");
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

fn next<I: Iterator>(queue: &Mutex<I>) -> Option<I::Item> {
    queue.lock().expect("no worker panics with the lock").next()
}

#[cfg(test)]
mod tests {
    #[test]
    fn results_keep_the_order() {
        let items: Vec<_> = (0..100).collect();
        assert_eq!(super::each(items.clone(), |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!(super::each(Vec::<u8>::new(), |item| item).is_empty());
    }
}
