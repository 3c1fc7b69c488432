//! The `OpenAPI` document: kept by hand beside the routes, and held to them by a test.

use axum::Json;
use serde_json::{Value, json};

use super::ApiError;
use super::desk::Desk;

const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /api/openapi.json`: with this version, and the names of the tools that are loaded.
pub(super) async fn serve(desk: Desk) -> Result<Json<Value>, ApiError> {
    let mut document: Value = serde_json::from_str(DOCUMENT).map_err(|_| ApiError::internal())?;
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    let names: Vec<String> = desk.tools().tools.keys().cloned().collect();
    document["paths"]["/api/tools/{tool}"]["post"]["parameters"][0]["schema"]["enum"] =
        json!(names);
    Ok(Json(document))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    #[test]
    fn every_route_is_in_it_and_nothing_else() {
        let document = document();
        let methods = |path: &String, item: &Value| {
            item.as_object()
                .unwrap()
                .keys()
                .map(|method| format!("{} {path}", method.to_uppercase()))
                .collect::<Vec<_>>()
        };
        let told: BTreeSet<_> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| methods(path, item))
            .collect();
        let mut served: BTreeSet<_> = super::super::routes()
            .iter()
            // What axum marks as the rest of a path is a parameter like others.
            .map(|route| format!("{} {}", route.method, route.path.replace("{*", "{")))
            .collect();
        served.insert("GET /api/health".to_owned());
        served.insert("DELETE /api/tenants/{tenant}".to_owned());
        served.insert("DELETE /api/tenants/{tenant}/files/{path}".to_owned());
        served.insert("POST /api/plugins".to_owned());
        served.insert("POST /api/operators".to_owned());
        served.insert("DELETE /api/artifacts/unused".to_owned());
        assert_eq!(told, served);
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let document = document();
        let references = DOCUMENT
            .split("\"#")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap());
        for reference in references {
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
    }
}
