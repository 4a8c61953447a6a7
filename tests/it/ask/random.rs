//! Random questions: star = snowflake = the smallest view that can answer.

use super::{built, memory_folder};
use crate::oracle::random::{Random, random_log};
use crate::support::rows::Rows;
use crate::support::{World, repository};
use duckdb::Connection;
use starlog::ask::{self, Tables, View};
use starlog::layout::Layout;
use starlog::model::{self, AsOf, Asked, Column, Holds, Model, Question, ValueType, columns_of};
use starlog::query;
use starlog::spec::{At, Instant, QuestionSpec, Span};

/// A release's tables in memory: `star` and `snowflake`, and the other times' dimensions.
struct Base {
    connection: Connection,
    model: Model,
    /// For each column that a question may name: its type, and values of it, as literals.
    values: Vec<(String, ValueType, Vec<String>)>,
}

fn texts(connection: &Connection, sql: &str) -> Rows {
    let mut statement = connection.prepare(sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    let batches: Vec<_> =
        statement.query_arrow([]).unwrap_or_else(|error| panic!("{error}\n{sql}")).collect();
    let schema = statement.schema();
    let types = schema.fields().iter().map(|field| field.data_type().to_string()).collect();
    let mut rows = Rows::of(&schema, &batches);
    rows.rows.insert(0, types);
    rows
}

impl Base {
    fn of(world: &World) -> Self {
        let connection = Connection::open_in_memory().unwrap();
        let release = world.release();
        for layout in Layout::ALL {
            connection.execute_batch(&format!("CREATE SCHEMA {layout}")).unwrap();
            for (name, entry) in release.tables(layout) {
                let files: Vec<String> =
                    entry.files.iter().map(|file| format!("'{}'", release.path(file).display())).collect();
                let sql = format!(
                    "CREATE TABLE {layout}.{name} AS FROM read_parquet([{}], hive_partitioning = false)",
                    files.join(", ")
                );
                connection.execute_batch(&sql).unwrap();
            }
        }
        connection.execute_batch("CREATE VIEW dim_date AS FROM star.dim_date").unwrap();
        let day = world.model().calendar.last_instant(day()).unwrap().timestamp_micros();
        let others = query::now(&release, Layout::Star);
        for view in others.iter().chain(&query::as_of(&release, Layout::Star, day)) {
            let sql = format!(
                "CREATE SCHEMA IF NOT EXISTS {0}; CREATE TABLE {0}.{1} AS {2}",
                view.schema, view.name, view.sql
            );
            connection.execute_batch(&sql).unwrap();
        }
        let mut base = Self { connection, model: world.model().clone(), values: Vec::new() };
        base.values = (0..base.model.facts.len()).flat_map(|fact| base.names(fact)).collect();
        base
    }

    fn dates(&self) -> Vec<String> {
        self.model.calendar.names().into_iter().map(|name| format!("date.{name}")).collect()
    }

    fn own(&self, fact: usize) -> Vec<String> {
        let fact = &self.model.facts[fact];
        let own = fact.header.iter().chain(&fact.line).map(|column| column.name.clone());
        let own = own.chain(fact.columns.iter().map(|column| column.name.clone()));
        own.chain(fact.measures.iter().map(|measure| measure.name.clone()))
            .chain(["kind".to_owned()])
            .collect()
    }

    fn of_roles(&self, fact: usize) -> Vec<String> {
        let roles = self.model.facts[fact].roles.iter();
        let names = roles.flat_map(|role| {
            let columns = columns_of(&self.model.dimensions[role.dimension]);
            columns.into_iter().map(|column| format!("{}.{column}", role.name))
        });
        names.collect()
    }

    /// Every name of a fact that is one column, with some of its values.
    fn names(&self, fact: usize) -> Vec<(String, ValueType, Vec<String>)> {
        let all = self.dates().into_iter().chain(self.own(fact)).chain(self.of_roles(fact));
        let fact_name = self.model.facts[fact].name.clone();
        let one = |name: String| {
            let spec =
                spec(Some(&fact_name), &["count()".to_owned()], std::slice::from_ref(&name), None, "sold");
            let question =
                model::question(&self.model, &spec, "", "").unwrap_or_else(|error| panic!("{name}: {error}"));
            let [group] = question.by.as_slice() else { return None };
            let rows = texts(&self.connection, &self.sql(&question, Layout::Star));
            let value_type = group.column.value_type();
            let values = rows.rows.iter().skip(1).map(|row| row[0].clone()).filter(|value| value != "-");
            let quoted = |value: String| match value_type {
                ValueType::Integer | ValueType::Decimal { .. } | ValueType::Boolean => value,
                _ => format!("'{}'", value.replace('\'', "''")),
            };
            Some((format!("{fact_name}/{name}"), value_type, values.map(quoted).take(20).collect()))
        };
        all.filter_map(one).collect()
    }

    fn sql(&self, question: &Question, layout: Layout) -> String {
        ask::select(&self.model, question, &tables(layout)).unwrap().to_string()
    }

    /// A condition that some rows fulfil, most likely, on one of these names.
    fn condition(&self, random: &mut Random, fact: usize, names: &[String]) -> Option<String> {
        let name = pick(random, names)?;
        let place = format!("{}/{name}", self.model.facts[fact].name);
        let (_, value_type, values) = self.values.iter().find(|(known, ..)| *known == place)?;
        let mut value = || pick(random, values).cloned();
        let (one, other) = (value()?, value()?);
        let is_text = *value_type == ValueType::Text;
        Some(match random.below(9) {
            0 | 1 => format!("{name} = {one}"),
            2 => format!("{name} <> {one}"),
            3 => format!("{name} IN ({one}, {other})"),
            4 => format!("{name} IS {}NULL", if random.percent(50) { "NOT " } else { "" }),
            5 => format!("NOT ({name} = {one} OR {name} = {other})"),
            6 if is_text => format!("{name} LIKE '%a%'"),
            7 if is_text => format!("length({name}) > 3 AND upper({name}) <> {one}"),
            _ if *value_type == ValueType::Boolean => format!("{name} OR {name} = {one}"),
            _ => format!("({name} BETWEEN {one} AND {other} OR {name} > {other})"),
        })
    }

    /// Any question of a fact.
    fn question(&self, random: &mut Random, fact: usize) -> Option<QuestionSpec> {
        let (own, of_roles, dates) = (self.own(fact), self.of_roles(fact), self.dates());
        let declared = &self.model.facts[fact];
        let additive =
            declared.measures.iter().filter(|measure| measure.additivity == model::Additivity::Additive);
        let additive: Vec<String> = additive.map(|measure| measure.name.clone()).collect();
        let measures: Vec<String> = declared.measures.iter().map(|measure| measure.name.clone()).collect();
        let any: Vec<String> = own.iter().chain(&of_roles).cloned().collect();
        let mut asked: Vec<String> = Vec::new();
        for _ in 0..=random.below(4) {
            let measure = match random.below(9) {
                0 | 1 => pick(random, &additive)?.clone(),
                2 => declared.name.clone(),
                3 => format!("avg({})", pick(random, &measures)?),
                4 => format!("min({})", pick(random, &any)?),
                5 => format!("max({})", pick(random, &any)?),
                6 => format!("count_distinct({})", pick(random, &any)?),
                7 => format!("count({})", pick(random, &any)?),
                _ => "count()".to_owned(),
            };
            asked.push(format!("m{} = {measure}", asked.len()));
        }
        let mut by: Vec<String> = Vec::new();
        for _ in 0..random.below(4) {
            let name = match random.below(5) {
                0 => pick(random, &own)?,
                1 | 2 => pick(random, &of_roles)?,
                _ => pick(random, &dates)?,
            };
            if !by.contains(name) {
                by.push(name.clone());
            }
        }
        let all: Vec<String> = any.iter().chain(&dates).cloned().collect();
        let mut filters = Vec::new();
        for _ in 0..random.below(3) {
            filters.extend(self.condition(random, fact, &all));
        }
        let filter = (!filters.is_empty()).then(|| filters.join(" AND "));
        let as_of = ["sold", "sold", "sold", "now", "2024-03-10"][random.below(5)];
        Some(spec(Some(&declared.name), &asked, &by, filter.as_deref(), as_of))
    }

    /// A question that a view of this question is likely to answer.
    fn coarser(&self, random: &mut Random, fact: usize, of: &QuestionSpec) -> QuestionSpec {
        let mut by: Vec<String> =
            of.by.iter().filter(|_| random.percent(60)).map(|name| name.value.clone()).collect();
        if of.by.iter().any(|name| name.value == "date.day") && random.percent(60) {
            by.retain(|name| name != "date.day");
            by.push(
                (*pick(random, &["date.month", "date.quarter", "date.day_name", "date.week"]).unwrap())
                    .to_owned(),
            );
        }
        let mut measures: Vec<String> = of.measures.iter().flatten().map(|name| name.value.clone()).collect();
        while measures.len() > 1 && random.percent(50) {
            let index = random.below(measures.len());
            measures.remove(index);
        }
        if random.percent(30) && !of.by.is_empty() {
            let name = &of.by[random.below(of.by.len())].value;
            measures.push(format!("other = count_distinct({name})"));
        }
        let names: Vec<String> = of.by.iter().map(|name| name.value.clone()).collect();
        let own = of.filter.as_ref().map(|filter| filter.value.clone());
        let more = if random.percent(50) { self.condition(random, fact, &names) } else { None };
        let filters: Vec<String> = own.into_iter().chain(more).collect();
        let filter = (!filters.is_empty()).then(|| filters.join(" AND "));
        spec(of.fact.as_ref().map(|fact| fact.value.as_str()), &measures, &by, filter.as_deref(), "sold")
    }

    /// A view that holds the answer to a question, as a table.
    fn hold(&self, name: &str, question: Question) -> View {
        let numbers = question.held().into_iter().filter_map(|held| match held.what {
            Holds::Number(aggregate) => Some(Asked { name: held.name, aggregate }),
            Holds::Group(_) => None,
        });
        let held = Question { measures: numbers.collect(), ..question.clone() };
        let sql = format!("CREATE TABLE {name} AS {}", self.sql(&held, Layout::Star));
        self.connection.execute_batch(&sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
        let rows =
            texts(&self.connection, &format!("SELECT count(*) FROM {name}")).rows[1][0].parse().unwrap();
        View { name: name.to_owned(), question, rows }
    }

    fn meant(&self, spec: &QuestionSpec) -> Option<Question> {
        match model::question(&self.model, spec, "a random question", "") {
            Ok(question) => Some(question),
            Err(error) => {
                let report = format!("{:?}", error.report().unwrap());
                // All else is asked as it may be asked.
                let is_known = ["is no number", "columns of the answer", "stands for", "stand alone"];
                assert!(is_known.iter().any(|known| report.contains(known)), "{report}\n{spec:?}");
                None
            }
        }
    }
}

fn tables(layout: Layout) -> Tables {
    Tables::Layout { layout, schema: Some(layout.to_string()) }
}

fn day() -> chrono::NaiveDate {
    "2024-03-10".parse().unwrap()
}

fn spec(
    fact: Option<&str>,
    measures: &[String],
    by: &[String],
    filter: Option<&str>,
    as_of: &str,
) -> QuestionSpec {
    let at = |text: &str| At { value: text.to_owned(), span: Span::default() };
    QuestionSpec {
        name: None,
        fact: fact.map(at),
        measures: Some(measures.iter().map(|measure| at(measure)).collect()),
        by: by.iter().map(|name| at(name)).collect(),
        filter: filter.map(at),
        as_of: Some(at(as_of).with(Instant(as_of.to_owned()))),
    }
}

fn pick<'a, T>(random: &mut Random, from: &'a [T]) -> Option<&'a T> {
    from.get(random.below(from.len()))
}

/// Asks so many questions in both layouts, and of views made of questions that came before. Returns how many a view answered.
fn ask_all(base: &Base, seed: u64, count: usize) -> usize {
    let mut random = Random::new(seed);
    let mut views: Vec<(QuestionSpec, usize, View)> = Vec::new();
    let (mut asked, mut by_views) = (0, 0);
    while asked < count {
        let mut fact = random.below(base.model.facts.len());
        let of_view = if random.percent(50) {
            pick(&mut random, &views).map(|(spec, fact, _)| (spec.clone(), *fact))
        } else {
            None
        };
        let spec = match of_view {
            Some((of, of_fact)) => {
                fact = of_fact;
                base.coarser(&mut random, fact, &of)
            }
            None => match base.question(&mut random, fact) {
                Some(spec) => spec,
                None => continue,
            },
        };
        let Some(question) = base.meant(&spec) else { continue };
        asked += 1;
        let expected = texts(&base.connection, &base.sql(&question, Layout::Star));
        let say = |found: &Rows, sql: &str| {
            format!(
                "seed {seed}, question {asked}: {}\n{sql}\nfound\n{found}\nexpected\n{expected}",
                ask::shown(&base.model, &question)
            )
        };
        let sql = base.sql(&question, Layout::Snowflake);
        let found = texts(&base.connection, &sql);
        assert!(found == expected, "{}", say(&found, &sql));
        let held: Vec<View> = views.iter().map(|(_, _, view)| view.clone()).collect();
        let answer = ask::answer(&base.model, &question, &tables(Layout::Star), &held).unwrap();
        if answer.taken.is_some() {
            by_views += 1;
            let sql = answer.select.to_string();
            let found = texts(&base.connection, &sql);
            assert!(found == expected, "{}", say(&found, &sql));
        }
        if question.as_of == AsOf::Sold && views.len() < 12 && !question.by.is_empty() && random.percent(20) {
            let mut spec = spec;
            // Sums of everything make views that much can be asked of.
            let names: Vec<String> = spec.by.iter().map(|name| name.value.clone()).collect();
            if !names.contains(&"date.day".to_owned()) && random.percent(50) {
                spec.by.push(At { value: "date.day".to_owned(), span: Span::default() });
            }
            if let Some(question) = base.meant(&spec) {
                views.push((spec, fact, base.hold(&format!("view_{seed}_{}", views.len()), question)));
            }
        }
    }
    by_views
}

/// How many of many questions a view must have answered, or the test says little of views.
fn check(base: &Base, seed: u64, count: usize) {
    let by_views = ask_all(base, seed, count);
    assert!(by_views * 10 > count, "views answered only {by_views} of {count}");
}

#[test]
fn the_shop_s_answers_are_the_same_from_everywhere() {
    let folder = memory_folder();
    let log = folder.path().join("log");
    let options = starlog::generate::Options {
        orders: 150,
        seed: 3,
        days: 120,
        late: "0.1".parse().unwrap(),
        ..starlog::generate::Options::default()
    };
    starlog::generate::write(&options, &log).unwrap();
    let world = World::within(memory_folder(), &repository().join("pipelines/retail.toml"));
    world.run_on(&[format!("{}/*.ndjson", log.display())]);
    check(&Base::of(&world), 1, 1500);
}

#[test]
fn the_hospital_s_answers_are_the_same_from_everywhere() {
    check(&Base::of(&built("tests/pipelines/hospital.toml")), 2, 500);
    for seed in 0..3 {
        let world = World::within(memory_folder(), &repository().join("tests/pipelines/hospital.toml"));
        let lines = random_log(world.model(), seed, 150).join("\n");
        let log = world.write("random.ndjson", lines);
        if world.try_run(&starlog::nightly::Options { log: vec![log], ..world.options() }).is_ok() {
            ask_all(&Base::of(&world), 10 + seed, 300);
        }
    }
}

/// A column is a column of the fact, of the date or of a role; the tests speak of each.
#[test]
fn every_kind_of_column_is_asked_for() {
    let base = Base::of(&built("tests/pipelines/hospital.toml"));
    let mut random = Random::new(5);
    let mut seen = [false; 3];
    for _ in 0..200 {
        let Some(spec) = base.question(&mut random, 0) else { continue };
        let Some(question) = base.meant(&spec) else { continue };
        for column in question.columns() {
            let kind = match column {
                Column::Own { .. } => 0,
                Column::Date { .. } => 1,
                Column::OfRole { .. } => 2,
            };
            seen[kind] = true;
        }
    }
    assert_eq!(seen, [true; 3]);
}
