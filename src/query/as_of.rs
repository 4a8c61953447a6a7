//! (release, instant) → views of its dimensions as they were at that instant, for facts of any time.
//!
//! A fact holds the key of the version that was valid at its own time. Such a view has a row for each key that a
//! fact may hold, with what was true of that member at one instant for all: so `JOIN ... USING (product_key)` finds
//! every row of a fact, exactly once. What was true is the version valid then; before the first version, the first;
//! in a gap or after a close, the last one before (DESIGN 13).

use super::spec::View;
use super::sql::{identifier, qualified};
use crate::history::FOREVER;
use crate::layout::Layout;
use crate::warehouse::{Release, WideRelation};

/// Now, where nobody asks for a clock: behind all that can happen, before the end of all intervals.
const BEHIND_ALL: i64 = FOREVER - 1;

/// The key of the version whose attributes a row shows.
const VERSION_KEY: &str = "_version_key";
/// Whether that version was valid then.
const IS_VALID: &str = "_is_valid";

/// A view in the schema `now` for each dimension of the release: each member as it is now.
#[must_use]
pub fn now(release: &Release, layout: Layout) -> Vec<View> {
    views(release, layout, "now", BEHIND_ALL)
}

/// A view in the schema `as_of` for each dimension of the release: each member as it was at an instant (UTC
/// microseconds). They stand on those of [`describe`](super::describe) and come after them.
#[must_use]
pub fn as_of(release: &Release, layout: Layout, instant: i64) -> Vec<View> {
    views(release, layout, "as_of", instant.min(BEHIND_ALL))
}

fn views(release: &Release, layout: Layout, schema: &str, instant: i64) -> Vec<View> {
    let wide = release.manifest().relations.wide.get(&layout.to_string());
    wide.map_or_else(Vec::new, |wide| members(wide, schema, instant))
}

/// The same for these wide relations: none is the instant behind all. They stand on the relations' views in `star`.
pub(crate) fn members_at(wide: &[WideRelation], schema: &str, instant: Option<i64>) -> Vec<View> {
    members(wide, schema, instant.unwrap_or(BEHIND_ALL).min(BEHIND_ALL))
}

fn members(wide: &[WideRelation], schema: &str, instant: i64) -> Vec<View> {
    // A release of an older program does not say by what members are known.
    let wide = wide.iter().filter(|wide| !wide.natural_key.is_empty());
    wide.filter_map(|wide| view(wide, schema, instant)).collect()
}

fn view(wide: &WideRelation, schema: &str, instant: i64) -> Option<View> {
    let (key, attributes) = wide.columns.split_first()?;
    let own = [
        (VERSION_KEY, format!("The row of the version shown: it equals `{}` in one row a member", key.name)),
        (IS_VALID, "Whether that version was valid then; if not, it is the nearest by rule".to_owned()),
    ];
    let comments = wide.columns.iter().map(|column| (column.name.clone(), column.comment.clone()));
    let own = own.map(|(name, comment)| (name.to_owned(), comment));
    let shown = attributes.iter().map(|column| format!("version.{}", identifier(&column.name)));
    let shown: Vec<String> = shown.collect();
    let (relation, key) = (qualified("star", &wide.name), identifier(&key.name));
    let (version_key, is_valid) = (identifier(VERSION_KEY), identifier(IS_VALID));
    // Reserved rows have no natural key: each is a member of its own.
    let mut member = vec![format!("least({key}, 0)")];
    member.extend(wide.natural_key.iter().map(|column| identifier(column)));
    let at = format!("make_timestamp({instant})");
    let sql = format!(
        "SELECT slot.{key}, {shown}, slot.{version_key}, \
         version.valid_from <= {at} AND {at} < version.valid_to AS {is_valid} \
         FROM (SELECT {key}, first_value({key}) OVER (PARTITION BY {member} \
         ORDER BY CASE WHEN valid_from <= {at} THEN valid_from END DESC NULLS LAST, valid_from) \
         AS {version_key} FROM {relation}) AS slot \
         JOIN {relation} AS version ON version.{key} = slot.{version_key}",
        shown = shown.join(", "),
        member = member.join(", "),
    );
    Some(View {
        schema: schema.to_owned(),
        name: wide.name.clone(),
        sql,
        comment: None,
        column_comments: comments.chain(own).collect(),
    })
}
