//! Work for all cores.

use std::thread;

use crate::decisions::merge::{Register, candidates::Pair, clusters::Edge};

/// What `work` makes of each of `all`, in their order, by as many threads as there are cores.
pub fn on_all_cores<T: Sync, R: Send>(all: &[T], work: impl Fn(&[T]) -> Vec<R> + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(cores).max(1);
    thread::scope(|scope| {
        let work = &work;
        let shares: Vec<_> = all.chunks(share).map(|share| scope.spawn(move || work(share))).collect();
        shares.into_iter().flat_map(|share| share.join().expect("the work does not panic")).collect()
    })
}

/// The pairs that anybody could care about, weighed.
pub fn weighed(register: &Register, pairs: &[Pair]) -> Vec<Edge> {
    let least = register.model.cut.ask;
    on_all_cores(pairs, |pairs| pairs.iter().filter_map(|(a, b)| register.edge_from(*a, *b, least)).collect())
}
