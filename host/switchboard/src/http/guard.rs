//! Who may reach the program through a browser: the right host name, and no other site's pages.

use std::net::SocketAddr;

use axum::http::{HeaderMap, header};
use url::{Host, Url};

use super::ApiError;

/// Host names that requests may carry. A program on loopback is reachable by every page that the user opens; a page that binds
/// its own name to 127.0.0.1 still sends that name.
#[derive(Clone, Debug)]
pub(crate) struct AllowedHosts {
    names: Vec<String>,
    is_loopback: bool,
}

impl AllowedHosts {
    /// For a listening address, with further names from the configuration.
    pub(crate) fn new(listen: SocketAddr, names: &[String]) -> Self {
        let names = names.iter().map(|name| name.to_ascii_lowercase());
        let own = (!listen.ip().is_unspecified()).then(|| listen.ip().to_string());
        Self {
            names: names.chain(own).collect(),
            is_loopback: listen.ip().is_loopback(),
        }
    }

    /// Refuses a request that another site's page makes, or that reached us under a name that is not ours.
    pub(super) fn check(&self, headers: &HeaderMap, path: &str) -> Result<(), ApiError> {
        let text = |name| {
            headers
                .get(name)
                .and_then(|value: &http::HeaderValue| value.to_str().ok())
        };
        let host = text(header::HOST).unwrap_or_default();
        if !self.is_ours(host) {
            return Err(ApiError::forbidden(
                "this host name is not one of ours; add it to `allowed_hosts` (ALLOWED_HOSTS) if it should be",
            ));
        }
        let origin = headers
            .get(header::ORIGIN)
            .map(|origin| origin.to_str().unwrap_or_default());
        let is_foreign_origin = origin.is_some_and(|origin| !self.is_our_origin(origin));
        let is_page = matches!(path, "/" | "/docs");
        let is_cross_site = headers
            .get("sec-fetch-site")
            .is_some_and(|site| site == "cross-site");
        if is_foreign_origin || (is_cross_site && !is_page) {
            return Err(ApiError::forbidden(
                "requests from other sites' pages are not answered",
            ));
        }
        Ok(())
    }

    fn is_our_origin(&self, origin: &str) -> bool {
        let Some(authority) = origin.split_once("://").map(|(_, authority)| authority) else {
            return false;
        };
        self.is_ours(authority)
    }

    fn is_ours(&self, authority: &str) -> bool {
        let Ok(url) = Url::parse(&format!("http://{authority}/")) else {
            return false;
        };
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return false,
        };
        let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        // On a public address without configured names there is no telling which names are ours.
        (self.is_loopback && loopback)
            || self.names.iter().any(|own| own == name)
            || (!self.is_loopback && self.names.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn passes(listen: &str, names: &[&str], headers: &[(&'static str, &str)]) -> bool {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect();
        AllowedHosts::new(listen.parse().unwrap(), &names)
            .check(&headers, "/api/chat")
            .is_ok()
    }

    #[test]
    fn a_program_on_loopback_answers_to_loopback_names_only() {
        for (host, expected) in [
            ("127.0.0.1:8080", true),
            ("localhost:9", true),
            ("[::1]:80", true),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("", false),
        ] {
            assert_eq!(
                passes("127.0.0.1:8080", &[], &[("host", host)]),
                expected,
                "{host}"
            );
        }
        assert!(passes(
            "127.0.0.1:8080",
            &["desk.example"],
            &[("host", "desk.example")]
        ));
        assert!(passes("0.0.0.0:8080", &[], &[("host", "anything.example")]));
        assert!(!passes(
            "0.0.0.0:8080",
            &["desk.example"],
            &[("host", "anything.example")]
        ));
    }

    #[test]
    fn another_sites_page_is_not_answered() {
        let from = |name, value| {
            passes(
                "127.0.0.1:8080",
                &[],
                &[("host", "127.0.0.1:8080"), (name, value)],
            )
        };
        assert!(from("origin", "http://127.0.0.1:8080"));
        assert!(from("sec-fetch-site", "same-origin"));
        assert!(!from("origin", "https://evil.example"));
        assert!(!from("origin", "null"));
        assert!(!from("sec-fetch-site", "cross-site"));
    }
}
