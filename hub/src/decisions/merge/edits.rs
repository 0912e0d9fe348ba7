//! Slips of the hand: letters changed, left out, added, or changed places.

/// Whether at most `most` letters were changed, left out, added, or changed places with a neighbour, of which one may have
/// got another letter between them: Damerau's distance, for one slip or two.
pub(super) fn within(x: &[u8], y: &[u8], most: usize) -> bool {
    debug_assert!(most <= 2, "of three slips more is possible than is tried here");
    if x.len().abs_diff(y.len()) > most {
        return false;
    }
    // what both begin and end with costs nothing, whatever stands between
    let (x, y) = without_beginning(x, y);
    let same = x.iter().rev().zip(y.iter().rev()).take_while(|(a, b)| a == b).count();
    is_within(&x[..x.len() - same], &y[..y.len() - same], most)
}

fn without_beginning<'a>(x: &'a [u8], y: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let same = x.iter().zip(y).take_while(|(a, b)| a == b).count();
    (&x[same..], &y[same..])
}

fn is_within(x: &[u8], y: &[u8], most: usize) -> bool {
    let (x, y) = without_beginning(x, y);
    let ([a, x_rest @ ..], [b, y_rest @ ..]) = (x, y) else { return x.len().max(y.len()) <= most };
    let Some(left) = most.checked_sub(1).filter(|_| x.len().abs_diff(y.len()) <= most) else { return false };
    let changed = is_within(x_rest, y_rest, left)
        || x.len() >= y.len() && is_within(x_rest, y, left)
        || y.len() >= x.len() && is_within(x, y_rest, left);
    // the two that change places may have a letter between them in one of the words
    let turned = x.get(1) == Some(b) && y.get(1) == Some(a) && is_within(&x[2..], &y[2..], left);
    let apart = |x: &[u8], y: &[u8]| {
        x.get(2) == Some(&y[0]) && y.get(1) == Some(&x[0]) && is_within(&x[3..], &y[2..], 0)
    };
    changed || turned || left == 1 && (apart(x, y) || apart(y, x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted_as_damerau_does() {
        let mut words: Vec<Vec<u8>> = vec![Vec::new()];
        for from in 0.. {
            if words[from].len() == 5 {
                break;
            }
            for letter in b"abc" {
                let word = [&words[from][..], &[*letter]].concat();
                words.push(word);
            }
        }
        for x in &words {
            for y in &words {
                let distance = strsim::generic_damerau_levenshtein(x, y);
                for most in 0..=2 {
                    assert_eq!(within(x, y, most), distance <= most, "{x:?} {y:?}");
                }
            }
        }
    }
}
