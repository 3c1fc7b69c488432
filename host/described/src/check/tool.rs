//! The tools of a description: what they take has a place in the request, and what the host says stays the host's.

use std::collections::BTreeSet;

use super::{Check, MAX_MEMBERS};
use crate::{
    Constant, Encoding, Kind, Method, Pages, PagesStyle, Parameter, PathTemplate, Place, Tool,
    TypeDef,
};

/// What the interface uses already under these names.
const TAKEN: [&str; 6] = [
    "customer_id",
    "email",
    "error",
    "money",
    "timestamp",
    "opaque_id",
];
/// How many pages one call may read; the policy's own figure for requests may be lower.
const MAX_PAGES: u32 = 50;
/// The parameter that the host fills in.
const BOUND: &str = "customer_id";

/// Header fields that say who asks, where to, and how it is sent: the host's to set, or the transport's.
const HOSTS_OWN: [&str; 23] = [
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "idempotency-key",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];
const HOSTS_OWN_PREFIXES: [&str; 4] = ["proxy-", "sec-", "x-forwarded-", "x-original-"];

impl Check<'_> {
    pub(super) fn tool(&mut self, name: &str, tool: &Tool) {
        let at = format!("tool.{name}");
        self.name(&at, name);
        let is_type = name
            .strip_suffix("_type")
            .is_some_and(|name| self.api.types.get(name).is_some());
        self.unless(
            is_free_name(name) && !is_type,
            &at,
            "that name is taken; choose another",
        );
        self.unless(
            !tool.docs.trim().is_empty(),
            &at,
            "`docs` is missing: a model knows of a tool what stands there",
        );
        self.unless(
            tool.parameters.len() <= MAX_MEMBERS,
            &at,
            "that is more than 256 parameters",
        );
        self.path(&at, tool);
        for (name, parameter) in tool.parameters.iter() {
            self.parameter(&format!("{at}.parameters.{name}"), name, parameter, tool);
        }
        for constant in &tool.constants {
            self.constant(&format!("{at}.constants"), constant, tool.method);
        }
        self.places(&at, tool);
        self.form(&at, tool);
        self.result(&at, tool);
        if let Some(pages) = &tool.pages {
            self.pages(&format!("{at}.pages"), tool, pages);
        }
    }

    fn path(&mut self, at: &str, tool: &Tool) {
        let template = match PathTemplate::parse(&tool.path) {
            Ok(template) => template,
            Err(error) => return self.note(&format!("{at}.path"), error.to_string()),
        };
        for name in template.parameters() {
            let parameter = tool.parameters.get(name);
            let known = parameter.is_some_and(|parameter| parameter.place == Place::Path);
            if !known {
                self.note(
                    &format!("{at}.path"),
                    format!("{{{name}}} is no parameter with `in = \"path\"`"),
                );
            }
        }
        for (name, parameter) in tool.parameters.iter() {
            if parameter.place == Place::Path && !template.parameters().any(|known| known == name) {
                self.note(
                    &format!("{at}.parameters.{name}"),
                    format!("the path has no {{{name}}}"),
                );
            }
        }
    }

    fn parameter(&mut self, at: &str, name: &str, parameter: &Parameter, tool: &Tool) {
        self.name(at, name);
        self.kind(at, &parameter.kind);
        self.identity(at, name, &parameter.kind);
        self.money(at, &parameter.kind, parameter.money.as_ref());
        let is_one_text = self.is_one_text(&parameter.kind);
        let items = matches!(&parameter.kind, Kind::List(item) if self.is_one_text(item));
        match parameter.place {
            Place::Path => {
                self.unless(
                    is_one_text,
                    at,
                    "in a path only single texts, numbers and enums fit",
                );
                self.unless(
                    !parameter.optional,
                    at,
                    "a part of the path cannot be left out",
                );
            }
            Place::Query => {
                self.unless(
                    is_one_text || items,
                    at,
                    "in a query only single texts, numbers, enums and lists of them fit",
                );
            }
            Place::Header => {
                self.unless(
                    is_one_text,
                    at,
                    "in a header only single texts, numbers and enums fit",
                );
                self.header(at, parameter.wire_name(name));
            }
            Place::Body => {
                let has_body = has_body(tool.method);
                self.unless(has_body, at, "GET and DELETE have no body");
                self.pointer(at, &parameter.body_pointer(name));
            }
        }
        self.unless(
            parameter.at.is_none() || parameter.place == Place::Body,
            at,
            "`at` is for the body",
        );
        let is_named = matches!(parameter.place, Place::Query | Place::Header);
        self.unless(
            parameter.name.is_none() || is_named,
            at,
            "`name` is for queries and headers",
        );
        let joins = match parameter.place {
            Place::Query => true,
            Place::Body => tool.body == Encoding::Form,
            Place::Path | Place::Header => false,
        };
        self.unless(
            parameter.join.is_none() || joins && items,
            at,
            "`join` is for lists of single texts, numbers and enums in queries and forms",
        );
    }

    /// Who the customer is says the host, in the one parameter of that name; no model and no client does.
    fn identity(&mut self, at: &str, name: &str, kind: &Kind) {
        if (name == BOUND) != (*kind == Kind::CustomerId) {
            self.note(at, "the customer is a parameter called customer_id of the type customer-id, which the host fills in");
        } else if name != BOUND && self.holds_customer(kind, 0) {
            self.note(at, "a parameter cannot have a customer's id in it; only customer_id, which the host fills in, is one");
        }
    }

    fn holds_customer(&self, kind: &Kind, depth: usize) -> bool {
        match kind {
            Kind::CustomerId => true,
            Kind::List(item) => self.holds_customer(item, depth),
            // Deeper than any type that has no cycle; cycles are refused elsewhere.
            Kind::Named(name) if depth < 32 => self.api.types.get(name).is_some_and(|def| {
                def.fields
                    .iter()
                    .any(|(_, field)| self.holds_customer(&field.kind, depth + 1))
            }),
            _ => false,
        }
    }

    fn is_one_text(&self, kind: &Kind) -> bool {
        let is_enum = |name| {
            self.api
                .types
                .get(name)
                .is_some_and(|def: &TypeDef| !def.cases.is_empty())
        };
        kind.is_scalar() || matches!(kind, Kind::Named(name) if is_enum(name))
    }

    fn header(&mut self, at: &str, name: &str) {
        let is_token = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        self.unless(is_token, at, "that is no name of a header field");
        self.unless(
            !is_token || is_free_header(name),
            at,
            "that header field is the host's: credentials, keys and destinations are granted by the operator",
        );
    }

    fn constant(&mut self, at: &str, constant: &Constant, method: Method) {
        match constant.place {
            Place::Path => self.note(at, "in the path, write it into `path`"),
            Place::Query => self.unless(constant.value.is_string(), at, "in a query it is a text"),
            Place::Header => {
                self.unless(constant.value.is_string(), at, "in a header it is a text");
                self.header(at, &constant.at);
            }
            Place::Body => {
                self.unless(has_body(method), at, "GET and DELETE have no body");
                self.pointer(at, &constant.at);
            }
        }
    }

    /// No two things are written to one place.
    fn places(&mut self, at: &str, tool: &Tool) {
        let mut taken: BTreeSet<(u8, String)> = BTreeSet::new();
        let parameters = tool
            .parameters
            .iter()
            .map(|(name, parameter)| match parameter.place {
                Place::Body => (Place::Body, parameter.body_pointer(name)),
                place => (place, parameter.wire_name(name).to_owned()),
            });
        let constants = tool
            .constants
            .iter()
            .map(|constant| (constant.place, constant.at.clone()));
        let pages = tool
            .pages
            .iter()
            .flat_map(|pages| pages.parameter.iter().chain(&pages.size_parameter));
        let pages = pages.map(|name| (Place::Query, name.clone()));
        for (place, name) in parameters.chain(constants).chain(pages) {
            let name = if place == Place::Header {
                name.to_ascii_lowercase()
            } else {
                name
            };
            let is_free = match place {
                // The whole body may be put together of several records.
                Place::Body if name.is_empty() => true,
                place => taken.insert((place as u8, name.clone())),
            };
            if !is_free {
                self.note(at, format!("two things are written to {name:?}"));
            }
        }
    }

    fn result(&mut self, at: &str, tool: &Tool) {
        self.pointer(&format!("{at}.at"), &tool.at);
        match &tool.result {
            Some(kind) => self.kind(&format!("{at}.result"), kind),
            None => self.unless(
                tool.at.is_empty(),
                at,
                "`at` says where a result is, and there is no `result`",
            ),
        }
    }

    fn pages(&mut self, at: &str, tool: &Tool, pages: &Pages) {
        self.unless(
            tool.method == Method::Get,
            at,
            "only what a GET reads comes in pages",
        );
        self.unless((1..=MAX_PAGES).contains(&pages.max), at, "`max` is 1 to 50");
        let record = match &tool.result {
            Some(Kind::Named(name)) => self.api.types.get(name),
            _ => None,
        };
        let field = |name: &str, fits: fn(&Kind) -> bool| {
            let field = record.and_then(|def| def.fields.get(name));
            field.is_some_and(|field| fits(&field.kind) && !field.optional)
        };
        let has_list = field(&pages.list, |kind| matches!(kind, Kind::List(_)));
        let has_more = field(&pages.more, |kind| *kind == Kind::Boolean);
        self.unless(
            has_list,
            at,
            "`list` names no list that is a field of the result",
        );
        self.unless(
            has_more,
            at,
            "`more` names no boolean field of the result; it tells whoever reads the list that it is not whole",
        );
        let by_link = pages.style == PagesStyle::Link;
        self.unless(
            by_link != pages.parameter.is_some(),
            at,
            "`parameter` names the query parameter of the next page, unless that comes as a link",
        );
        let by_cursor = pages.style == PagesStyle::Cursor;
        self.unless(
            !by_cursor || pages.next.is_some(),
            at,
            "`next` is missing: the place of the next cursor",
        );
        self.unless(
            by_cursor || by_link || pages.next.is_none(),
            at,
            "`next` is the place of the next cursor or link, and goes with those styles",
        );
        pages
            .next
            .iter()
            .for_each(|pointer| self.pointer(at, pointer));
        self.unless(pages.size != Some(0), at, "a page has at least one item");
        self.unless(
            pages.size_parameter.is_none() || pages.size.is_some(),
            at,
            "`size_parameter` needs `size`",
        );
    }
}

/// Whether a tool can have this name: its interface uses some already.
pub fn is_free_name(name: &str) -> bool {
    !TAKEN.contains(&name)
}

/// Whether a header field is a description's to set, and not the host's or the transport's.
pub fn is_free_header(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    !HOSTS_OWN.contains(&lower.as_str())
        && !HOSTS_OWN_PREFIXES
            .iter()
            .any(|prefix| lower.starts_with(prefix))
}

fn has_body(method: Method) -> bool {
    !matches!(method, Method::Get | Method::Delete)
}
