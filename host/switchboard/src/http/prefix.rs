//! `/t/{tenant}/…`: every path, for a tenant by name.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

use super::ApiError;
use crate::tenants::check_name;

const PREFIX: &str = "/t/";

/// The tenant that a request's path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedTenant(pub(super) String);

/// The request as it is without the prefix, with the tenant's name beside it. None where the path ends with the name, without
/// the slash that a page's own links need.
pub(super) fn taken_off(mut request: Request) -> Result<Option<Request>, ApiError> {
    let Some(rest) = request.uri().path().strip_prefix(PREFIX) else {
        return Ok(Some(request));
    };
    let Some((name, path)) = rest.split_once('/') else {
        check_name(rest).map_err(ApiError::not_found)?;
        return Ok(None);
    };
    check_name(name).map_err(ApiError::not_found)?;
    let query = request
        .uri()
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    let whole = PathAndQuery::try_from(format!("/{path}{query}"));
    let whole = whole.map_err(|_| ApiError::invalid("the path does not fit"))?;
    let named = NamedTenant(name.to_owned());
    *request.uri_mut() = Uri::from(whole);
    request.extensions_mut().insert(named);
    Ok(Some(request))
}

/// A path without the prefix.
pub(super) fn without(path: &str) -> &str {
    let rest = path.strip_prefix(PREFIX);
    rest.and_then(|rest| rest.find('/').map(|at| &rest[at..]))
        .unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn the_prefix_is_taken_off_and_nothing_else() {
        for (path, expected) in [
            ("/api/tools?case=x", Ok(Some(("/api/tools?case=x", None)))),
            (
                "/t/acme/api/tools?case=x",
                Ok(Some(("/api/tools?case=x", Some("acme")))),
            ),
            ("/t/acme/", Ok(Some(("/", Some("acme"))))),
            ("/t/acme//api", Ok(Some(("//api", Some("acme"))))),
            (
                "/t/acme/t/other/mcp",
                Ok(Some(("/t/other/mcp", Some("acme")))),
            ),
            ("/t/acme", Ok(None)),
            ("/t//mcp", Err(404)),
            ("/t/../mcp", Err(404)),
            ("/t/%61cme/mcp", Err(404)),
        ] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let taken = taken_off(request).map_err(|error| error.status.as_u16());
            let told = taken.map(|taken| {
                taken.map(|request| {
                    let named = request.extensions().get::<NamedTenant>().cloned();
                    (
                        request.uri().to_string(),
                        named.map(|NamedTenant(name)| name),
                    )
                })
            });
            let expected = expected
                .map(|taken| taken.map(|(uri, name)| (uri.to_owned(), name.map(str::to_owned))));
            assert_eq!(told, expected, "{path}");
        }
    }
}
