//! One value of an Arrow column → text, or JSON. Exact: a decimal or a large integer never becomes a float.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, StructArray};
use arrow::datatypes::{
    ArrowDictionaryKeyType, DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalMonthDayNanoType, Time64MicrosecondType, Time64NanosecondType,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::time;
use super::visible::is_unseen;

/// Writes a value as text; `false` if it is null, of which nothing is written.
///
/// Lists, structs and maps are JSON; bytes are their ASCII characters, and `\xff` for the others.
pub(super) fn write_text(array: &dyn Array, row: usize, out: &mut String) -> bool {
    if is_null(array, row) {
        return false;
    }
    write_bare(array, row, out);
    true
}

/// Writes a value as JSON, numbers with all their digits. What is neither a number, a truth value, a
/// list nor an object is a string.
pub(super) fn write_json(array: &dyn Array, row: usize, out: &mut String) {
    if is_null(array, row) {
        out.push_str("null");
        return;
    }
    let is_bare = match array.data_type() {
        DataType::Float32 => array.as_primitive::<Float32Type>().value(row).is_finite(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).is_finite(),
        data_type => data_type.is_numeric() || data_type.is_nested() || data_type == &DataType::Boolean,
    };
    if is_bare {
        write_bare(array, row, out);
    } else {
        let mut text = String::new();
        write_bare(array, row, &mut text);
        write_json_string(&text, out);
    }
}

/// Writes a JSON string. What a terminal would obey or hide is escaped, which changes nothing for a reader.
pub(super) fn write_json_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if is_unseen(other) => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    push(out, format_args!("\\u{unit:04x}"));
                }
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn is_null(array: &dyn Array, row: usize) -> bool {
    match array.data_type() {
        DataType::Null => true,
        // A union has no nulls of its own.
        DataType::Union(..) => {
            let union = array.as_union();
            is_null(union.child(union.type_id(row)), union.value_offset(row))
        }
        _ => array.is_null(row),
    }
}

/// Writes a value that is not null, without quotes around it.
fn write_bare(array: &dyn Array, row: usize, out: &mut String) {
    match array.data_type() {
        DataType::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Int8 => integer::<Int8Type>(array, row, out),
        DataType::Int16 => integer::<Int16Type>(array, row, out),
        DataType::Int32 => integer::<Int32Type>(array, row, out),
        DataType::Int64 => integer::<Int64Type>(array, row, out),
        DataType::UInt8 => integer::<UInt8Type>(array, row, out),
        DataType::UInt16 => integer::<UInt16Type>(array, row, out),
        DataType::UInt32 => integer::<UInt32Type>(array, row, out),
        DataType::UInt64 => integer::<UInt64Type>(array, row, out),
        // The shortest text that reads back as the same number.
        DataType::Float32 => push(out, format_args!("{:?}", array.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => push(out, format_args!("{:?}", array.as_primitive::<Float64Type>().value(row))),
        DataType::Decimal128(_, scale) => {
            write_decimal(array.as_primitive::<Decimal128Type>().value(row), *scale, out);
        }
        DataType::Date32 => time::write_date(array.as_primitive::<Date32Type>().value(row), out),
        DataType::Time64(TimeUnit::Microsecond) => {
            time::write_time(array.as_primitive::<Time64MicrosecondType>().value(row), 6, out);
        }
        DataType::Time64(TimeUnit::Nanosecond) => {
            time::write_time(array.as_primitive::<Time64NanosecondType>().value(row), 9, out);
        }
        DataType::Timestamp(unit, zone) => {
            let (value, digits) = match unit {
                TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().value(row), 0),
                TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().value(row), 3),
                TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().value(row), 6),
                TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().value(row), 9),
            };
            time::write_timestamp(value, digits, zone.is_some(), out);
        }
        DataType::Interval(_) if array.as_primitive_opt::<IntervalMonthDayNanoType>().is_some() => {
            time::write_interval(array.as_primitive::<IntervalMonthDayNanoType>().value(row), out);
        }
        DataType::Utf8 => out.push_str(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => out.push_str(array.as_string::<i64>().value(row)),
        DataType::Utf8View => out.push_str(array.as_string_view().value(row)),
        DataType::Binary => write_bytes(array.as_binary::<i32>().value(row), out),
        DataType::LargeBinary => write_bytes(array.as_binary::<i64>().value(row), out),
        DataType::BinaryView => write_bytes(array.as_binary_view().value(row), out),
        DataType::FixedSizeBinary(_) => write_bytes(array.as_fixed_size_binary().value(row), out),
        DataType::Dictionary(key, _) => match key.as_ref() {
            DataType::UInt8 => dictionary::<UInt8Type>(array, row, out),
            DataType::UInt16 => dictionary::<UInt16Type>(array, row, out),
            _ => dictionary::<UInt32Type>(array, row, out),
        },
        DataType::List(_) => write_list(&array.as_list::<i32>().value(row), out),
        DataType::LargeList(_) => write_list(&array.as_list::<i64>().value(row), out),
        DataType::FixedSizeList(..) => write_list(&array.as_fixed_size_list().value(row), out),
        DataType::Struct(_) => write_struct(array.as_struct(), row, out),
        DataType::Map(..) => write_map(&array.as_map().value(row), out),
        DataType::Union(..) => {
            let union = array.as_union();
            write_json(union.child(union.type_id(row)), union.value_offset(row), out);
        }
        _ => write_otherwise(array, row, out),
    }
}

/// Writes to a String cannot fail.
fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(text);
}

fn integer<T: ArrowPrimitiveType<Native: std::fmt::Display>>(
    array: &dyn Array,
    row: usize,
    out: &mut String,
) {
    push(out, format_args!("{}", array.as_primitive::<T>().value(row)));
}

/// All digits that there are. Arrow's own formatter cuts them to the declared precision, which is 38 even
/// for a HUGEINT of 39 digits.
fn write_decimal(value: i128, scale: i8, out: &mut String) {
    let Ok(scale @ 1..) = usize::try_from(scale) else {
        push(out, format_args!("{value}"));
        return;
    };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    push(out, format_args!("{sign}{whole}.{fraction}"));
}

/// An enumeration: the text that the key stands for.
fn dictionary<K: ArrowDictionaryKeyType>(array: &dyn Array, row: usize, out: &mut String) {
    match array.as_dictionary_opt::<K>() {
        Some(dictionary) => match dictionary.key(row) {
            Some(key) => write_bare(dictionary.values(), key, out),
            None => out.push_str("null"),
        },
        None => write_otherwise(array, row, out),
    }
}

/// A type that DuckDB hands out in no answer that we know of.
fn write_otherwise(array: &dyn Array, row: usize, out: &mut String) {
    match ArrayFormatter::try_new(array, &FormatOptions::default()) {
        Ok(formatter) => push(out, format_args!("{}", formatter.value(row))),
        Err(_) => out.push('?'),
    }
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\x5c"),
            b' '..=b'~' => out.push(char::from(*byte)),
            _ => push(out, format_args!("\\x{byte:02x}")),
        }
    }
}

fn write_list(items: &ArrayRef, out: &mut String) {
    out.push('[');
    for item in 0..items.len() {
        if item > 0 {
            out.push(',');
        }
        write_json(items, item, out);
    }
    out.push(']');
}

fn write_struct(members: &StructArray, row: usize, out: &mut String) {
    out.push('{');
    for (index, (field, column)) in members.fields().iter().zip(members.columns()).enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_json_string(field.name(), out);
        out.push(':');
        write_json(column, row, out);
    }
    out.push('}');
}

/// Keys become the names of an object's members, as text.
fn write_map(entries: &StructArray, out: &mut String) {
    out.push('{');
    if let [keys, values] = entries.columns() {
        for entry in 0..entries.len() {
            if entry > 0 {
                out.push(',');
            }
            let mut key = String::new();
            write_text(keys, entry, &mut key);
            write_json_string(&key, out);
            out.push(':');
            write_json(values, entry, out);
        }
    }
    out.push('}');
}
