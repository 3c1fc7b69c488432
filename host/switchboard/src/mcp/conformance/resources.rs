//! The resources that the suite reads by their URIs.

use rmcp::model::{ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::json;

use super::tools::PNG;

const TEXT: &str = "test://static-text";
const BINARY: &str = "test://static-binary";
const WATCHED: &str = "test://watched-resource";

/// The template is all that lies between these.
const TEMPLATE: (&str, &str) = ("test://template/", "/data");

/// In the order of their URIs.
pub(super) fn listed() -> Vec<Resource> {
    let one = |uri: &str, name: &str, mime_type: &str, what: &str| {
        Resource::new(uri, name)
            .with_description(what)
            .with_mime_type(mime_type)
    };
    vec![
        one(BINARY, "static-binary", "image/png", "A red pixel."),
        one(TEXT, "static-text", "text/plain", "A text."),
        one(
            WATCHED,
            "watched-resource",
            "text/plain",
            "To be subscribed to.",
        ),
    ]
}

pub(super) fn templates() -> Vec<ResourceTemplate> {
    let (before, after) = TEMPLATE;
    let template = ResourceTemplate::new(format!("{before}{{id}}{after}"), "template")
        .with_description("Some data for every id.")
        .with_mime_type("application/json");
    vec![template]
}

/// What is there under a URI.
pub(super) fn read(uri: &str) -> Option<ReadResourceResult> {
    let contents = match uri {
        TEXT => text(uri, "This is the content of the static text resource."),
        WATCHED => text(uri, "This is the content of the watched resource."),
        BINARY => ResourceContents::blob(PNG, uri).with_mime_type("image/png"),
        other => {
            let (before, after) = TEMPLATE;
            let id = other.strip_prefix(before)?.strip_suffix(after)?;
            let data =
                json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
            ResourceContents::text(data.to_string(), uri).with_mime_type("application/json")
        }
    };
    Some(ReadResourceResult::new(vec![contents]))
}

fn text(uri: &str, text: &str) -> ResourceContents {
    ResourceContents::text(text, uri).with_mime_type("text/plain")
}
