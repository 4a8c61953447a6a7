//! A failing log → the smallest one we can find that still fails (delta debugging over its lines and cuts).

/// Removes ever smaller pieces for as long as `fails` holds of what remains.
pub fn shrink<T: Clone>(log: &[T], fails: impl Fn(&[T]) -> bool) -> Vec<T> {
    let mut smallest = log.to_vec();
    let mut piece = smallest.len().div_ceil(2);
    while piece > 0 {
        let mut start = 0;
        let mut removed_any = false;
        while start < smallest.len() {
            let end = (start + piece).min(smallest.len());
            let candidate = [&smallest[..start], &smallest[end..]].concat();
            if fails(&candidate) {
                smallest = candidate;
                removed_any = true;
            } else {
                start = end;
            }
        }
        if piece > 1 || !removed_any {
            piece /= 2;
        }
    }
    smallest
}
