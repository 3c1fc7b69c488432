//! Long lists in pages: a cursor is the key of the last thing shown, so that a page goes on where the last one ended even if
//! the list has changed in between.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rmcp::ErrorData;
use rmcp::model::PaginatedRequestParams;

use super::answer;

/// How many things a page holds.
pub(super) const PAGE: usize = 100;

/// The page that the client asks for, of things that are in the order of their keys; and the cursor of the next one, if there
/// is more.
pub(super) fn page<T>(
    mut all: Vec<T>,
    key: impl Fn(&T) -> &str,
    request: Option<&PaginatedRequestParams>,
) -> Result<(Vec<T>, Option<String>), ErrorData> {
    if let Some(cursor) = request.and_then(|request| request.cursor.as_deref()) {
        let last = opened(cursor).ok_or_else(|| answer::invalid_params(BAD_CURSOR))?;
        all.retain(|one| key(one) > last.as_str());
    }
    if all.len() <= PAGE {
        return Ok((all, None));
    }
    all.truncate(PAGE);
    let next = all.last().map(|last| sealed(key(last)));
    Ok((all, next))
}

const BAD_CURSOR: &str =
    "this is no cursor of this server; leave it out to begin with the first page";

fn sealed(key: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("after {key}"))
}

fn opened(cursor: &str) -> Option<String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.strip_prefix("after ").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|n| format!("tool_{n:04}")).collect()
    }

    fn after(cursor: Option<String>) -> PaginatedRequestParams {
        let mut params = PaginatedRequestParams::default();
        params.cursor = cursor;
        params
    }

    #[test]
    fn pages_are_the_whole_list_once() {
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let (page, next) = page(names(250), String::as_str, Some(&after(cursor))).unwrap();
            seen.extend(page);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, names(250));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for cursor in ["", "x", "YWJj", "\u{e9}"] {
            let asked = after(Some(cursor.to_owned()));
            assert!(
                page(names(3), String::as_str, Some(&asked)).is_err(),
                "{cursor}"
            );
        }
    }
}
