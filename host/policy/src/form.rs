//! Forms (`application/x-www-form-urlencoded`) that every parser reads alike, as the tree of texts that they stand for.
//!
//! Parsers of forms differ in more than parsers of JSON: of a name that comes twice some take the first value, some the last and
//! some a list of both; some end a field at `;`, read `a.b` as `a[b]`, leave a `+` as it is, cut off what comes after a thousand
//! fields, or take `_method` for another method. What any of them could read otherwise is no form here.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::unambiguous::folded;

/// Fields of a form: some frameworks leave out what comes after the thousandth.
const MOST_FIELDS: usize = 256;
/// A name and what is in brackets behind it; some parsers take what is deeper for a part of a name.
const MOST_SEGMENTS: usize = 6;
/// Items of a list in a form; a number has three digits at most.
const LONGEST_NUMBER: usize = 3;

/// Why a body is no form that is read in one way only. Nothing of what it says is repeated but names, which are plain.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormFault {
    /// More than anybody reads.
    #[error("it has more than {MOST_FIELDS} fields")]
    Long,
    /// Not `name=value`, or with characters that mean different things to different parsers.
    #[error(
        "a field is written name=value, joined by &, with letters, digits, -._~* and %XX (UTF-8) alone; a space is %20"
    )]
    Spelling,
    /// A name that some parser takes apart in another way.
    #[error(
        "a name is ASCII letters, digits, _ and -, does not begin with _ or -, and has at most five pairs of brackets behind it, such as items[0][price]"
    )]
    Name,
    /// Two values of one name, be it in other letters, or a text and something inside of it.
    #[error("{0} is written twice, or once in other letters, or once with brackets behind it")]
    Twice(String),
    /// A list whose items are not counted from 0, in order.
    #[error("what is inside of {0} is neither names nor a list, whose items count from 0 in order")]
    List(String),
}

/// The tree that a form stands for: `a[b]=1&c[0]=2` is `{"a": {"b": "1"}, "c": ["2"]}`, and every value in it a text. Fails
/// where two parsers could read it differently.
pub fn read_form(body: &[u8]) -> Result<Value, FormFault> {
    let text = str::from_utf8(body).map_err(|_| FormFault::Spelling)?;
    let mut form = Value::Object(Map::new());
    if text.is_empty() {
        return Ok(form);
    }
    for (count, field) in text.split('&').enumerate() {
        if count >= MOST_FIELDS {
            return Err(FormFault::Long);
        }
        let (name, value) = field.split_once('=').ok_or(FormFault::Spelling)?;
        let (name, value) = (decoded(name, b"[]")?, decoded(value, b"")?);
        put(&mut form, &segments(&name)?, &name, value)?;
    }
    listed(form, "it")
}

/// What a name or a value says, where it is written in the one way that all parsers agree on.
fn decoded(written: &str, more: &[u8]) -> Result<String, FormFault> {
    let is_plain = |byte: u8| {
        byte.is_ascii_alphanumeric() || b"-._~*%".contains(&byte) || more.contains(&byte)
    };
    let is_escape = |rest: &str| {
        let mut digits = rest.bytes().take(2);
        let mut is_digit = || digits.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        is_digit() && is_digit()
    };
    let escapes = written.split('%').skip(1).all(is_escape);
    if !escapes || !written.bytes().all(is_plain) {
        return Err(FormFault::Spelling);
    }
    let text = percent_decode_str(written).decode_utf8();
    Ok(text.map_err(|_| FormFault::Spelling)?.into_owned())
}

/// `items`, `0` and `price` of `items[0][price]`.
fn segments(name: &str) -> Result<Vec<&str>, FormFault> {
    let (first, inside) = name.split_at(name.find('[').unwrap_or(name.len()));
    let mut segments = vec![first];
    let mut rest = inside;
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (segment, after) = inner.ok_or(FormFault::Name)?;
        segments.push(segment);
        rest = after;
    }
    let fits = segments.len() <= MOST_SEGMENTS
        && segments.iter().all(|segment| is_segment(segment))
        && !is_number(first);
    fits.then_some(segments).ok_or(FormFault::Name)
}

/// Names that begin with `_` are those of frameworks: `_method`, `_charset_`, `__proto__`.
fn is_segment(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !text.is_empty() && !text.starts_with(['_', '-']) && text.bytes().all(is_plain)
}

fn is_number(segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_digit())
}

/// Puts a text at its place, which nothing else is at, in no spelling of its name.
fn put(form: &mut Value, segments: &[&str], name: &str, text: String) -> Result<(), FormFault> {
    let twice = || FormFault::Twice(name.to_owned());
    let mut place = form;
    for segment in segments {
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(object) = place else {
            return Err(twice());
        };
        let other = |key: &String| key != segment && folded(key) == folded(segment);
        if object.keys().any(other) {
            return Err(twice());
        }
        place = object.entry(*segment).or_insert(Value::Null);
    }
    if !place.is_null() {
        return Err(twice());
    }
    *place = Value::String(text);
    Ok(())
}

/// The same tree with lists where there are numbers.
fn listed(value: Value, name: &str) -> Result<Value, FormFault> {
    let Value::Object(object) = value else {
        return Ok(value);
    };
    let numbers = object.keys().filter(|key| is_number(key)).count();
    let mut members = Vec::with_capacity(object.len());
    for (key, value) in object {
        let value = listed(value, &key)?;
        members.push((key, value));
    }
    if numbers == 0 {
        return Ok(members.into_iter().collect::<Map<_, _>>().into());
    }
    let counts = |(index, (key, _)): (usize, &(String, Value))| {
        key.len() <= LONGEST_NUMBER && *key == index.to_string()
    };
    let in_order = members.iter().enumerate().all(counts);
    let items = members.into_iter().map(|(_, item)| item).collect();
    in_order
        .then_some(Value::Array(items))
        .ok_or_else(|| FormFault::List(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{FormFault, read_form};

    #[test]
    fn a_form_is_a_tree_of_texts() {
        let form = b"amount=4999&customer%5Bname%5D=S%C3%A1rah%20B.&items[0][sku]=A%26B&items[1][sku]=%2B1%25&tag=&a-b=x";
        let tree = json!({
            "amount": "4999", "customer": { "name": "Sárah B." },
            "items": [{ "sku": "A&B" }, { "sku": "+1%" }], "tag": "", "a-b": "x",
        });
        assert_eq!(read_form(form), Ok(tree));
        assert_eq!(read_form(b""), Ok(json!({})));
    }

    #[test]
    fn what_is_written_in_a_way_that_parsers_differ_about_is_no_form() {
        let bodies: [&[u8]; 22] = [
            b"a;b=1",
            b"a=1;b=2",
            b"a=x+y",
            b"a=x y",
            b"a=1&&b=2",
            b"a=1&",
            b"&a=1",
            b"a",
            b"a=b=c",
            b"a=%",
            b"a=%4",
            b"a=%+1",
            b"a=%u0041",
            b"a=%ff",
            b"a=%C0%AF",
            b"a=%ED%A0%80",
            b"a=\xff",
            "a=ü".as_bytes(),
            b"\xef\xbb\xbfa=1",
            b"{\"a\":1}",
            b"{\"a\":1,\"b\":\"&a=1",
            b"a=1\r\n",
        ];
        for body in bodies {
            let shown = String::from_utf8_lossy(body);
            assert_eq!(read_form(body), Err(FormFault::Spelling), "{shown}");
        }
    }

    #[test]
    fn a_name_that_parsers_take_apart_differently_is_none() {
        for body in [
            "%EF%BB%BFa=1",
            "a.b=1",
            "a%00=1",
            "a%20=1",
            "=1",
            "[a]=1",
            "a[=1",
            "a]=1",
            "a[b=1",
            "a[b]c=1",
            "a[b]]=1",
            "a[[b]]=1",
            "a[]=1",
            "a[b][]=1",
            "0=1",
            "_method=DELETE",
            "%5Fmethod=DELETE",
            "_charset_=utf-16",
            "a[__proto__]=1",
            "a[b][c][d][e][f][g]=1",
        ] {
            assert_eq!(read_form(body.as_bytes()), Err(FormFault::Name), "{body}");
        }
    }

    #[test]
    fn no_name_has_two_values_and_every_list_is_counted() {
        let twice = |name: &str| FormFault::Twice(name.to_owned());
        let list = |name: &str| FormFault::List(name.to_owned());
        for (body, fault) in [
            ("a=1&a=2", twice("a")),
            ("a=1&A=2", twice("A")),
            ("a=1&%61=2", twice("a")),
            ("a[b]=1&a%5bb%5D=2", twice("a[b]")),
            ("a[b]=1&a[B]=2", twice("a[B]")),
            ("a[b]=1&A[c]=2", twice("A[c]")),
            ("a=1&a[b]=2", twice("a[b]")),
            ("a[b]=2&a=1", twice("a")),
            ("a[1]=1", list("a")),
            ("a[1]=1&a[0]=2", list("a")),
            ("a[00]=1", list("a")),
            ("a[0]=1&a[b]=2", list("a")),
            ("a[b]=2&a[0]=1", list("a")),
            ("a[b][1]=2", list("b")),
        ] {
            assert_eq!(read_form(body.as_bytes()), Err(fault), "{body}");
        }
    }

    #[test]
    fn a_form_has_as_many_fields_as_everybody_reads() {
        let fields: Vec<String> = (0..256).map(|n| format!("a{n}=1")).collect();
        let form = fields.join("&");
        assert!(read_form(form.as_bytes()).is_ok());
        let one_more = form + "&b=1";
        assert_eq!(read_form(one_more.as_bytes()), Err(FormFault::Long));
    }
}
