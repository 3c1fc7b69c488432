//! A request's path and query, percent-encoded as they are put together.

use std::fmt::{Display, Write};

/// A path below the backend's base URL, such as `/orders/ORD-8842/cancel` or `/customers?email=…`.
///
/// ```
/// use switchboard_sdk::Route;
/// let route = Route::to("orders").segment("A/1").segment("cancel");
/// assert_eq!(route.to_string(), "/orders/A%2F1/cancel");
/// ```
#[derive(Clone, Debug)]
pub struct Route {
    path: String,
    query: String,
}

impl Route {
    /// Starts a route with its first segment.
    pub fn to(segment: &str) -> Self {
        let empty = Self {
            path: String::new(),
            query: String::new(),
        };
        empty.segment(segment)
    }

    /// Adds one segment; whatever it holds stays one segment.
    #[must_use]
    pub fn segment(mut self, segment: &str) -> Self {
        self.path.push('/');
        // A browser-like client would resolve these two instead of sending them.
        match segment {
            "." => self.path.push_str("%2E"),
            ".." => self.path.push_str("%2E%2E"),
            _ => encode(&mut self.path, segment),
        }
        self
    }

    /// Adds one query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.query
            .push(if self.query.is_empty() { '?' } else { '&' });
        encode(&mut self.query, name);
        self.query.push('=');
        encode(&mut self.query, &value.to_string());
        self
    }
}

impl Display for Route {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{}{}", self.path, self.query)
    }
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn encode(into: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn nothing_in_a_segment_escapes_it() {
        let route = Route::to("orders")
            .segment("../customers?x=1#y")
            .segment("..");
        assert_eq!(
            route.to_string(),
            "/orders/..%2Fcustomers%3Fx%3D1%23y/%2E%2E"
        );
    }

    #[test]
    fn query_parameters_are_joined_and_encoded() {
        let route = Route::to("articles")
            .query("q", "ü & 1+1")
            .query("limit", 5);
        assert_eq!(
            route.to_string(),
            "/articles?q=%C3%BC%20%26%201%2B1&limit=5"
        );
    }
}
