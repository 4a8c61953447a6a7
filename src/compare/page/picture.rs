//! Tables of a layout → a picture of its schema: boxes with their columns, and an arrow for every key that leads on.

use super::figure::{In, escaped};
use super::plot::{clipped, svg};
use crate::compare::report::{ColumnFigures, LayoutFigures, TableFigures, TableKind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const BOX: f64 = 196.0;
const HEAD: f64 = 38.0;
const LINE: f64 = 17.0;
const GAP: f64 = 54.0;
const BETWEEN: f64 = 22.0;
/// As many columns of a table as a person looks at; a key that leads on is always shown.
const SHOWN: usize = 13;
/// As many of a fact: its measures come last.
const SHOWN_OF_FACT: usize = 22;
/// As many as that of a table that stands alone.
const SHOWN_ALONE: usize = 120;

/// The picture of one layout.
pub fn schema(layout: &LayoutFigures, index: usize) -> String {
    let title = format!(
        "Schema of the {}: {}",
        layout.name,
        layout.tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>().join(", ")
    );
    let has_arrows =
        layout.tables.iter().flat_map(|table| &table.columns).any(|column| column.leads_to.is_some());
    if has_arrows { joined(layout, index, &title) } else { alone(layout, index, &title) }
}

/// A table where it stands.
struct Placed<'a> {
    table: &'a TableFigures,
    /// Index among the layout's tables.
    at: usize,
    shown: Vec<&'a ColumnFigures>,
    x: f64,
    y: f64,
}

impl Placed<'_> {
    fn height(&self) -> f64 {
        let rest = usize::from(self.shown.len() < self.table.columns.len());
        HEAD + LINE * (self.shown.len() + rest) as f64 + 8.0
    }

    /// The middle of a column's line.
    fn line(&self, column: &str) -> f64 {
        let place = self.shown.iter().position(|shown| shown.name == column).unwrap_or_default();
        self.y + HEAD + LINE * (place as f64 + 0.5) + 3.0
    }

    fn key_line(&self) -> f64 {
        let key = self.shown.iter().find(|column| column.is_key);
        key.map_or(self.y + HEAD / 2.0, |key| self.line(&key.name))
    }
}

/// Facts in one column; from them lead chains of tables, to both sides if they are short, else to the right.
fn joined(layout: &LayoutFigures, index: usize, title: &str) -> String {
    let tables: BTreeMap<&str, usize> =
        layout.tables.iter().enumerate().map(|(at, table)| (table.name.as_str(), at)).collect();
    let facts: Vec<usize> = of_kind(layout, TableKind::Fact);
    let chains = chains(layout, &tables, &facts);
    let depth = chains.iter().map(Vec::len).max().unwrap_or_default();
    let both_sides = depth <= 1 && chains.len() > 1;

    // Each chain goes to the side that is shorter so far.
    let height = |chain: &[usize]| {
        chain.iter().map(|at| place(layout, *at, 0.0, 0.0).height()).fold(0.0, f64::max) + BETWEEN
    };
    let mut sides: [(f64, Vec<&Vec<usize>>); 2] = [(0.0, Vec::new()), (0.0, Vec::new())];
    for chain in &chains {
        let side = usize::from(both_sides && sides[1].0 < sides[0].0);
        sides[side].0 += height(chain);
        sides[side].1.push(chain);
    }
    let facts_height: f64 = facts.iter().map(|at| height(&[*at])).sum();
    let total = sides[0].0.max(sides[1].0).max(facts_height) - BETWEEN;
    let left = if both_sides { 1.0 } else { 0.0 };
    let column = |at: f64| 6.0 + at * (BOX + GAP);

    let mut placed: BTreeMap<usize, Placed<'_>> = BTreeMap::new();
    let mut y = (total + BETWEEN - facts_height) / 2.0;
    for at in &facts {
        placed.insert(*at, place(layout, *at, column(left), y));
        y += height(&[*at]);
    }
    for (side, (side_height, chains)) in sides.iter().enumerate() {
        let mut y = (total + BETWEEN - side_height) / 2.0;
        for chain in chains {
            for (step, at) in chain.iter().enumerate() {
                let step = step as f64 + 1.0;
                let x = if side == 0 { column(left + step) } else { column(left - step) };
                placed.insert(*at, place(layout, *at, x, y));
            }
            y += height(chain);
        }
    }
    let columns = if both_sides { 3.0 } else { 1.0 + depth as f64 };
    let mut body = arrow_head(index);
    for from in placed.values() {
        for column in &from.shown {
            let to = column.leads_to.as_deref().and_then(|to| placed.get(tables.get(to)?));
            if let Some(to) = to {
                body.push_str(&arrow(from, &column.name, to, index));
            }
        }
    }
    placed.values().for_each(|table| body.push_str(&table_box(table, index)));
    svg(column(columns) - GAP + 6.0, total.max(60.0) + 8.0, title, (column(columns) * 0.62) as u32, &body)
}

/// One table, its columns side by side.
fn alone(layout: &LayoutFigures, index: usize, title: &str) -> String {
    const ACROSS: usize = 4;
    let (mut body, mut y) = (String::new(), 4.0);
    let wide = BOX * 1.22;
    for (at, table) in layout.tables.iter().enumerate() {
        let shown: Vec<&ColumnFigures> = table.columns.iter().take(SHOWN_ALONE).collect();
        let lines = shown.len().div_ceil(ACROSS);
        let rest = table.columns.len() - shown.len();
        let height = HEAD + LINE * (lines + usize::from(rest > 0)) as f64 + 10.0;
        body.push_str(&frame(table, index, at, 6.0, y, wide * ACROSS as f64, height));
        for (place, column) in shown.iter().enumerate() {
            let x = 6.0 + wide * (place / lines.max(1)) as f64;
            let line = y + HEAD + LINE * ((place % lines.max(1)) as f64 + 0.5) + 4.0;
            body.push_str(&column_line(column, x, line, wide));
        }
        if rest > 0 {
            let line = y + HEAD + LINE * (lines as f64 + 0.5) + 4.0;
            body.push_str(&text("rest", 24.0, line, "start", &format!("and {rest} more columns")));
        }
        y += height + BETWEEN;
    }
    svg(wide * ACROSS as f64 + 12.0, (y - BETWEEN + 4.0).max(8.0), title, 620, &body)
}

fn of_kind(layout: &LayoutFigures, kind: TableKind) -> Vec<usize> {
    (0..layout.tables.len()).filter(|at| layout.tables[*at].kind == kind).collect()
}

/// From each table that a fact leads to, the way up; what nobody leads to stands alone.
fn chains(layout: &LayoutFigures, tables: &BTreeMap<&str, usize>, facts: &[usize]) -> Vec<Vec<usize>> {
    let leads = |at: usize| {
        let columns = layout.tables.get(at).map_or(&[][..], |table| &table.columns);
        columns
            .iter()
            .filter_map(|column| tables.get(column.leads_to.as_deref()?).copied())
            .collect::<Vec<_>>()
    };
    let mut seen: BTreeSet<usize> = facts.iter().copied().collect();
    let firsts = facts.iter().flat_map(|fact| leads(*fact)).chain(of_kind(layout, TableKind::Dimension));
    let mut chains = Vec::new();
    for first in firsts.collect::<Vec<_>>() {
        let mut chain = Vec::new();
        let mut next = Some(first);
        while let Some(at) = next.filter(|at| seen.insert(*at)) {
            chain.push(at);
            next = leads(at).into_iter().find(|above| !seen.contains(above));
        }
        if !chain.is_empty() {
            chains.push(chain);
        }
    }
    chains
}

fn place(layout: &LayoutFigures, at: usize, x: f64, y: f64) -> Placed<'_> {
    let table = &layout.tables[at];
    let leads = table.columns.iter().filter(|column| column.leads_to.is_some()).count();
    let most = match table.kind {
        TableKind::Fact => SHOWN_OF_FACT,
        TableKind::Dimension => SHOWN,
    };
    let mut others = most.saturating_sub(leads);
    let shown = table.columns.iter().filter(|column| {
        let is_one = column.leads_to.is_some() || others > 0;
        if column.leads_to.is_none() && others > 0 {
            others -= 1;
        }
        is_one
    });
    Placed { table, at, shown: shown.collect(), x, y: y + 4.0 }
}

fn table_box(placed: &Placed<'_>, index: usize) -> String {
    let Placed { table, at, shown, x, y } = placed;
    let mut body = frame(table, index, *at, *x, *y, BOX, placed.height());
    for column in shown {
        body.push_str(&column_line(column, *x, placed.line(&column.name), BOX));
    }
    if shown.len() < table.columns.len() {
        let line = y + HEAD + LINE * (shown.len() as f64 + 0.5) + 3.0;
        let rest = format!("and {} more", table.columns.len() - shown.len());
        body.push_str(&text("rest", x + 18.0, line, "start", &rest));
    }
    body
}

/// The box itself, with the name of the table and its rows.
fn frame(table: &TableFigures, index: usize, at: usize, x: f64, y: f64, width: f64, height: f64) -> String {
    let kind = match table.kind {
        TableKind::Fact => "fact",
        TableKind::Dimension => "dim",
    };
    let rows = In::Svg.count(table.rows, &format!("/layouts/{index}/tables/{at}/rows"));
    let size = In::Svg.bytes(table.bytes, &format!("/layouts/{index}/tables/{at}/bytes"));
    let name = escaped(&clipped(&table.name, (width / 8.6) as usize));
    format!(
        "<g class=\"table {kind}\"><title>{}</title>\
         <rect class=\"box l{index}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"6\"/>\
         <path class=\"head l{index} {kind}\" d=\"M{x:.1} {:.1}v-{:.1}q0 -6 6 -6h{:.1}q6 0 6 6v{:.1}z\"/>{}{}</g>\n",
        escaped(&table.name),
        y + HEAD - 2.0,
        HEAD - 8.0,
        width - 12.0,
        HEAD - 8.0,
        text(&format!("title {kind}"), x + 10.0, y + 13.0, "start", &name),
        text(&format!("size {kind}"), x + 10.0, y + 27.0, "start", &format!("{rows} rows · {size}")),
    )
}

/// A diamond marks what rows are known by, an arrow what leads on.
fn column_line(column: &ColumnFigures, x: f64, y: f64, width: f64) -> String {
    let (sign, class) = match column {
        column if column.is_key => ("◆", "column key"),
        column if column.leads_to.is_some() => ("→", "column leads"),
        _ => ("", "column"),
    };
    let name = escaped(&clipped(&column.name, ((width - 30.0) / 6.6) as usize));
    let hint = escaped(&format!("{} {}", column.name, column.sql_type));
    let sign = text("sign", x + 12.0, y, "middle", sign);
    format!("{sign}<g><title>{hint}</title>{}</g>", text(class, x + 22.0, y, "start", &name))
}

fn text(class: &str, x: f64, y: f64, anchor: &str, inner: &str) -> String {
    format!(
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" dominant-baseline=\"central\">{inner}</text>"
    )
}

fn arrow_head(index: usize) -> String {
    format!(
        "<defs><marker id=\"tip{index}\" class=\"l{index}\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" \
         markerHeight=\"7\" orient=\"auto-start-reverse\"><path class=\"tip l{index}\" d=\"M0 1L9 5L0 9Z\"/></marker></defs>"
    )
}

/// From the column that holds the key to the key itself, on the sides that face each other.
fn arrow(from: &Placed<'_>, column: &str, to: &Placed<'_>, index: usize) -> String {
    let (y1, y2) = (from.line(column), to.key_line());
    let goes_right = to.x >= from.x;
    let (x1, x2) = if goes_right { (from.x + BOX, to.x - 2.0) } else { (from.x, to.x + BOX + 2.0) };
    let bend = if goes_right { GAP * 0.55 } else { -GAP * 0.55 };
    let mut path = String::new();
    let _ =
        write!(path, "M{x1:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {x2:.1} {y2:.1}", x1 + bend, x2 - bend);
    format!("<path class=\"arrow l{index}\" d=\"{path}\" marker-end=\"url(#tip{index})\"/>\n")
}
