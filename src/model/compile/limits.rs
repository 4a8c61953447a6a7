//! What is written of limits → what is borne.

use crate::model::RejectLimits;
use crate::spec::{At, Problems};

/// How many rejects are borne.
pub(super) fn of_rejects(
    most: Option<&At<i64>>,
    share: Option<&At<f64>>,
    problems: &mut Problems,
) -> RejectLimits {
    if let Some(share) = share.filter(|share| !(0.0..=1.0).contains(&share.value)) {
        problems.add(share.span, "a share lies between 0 and 1", "one in a hundred is 0.01");
    }
    if let Some(most) = most.filter(|most| most.value < 0) {
        problems.add(most.span, "`max_rejects` is negative", "0 allows none; leave it out for no limit");
    }
    RejectLimits {
        max_rejects: most.and_then(|most| u64::try_from(most.value).ok()),
        max_reject_share: share.map(|share| share.value),
    }
}
