//! A list that comes in pages: one request after the other, as far as the description allows.

use described::{Kind, Pages, PagesStyle, Task};
use serde_json::{Value, json};
use switchboard_sdk::Answer;
use switchboard_sdk::types::Error;

use crate::draft::Draft;
use crate::perform::{Send, parsed};
use crate::{answer, failure};

/// The longest query that a `Link` header may ask for.
const MAX_LINK_BYTES: usize = 2048;

/// Where the next page is.
enum Next {
    /// The first page of an API that needs no word for it.
    First,
    /// A page's number, an offset or a cursor.
    At(String),
    /// A whole query.
    Query(String),
}

/// Reads pages until the last one or the most that are allowed, and says whether there may be more.
pub(crate) fn collect(
    task: &Task,
    pages: &Pages,
    kind: &Kind,
    draft: &Draft,
    send: Send<'_>,
) -> Result<Value, Error> {
    let mut result = None;
    let mut items = Vec::new();
    let mut next = Some(first(pages));
    for _ in 0..pages.max {
        let Some(place) = next.take() else { break };
        let answer = send(&draft.request(&route(draft, pages, &place)))?;
        failure::check(&task.errors, &answer)?;
        let body = parsed(&answer)?;
        let mut page = answer::page(task, kind, &pages.more, &body)?;
        let Some(Value::Array(mut list)) = page.remove(&pages.list) else {
            return Err(Error::unavailable("the description's pages have no list"));
        };
        let count = list.len();
        items.append(&mut list);
        result.get_or_insert(page);
        next = following(pages, &place, count, items.len(), &body, &answer, draft)?;
    }
    let mut result = result.unwrap_or_default();
    result.insert(pages.list.clone(), Value::Array(items));
    result.insert(pages.more.clone(), json!(next.is_some()));
    Ok(Value::Object(result))
}

fn first(pages: &Pages) -> Next {
    match (pages.style, pages.start) {
        (PagesStyle::Page, start) => Next::At(start.unwrap_or(1).to_string()),
        (PagesStyle::Offset, start) => Next::At(start.unwrap_or(0).to_string()),
        _ => Next::First,
    }
}

fn route(draft: &Draft, pages: &Pages, place: &Next) -> String {
    let mut query = Vec::new();
    if let (Some(name), Some(size)) = (&pages.size_parameter, pages.size) {
        query.push((name.as_str(), size.to_string()));
    }
    match place {
        Next::Query(query) => return format!("{}?{query}", draft.path()),
        Next::At(text) => query.extend(pages.parameter.as_deref().map(|name| (name, text.clone()))),
        Next::First => {}
    }
    draft.route(&query)
}

fn following(
    pages: &Pages,
    place: &Next,
    count: usize,
    so_far: usize,
    body: &Value,
    answer: &Answer,
    draft: &Draft,
) -> Result<Option<Next>, Error> {
    let is_short = count == 0 || pages.size.is_some_and(|size| (count as u64) < size);
    Ok(match (pages.style, place) {
        (PagesStyle::Page | PagesStyle::Offset, _) if is_short => None,
        (PagesStyle::Page, Next::At(number)) => {
            let number: Option<u64> = number.parse().ok();
            number
                .and_then(|number| number.checked_add(1))
                .map(|number| Next::At(number.to_string()))
        }
        (PagesStyle::Offset, _) => {
            let offset = pages.start.unwrap_or(0).saturating_add(so_far as u64);
            Some(Next::At(offset.to_string()))
        }
        (PagesStyle::Cursor, _) => said(pages, body).map(Next::At),
        (PagesStyle::Link, _) => {
            let link = match pages.next {
                Some(_) => said(pages, body),
                None => answer.link.as_deref().and_then(next_link),
            };
            let query = link.map(|link| query_of(&link, draft.path())).transpose()?;
            query.map(Next::Query)
        }
        (PagesStyle::Page, _) => None,
    })
}

/// What the body says of the next page.
fn said(pages: &Pages, body: &Value) -> Option<String> {
    match body.pointer(pages.next.as_deref()?)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The target of `rel="next"` in a `Link` header.
fn next_link(header: &str) -> Option<String> {
    let mut rest = header;
    while let Some(start) = rest.find('<') {
        let (url, after) = rest[start + 1..].split_once('>')?;
        let parameters = after.split('<').next().unwrap_or_default();
        if parameters.split(';').any(is_next) {
            return Some(url.to_owned());
        }
        rest = after;
    }
    None
}

fn is_next(parameter: &str) -> bool {
    let parameter = parameter.trim().trim_end_matches(',');
    let Some((name, value)) = parameter.split_once('=') else {
        return false;
    };
    name.trim().eq_ignore_ascii_case("rel")
        && value
            .trim()
            .trim_matches('"')
            .split(' ')
            .any(|rel| rel.eq_ignore_ascii_case("next"))
}

/// The query of a link. It goes to the path that was asked before, whatever else the link says: a backend does not choose
/// where a plugin's requests go.
fn query_of(url: &str, path: &str) -> Result<String, Error> {
    let (target, query) = url.split_once('?').unwrap_or((url, ""));
    let is_plain = query.len() <= MAX_LINK_BYTES
        && query
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"#\\<>\"".contains(&byte));
    if query.is_empty() || !is_plain || !(target.is_empty() || target.ends_with(path)) {
        return Err(Error::unavailable(
            "the backend's link to the next page leads elsewhere",
        ));
    }
    Ok(query.to_owned())
}
