//! The description as its author writes it, in TOML.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Kind, MoneyForm, Named};

/// A described API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Its name: words of small letters and digits, joined by `-`. The tools belong to the interface `described:NAME/api`.
    pub name: String,
    /// How its failures are read.
    #[serde(default, skip_serializing_if = "Errors::is_default")]
    pub errors: Errors,
    /// Its own types by name.
    #[serde(default, rename = "type", skip_serializing_if = "Named::is_empty")]
    pub types: Named<TypeDef>,
    /// Its tools by name.
    #[serde(rename = "tool")]
    pub tools: Named<Tool>,
}

/// One request that is offered as a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// What the model reads: what it does, when to use it, what must come before.
    pub docs: String,
    /// How it is sent.
    pub method: Method,
    /// Where below the plugin's `base_url`; `{order_id}` is the parameter of that name.
    pub path: String,
    /// What it takes.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub parameters: Named<Parameter>,
    /// How its body is written: as JSON, unless `form` is said.
    #[serde(default, skip_serializing_if = "Encoding::is_json")]
    pub body: Encoding,
    /// What is always sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constants: Vec<Constant>,
    /// What it gives; nothing where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Kind>,
    /// Where in the answer the result is: a JSON pointer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    /// How a list that comes in pages is put together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<Pages>,
}

/// How a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Changes nothing.
    Get,
    /// Creates or does something.
    Post,
    /// Puts something in the place of what is there.
    Put,
    /// Changes something.
    Patch,
    /// Removes something.
    Delete,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As JSON.
    #[default]
    Json,
    /// As a form (`application/x-www-form-urlencoded`): `a[b]=1&c[0]=2`.
    Form,
}

/// One parameter of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Which part of the request it goes into.
    #[serde(rename = "in")]
    pub place: Place,
    /// It may be left out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    /// What the API calls it, in a query or a header; its own name where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where in the body it goes: a JSON pointer; `/` and its own name where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// How a list is written in a query or a form: joined by this text rather than as one parameter, or field, for each item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    /// How money is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<MoneyForm>,
    /// What the model reads of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

/// A part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// A segment of the path, or a part of one.
    Path,
    /// A query parameter.
    Query,
    /// A header field.
    Header,
    /// A place in the body.
    Body,
}

/// Something that is sent with every call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    /// Which part of the request it goes into; not the path, where it is simply written.
    #[serde(rename = "in")]
    pub place: Place,
    /// The name of the query parameter or header field, or the JSON pointer into the body.
    pub at: String,
    /// A text; in a body any JSON value.
    pub value: Value,
}

/// A type of the description's own: a record (`fields`) or an enum (`cases`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeDef {
    /// What the model reads of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
    /// The cases of an enum: name → how the API writes it.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub cases: Named<String>,
    /// The case that stands for everything else that the API may write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// The fields of a record.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub fields: Named<Field>,
}

/// One field of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Where it is in the record as the API writes it: a JSON pointer; `/` and its own name where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// It may be absent.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    /// What it is in a result where the API leaves it out, in the form that the tool gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// How money is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money: Option<MoneyForm>,
    /// What the model reads of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs: Option<String>,
}

/// How a list comes in pages. Every page is one request, which counts like any other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pages {
    /// How the next page is asked for.
    pub style: PagesStyle,
    /// The field of the result that the pages fill.
    pub list: String,
    /// The boolean field of the result that says whether there is more than what was read. It is not read from the answer.
    pub more: String,
    /// The query parameter that names the page, the offset or the cursor; not with `link`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The first page's number or offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u64>,
    /// The query parameter that says how many items a page has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_parameter: Option<String>,
    /// How many items a page has. With `page` and `offset` a page that has fewer is the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Where in the answer the next cursor is, or the link to the next page: a JSON pointer. It is the last page where that is
    /// absent, null or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many pages one call reads, at most.
    pub max: u32,
}

/// How the next page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PagesStyle {
    /// By its number.
    Page,
    /// By the number of items before it.
    Offset,
    /// By what the page before it says.
    Cursor,
    /// By the link that the page before it has, in its body where `next` says so, else in its `Link` header (RFC 8288,
    /// `rel="next"`). It may change the query alone.
    Link,
}

/// How failures are read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Where in the body of a failure its code is: a JSON pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Where its text for the operator's log is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What single statuses and codes mean, where that is not what HTTP says. The first that fits counts.
    #[serde(default, rename = "rule", skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<ErrorRule>,
}

impl Errors {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What one status, one code, or both together mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// The HTTP status. Without it, the code counts under every status, also of success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The code in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What it means.
    pub is: FailureKind,
}

/// The ways in which a tool can fail, as the contract has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// An argument must change.
    InvalidInput,
    /// There is no such thing.
    NotFound,
    /// The API's own rules refuse it.
    NotEligible,
    /// Something else changed it, or the same request is being worked on.
    Conflict,
    /// It cannot answer now.
    Unavailable,
}

impl Method {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl Encoding {
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for this form"
    )]
    fn is_json(&self) -> bool {
        *self == Self::Json
    }
}

impl Parameter {
    /// Where in the body it goes.
    pub fn body_pointer(&self, own: &str) -> String {
        pointer(self.at.as_deref(), own)
    }

    /// What the API calls it in a query or a header.
    pub fn wire_name<'a>(&'a self, own: &'a str) -> &'a str {
        self.name.as_deref().unwrap_or(own)
    }
}

impl Field {
    /// Where it is in the record as the API writes it.
    pub fn pointer(&self, own: &str) -> String {
        pointer(self.at.as_deref(), own)
    }
}

fn pointer(given: Option<&str>, own: &str) -> String {
    given.map_or_else(|| format!("/{own}"), str::to_owned)
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for this form"
)]
fn is_false(value: &bool) -> bool {
    !value
}
