//! Work for all cores.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use crate::decisions::merge::{
    Register,
    candidates::{Candidates, Pair},
    clusters::Edge,
    compare::Levels,
};

/// Into so many shares work is parted for each core: who is done with one takes the next.
const SHARES: usize = 8;

/// So many are done sooner than a thread begins.
const FEW: usize = 16;

fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// What `worker` comes to, on each core, with the numbers below `count` that it takes: each number is taken once.
fn on_each_core<R: Send>(
    count: usize,
    worker: impl Fn(&mut dyn Iterator<Item = usize>) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let work = || {
        let taken = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|taken| *taken < count);
        worker(&mut std::iter::from_fn(taken))
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores().min(count)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().map(|worker| worker.join().expect("the work does not panic")).collect()
    })
}

/// What `work` makes of each of `all`, in their order, by as many threads as there are cores; of a few by this one.
pub fn on_all_cores<T: Sync, R: Send>(all: &[T], work: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R> {
    if all.len() < FEW {
        return work(all);
    }
    let shares: Vec<&[T]> = all.chunks(all.len().div_ceil(SHARES * cores()).max(1)).collect();
    let made = on_each_core(shares.len(), |taken| {
        taken.map(|share| (share, work(shares[share]))).collect::<Vec<_>>()
    });
    let mut made: Vec<(usize, Vec<R>)> = made.into_iter().flatten().collect();
    made.sort_unstable_by_key(|(share, _)| *share);
    made.into_iter().flat_map(|(_, made)| made).collect()
}

/// Hands what `work` makes of each lot, on all cores, to `take`, in the order in which `produce` gave them out. A few lots
/// are held at a time.
///
/// # Errors
/// Those of `produce`; what it gave out before is taken.
pub fn in_turn<L: Send, R: Send, E>(
    produce: impl FnOnce(&mut dyn FnMut(L)) -> Result<(), E>,
    work: impl Fn(L) -> R + Sync,
    mut take: impl FnMut(R) + Send,
) -> Result<(), E> {
    let (give, given) = mpsc::sync_channel::<(u64, L)>(cores());
    let (hand_on, handed_on) = mpsc::sync_channel::<(u64, R)>(cores());
    let (given, work) = (Mutex::new(given), &work);
    thread::scope(|scope| {
        let given = &given;
        for _ in 0..cores() {
            let hand_on = hand_on.clone();
            scope.spawn(move || {
                let next = || given.lock().ok()?.recv().ok();
                while let Some((n, lot)) = next() {
                    if hand_on.send((n, work(lot))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(hand_on);
        scope.spawn(move || {
            let (mut due, mut early) = (0, BTreeMap::new());
            for (n, made) in handed_on {
                early.insert(n, made);
                while let Some(made) = early.remove(&due) {
                    take(made);
                    due += 1;
                }
            }
        });
        let mut n = 0;
        let produced = produce(&mut |lot| {
            // nobody takes it only if who should has panicked: then this scope does
            let _ = give.send((n, lot));
            n += 1;
        });
        drop(give);
        produced
    })
}

/// The pairs that are to be compared.
pub fn candidates(register: &Register) -> Candidates {
    Candidates::of(on_each_core(register.key_count(), |keys| register.found_by(keys)))
}

/// The pairs that may come to something anybody could care about, compared.
pub fn compared(register: &Register, pairs: &[Pair]) -> Vec<(Pair, Levels)> {
    let least = register.model.cut.ask;
    let near = |pair: &Pair| Some((*pair, register.compare_from(pair.0, pair.1, least)?));
    on_all_cores(pairs, |pairs| pairs.iter().filter_map(near).collect())
}

/// The pairs that anybody could care about, weighed.
pub fn weighed(register: &Register, pairs: &[Pair]) -> Vec<Edge> {
    let least = register.model.cut.ask;
    on_all_cores(pairs, |pairs| pairs.iter().filter_map(|(a, b)| register.edge_from(*a, *b, least)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_at_the_same_time_stands_in_its_order() {
        let all: Vec<u32> = (0..10_000).collect();
        let doubled: Vec<u32> = all.iter().map(|n| 2 * n).collect();
        assert_eq!(on_all_cores(&all, |share| share.iter().map(|n| 2 * n).collect()), doubled);
        assert!(on_all_cores(&[], |share: &[u32]| share.to_vec()).is_empty());
        let mut taken = Vec::new();
        let produce = |give: &mut dyn FnMut(u32)| {
            for n in &all {
                give(*n);
            }
            Err("the end")
        };
        assert_eq!(in_turn(produce, |n| 2 * n, |made| taken.push(made)), Err("the end"));
        assert_eq!(taken, doubled);
    }
}
