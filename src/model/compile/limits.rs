//! What is written of limits → what is borne.

use crate::model::{Limits, RejectLimits};
use crate::spec::{At, LimitsSpec, Problems};
use std::ops::RangeInclusive;

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

/// What a line and a file may be. The ranges are those that the schema of pipelines names: text of a line is counted in
/// 32 bits, and the scanner calls itself for each level.
pub(super) fn of_lines(spec: Option<&LimitsSpec>, problems: &mut Problems) -> Limits {
    let default = Limits::default();
    let Some(spec) = spec else { return default };
    let mut within = |written: &Option<At<i64>>, range: RangeInclusive<i64>| {
        let written = written.as_ref()?;
        if !range.contains(&written.value) {
            let message = format!("{} is beyond what can be declared", written.value);
            problems.add(written.span, message, format!("write {} to {}", range.start(), range.end()));
        }
        Some(written.value)
    };
    let line_bytes = within(&spec.line_bytes, 64..=1 << 30);
    let depth = within(&spec.depth, 2..=i64::from(Limits::DEEPEST));
    let fields = within(&spec.fields, 1..=1_000_000);
    let key_bytes = within(&spec.key_bytes, 1..=1 << 30);
    let record_lines = within(&spec.record_lines, 1..=1_000_000_000);
    let ratio = within(&spec.decompression_ratio, 2..=1_000_000);
    Limits {
        line_bytes: line_bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or(default.line_bytes),
        depth: depth.and_then(|depth| depth.try_into().ok()).unwrap_or(default.depth),
        fields: fields.and_then(|fields| fields.try_into().ok()).unwrap_or(default.fields),
        key_bytes: key_bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or(default.key_bytes),
        record_lines: record_lines.and_then(|lines| lines.try_into().ok()).unwrap_or(default.record_lines),
        decompression_ratio: ratio
            .and_then(|ratio| ratio.try_into().ok())
            .unwrap_or(default.decompression_ratio),
    }
}
