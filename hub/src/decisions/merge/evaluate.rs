//! How right a merge is where the truth is known: of pairs, of records (B-cubed), of whole persons.

use serde::Serialize;

/// Precision, recall, and their harmonic mean.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Score {
    precision: f64,
    recall: f64,
    f1: f64,
}

impl Score {
    fn of(right: f64, told: f64, true_: f64) -> Self {
        let share = |all: f64| if all > 0.0 { right / all } else { 1.0 };
        Self::mean(share(told), share(true_))
    }

    fn mean(precision: f64, recall: f64) -> Self {
        let sum = precision + recall;
        Self { precision, recall, f1: if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 } }
    }
}

/// The figures, under the names that linkage tools use; ratios from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each name says what it counts")]
pub struct Evaluation {
    pub records: usize,
    pub entities_true: usize,
    pub clusters_pred: usize,
    pub pairs_true: u64,
    pub pairs_pred: u64,
    pub tp: u64,
    pub fp: u64,
    pub r#fn: u64,
    pub pairwise_p: f64,
    pub pairwise_r: f64,
    pub pairwise_f1: f64,
    pub b3_p: f64,
    pub b3_r: f64,
    pub b3_f1: f64,
    pub cluster_p: f64,
    pub cluster_r: f64,
    pub cluster_f1: f64,
    pub cluster_multi_p: f64,
    pub cluster_multi_r: f64,
    pub cluster_multi_f1: f64,
    pub largest_pred_cluster: u64,
    pub largest_true_cluster: u64,
    pub records_in_mixed_clusters: u64,
    pub records_absent_from_pred: usize,
    pub records_unknown_to_truth: usize,
}

fn pairs(n: u64) -> u64 {
    n * n.saturating_sub(1) / 2
}

/// How many records each group has, by its number.
fn sizes(groups: &[u32]) -> Vec<u64> {
    let mut sizes = vec![0; groups.iter().max().map_or(0, |most| *most as usize + 1)];
    for group in groups {
        sizes[*group as usize] += 1;
    }
    sizes
}

/// Compares the groups told with the true ones: the group of each record, by number. That each side knows the records of
/// the other is the caller's to say.
///
/// # Panics
/// If the two are not of the same records.
#[expect(clippy::cast_precision_loss, reason = "counts of records are far below 2^52")]
pub fn evaluate(told: &[u32], true_: &[u32]) -> Evaluation {
    assert_eq!(told.len(), true_.len(), "of the same records");
    let (told_sizes, true_sizes) = (sizes(told), sizes(true_));
    let mut both: Vec<(u32, u32)> = told.iter().copied().zip(true_.iter().copied()).collect();
    both.sort_unstable();
    let total = |sizes: &[u64]| sizes.iter().map(|n| pairs(*n)).sum::<u64>();
    let count = |sizes: &[u64], least: u64| sizes.iter().filter(|n| **n >= least).count();
    let (mut tp, mut b3_p, mut b3_r, mut mixed, mut exact, mut exact_multi) = (0, 0.0, 0.0, 0, 0_u32, 0_u32);
    for share in both.chunk_by(|x, y| x == y) {
        let n = share.len() as u64;
        let (told, true_) = (told_sizes[share[0].0 as usize], true_sizes[share[0].1 as usize]);
        tp += pairs(n);
        b3_p += (n * n) as f64 / told as f64;
        b3_r += (n * n) as f64 / true_ as f64;
        mixed += if n < told { n } else { 0 };
        let is_exact = n == told && n == true_;
        exact += u32::from(is_exact);
        exact_multi += u32::from(is_exact && n > 1);
    }
    let (pairs_pred, pairs_true) = (total(&told_sizes), total(&true_sizes));
    let by_pair = Score::of(tp as f64, pairs_pred as f64, pairs_true as f64);
    let records = told.len().max(1) as f64;
    let by_record = Score::mean(b3_p / records, b3_r / records);
    let of_groups = |exact: u32, least| {
        Score::of(f64::from(exact), count(&told_sizes, least) as f64, count(&true_sizes, least) as f64)
    };
    let (whole, multi) = (of_groups(exact, 1), of_groups(exact_multi, 2));
    let round = |value: f64| (value * 1e5).round() / 1e5;
    Evaluation {
        records: told.len(),
        entities_true: count(&true_sizes, 1),
        clusters_pred: count(&told_sizes, 1),
        pairs_true,
        pairs_pred,
        tp,
        fp: pairs_pred - tp,
        r#fn: pairs_true - tp,
        pairwise_p: round(by_pair.precision),
        pairwise_r: round(by_pair.recall),
        pairwise_f1: round(by_pair.f1),
        b3_p: round(by_record.precision),
        b3_r: round(by_record.recall),
        b3_f1: round(by_record.f1),
        cluster_p: round(whole.precision),
        cluster_r: round(whole.recall),
        cluster_f1: round(whole.f1),
        cluster_multi_p: round(multi.precision),
        cluster_multi_r: round(multi.recall),
        cluster_multi_f1: round(multi.f1),
        largest_pred_cluster: told_sizes.iter().copied().max().unwrap_or(0),
        largest_true_cluster: true_sizes.iter().copied().max().unwrap_or(0),
        records_in_mixed_clusters: mixed,
        records_absent_from_pred: 0,
        records_unknown_to_truth: 0,
    }
}
