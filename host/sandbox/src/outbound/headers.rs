//! Which header fields a plugin may set, and which of an answer it may see.

use std::borrow::Cow;

use dispatch::Gate;
use http::HeaderMap;
use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, COOKIE, EXPECT,
    FORWARDED, HOST, HeaderName, HeaderValue, IF_RANGE, PROXY_AUTHORIZATION, RANGE, SET_COOKIE, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};

/// Fields that say who asks, where to and how it is sent: the host's to set, whatever the plugin wrote. With them those by which
/// some servers take a request, or its body, for another one than was judged; and those that ask for an answer packed or in pieces,
/// in which nobody would find a secret that the backend repeats.
const HOSTS_OWN: [HeaderName; 28] = [
    ACCEPT_ENCODING,
    AUTHORIZATION,
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    COOKIE,
    EXPECT,
    FORWARDED,
    HOST,
    IF_RANGE,
    PROXY_AUTHORIZATION,
    RANGE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("via"),
    HeaderName::from_static("x-host"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-method-override"),
    HeaderName::from_static("x-original-host"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("x-rewrite-url"),
];

/// What proxies say of whom they pass on.
const FORWARDED_PREFIX: &str = "x-forwarded-";

/// What the fields come to on the wire.
pub(super) fn bytes(headers: &HeaderMap) -> usize {
    let field = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + 4;
    headers.iter().map(field).sum()
}

/// The fields that are the plugin's to set.
pub(super) fn plugins(mut headers: HeaderMap) -> HeaderMap {
    let hosts = |name: &HeaderName| {
        let name = as_read(name);
        name.starts_with(FORWARDED_PREFIX) || HOSTS_OWN.iter().any(|own| *own == *name)
    };
    let foreign: Vec<_> = headers.keys().filter(|name| hosts(name)).cloned().collect();
    for name in foreign {
        headers.remove(name);
    }
    headers
}

/// The name as servers read it that hand fields on as variables: there `x_own` and `x-own` are the same.
fn as_read(name: &HeaderName) -> Cow<'_, str> {
    if name.as_str().contains('_') {
        return name.as_str().replace('_', "-").into();
    }
    name.as_str().into()
}

/// The fields of the request as it leaves.
pub(super) fn outgoing(
    plugins: &HeaderMap,
    hosts: Vec<(HeaderName, HeaderValue)>,
    authority: HeaderValue,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(plugins.len() + hosts.len() + 1);
    headers.insert(HOST, authority);
    let is_hosts = |name| hosts.iter().any(|(own, _)| as_read(own) == as_read(name));
    for (name, value) in plugins.iter().filter(|(name, _)| !is_hosts(name)) {
        headers.append(name.clone(), value.clone());
    }
    for (name, value) in hosts {
        headers.insert(name, value);
    }
    headers
}

/// The fields of an answer as the plugin sees them: a session that the backend opens for the host stays with the host, and
/// a secret that the backend repeats does, too.
pub(super) fn incoming(mut backends: HeaderMap, gate: &dyn Gate) -> HeaderMap {
    backends.remove(SET_COOKIE);
    for value in backends.values_mut() {
        let text = String::from_utf8_lossy(value.as_bytes());
        let scrubbed = gate.scrub(&text);
        if scrubbed != text {
            *value = HeaderValue::try_from(scrubbed).unwrap_or(HeaderValue::from_static(""));
        }
    }
    backends
}
