//! What an operation answers when it succeeds, as the tool's result.

use described::{Field, Kind, Method, TypeDef};
use serde_json::{Map, Value};

use super::{Draft, Operation};
use crate::openapi::body;
use crate::openapi::schema::{Schemas, Way};

impl<'a> Operation<'a, '_> {
    /// The result of the first success that has one, and where in the answer it is. What cannot be said of the answer to a write
    /// is left out: whoever reads cannot do without.
    pub(super) fn result(
        &self,
        tool: &str,
        draft: &mut Draft<'_>,
    ) -> Result<(Option<Kind>, String), String> {
        let reads = self.method == Method::Get;
        let (response, is_sure) = self.success()?;
        let content = response.get("content").and_then(Value::as_object);
        if content.is_none_or(Map::is_empty) {
            return Ok((None, String::new()));
        }
        let answered = if is_sure || reads {
            self.answered(response, tool, draft)
        } else {
            Err("`default` may be what an error says".to_owned())
        };
        match answered {
            Ok(kind) => Ok((Some(kind), String::new())),
            Err(reason) if reads => Err(format!("its answer: {reason}")),
            Err(reason) => {
                let line = format!("its answer is left out: {reason}");
                draft.notes.push(line);
                Ok((None, String::new()))
            }
        }
    }

    /// The first success, or `default`, which is one where no other is named; and whether it is the former.
    fn success(&self) -> Result<(&'a Value, bool), String> {
        let responses = self.node.get("responses").and_then(Value::as_object);
        let all = responses.into_iter().flatten();
        let good = all.clone().filter(|(status, _)| status.starts_with('2'));
        let first = good.min_by_key(|(status, _)| *status);
        let default = || all.clone().find(|(status, _)| *status == "default");
        let is_sure = first.is_some();
        let Some((_, response)) = first.or_else(default) else {
            return Err("it does not say how it succeeds".to_owned());
        };
        Ok((self.document.resolved(response)?, is_sure))
    }

    fn answered(
        &self,
        response: &'a Value,
        tool: &str,
        draft: &mut Draft<'_>,
    ) -> Result<Kind, String> {
        let schema = body::json(response).ok_or("no schema of JSON says what it is")?;
        let mut schemas = Schemas::new(
            self.document,
            draft.types,
            draft.names,
            draft.notes,
            Way::Out,
        );
        let shape = schemas.shape(schema, &format!("{tool}_result"))?;
        let list @ Kind::List(_) = shape.kind else {
            return Ok(shape.kind);
        };
        let field = Field {
            kind: list,
            at: Some(String::new()),
            optional: false,
            default: None,
            money: None,
            docs: None,
        };
        let def = TypeDef {
            fields: [("items".to_owned(), field)].into_iter().collect(),
            ..TypeDef::default()
        };
        Ok(schemas.named(&format!("{tool}_list"), def))
    }
}
