//! The knowledge base: `switchboard:knowledge` over the demo backend's articles.

mod article;

switchboard_sdk::plugin!(world: "demo:knowledge/plugin", wit: ["../../wit/knowledge", "wit"]);

use bindings::exports::switchboard::knowledge::knowledge::{ArticleList, Error, Guest};
use switchboard_sdk::{Backend, articles};

struct Knowledge;

bindings::export!(Knowledge with_types_in bindings);

impl Guest for Knowledge {
    fn search_knowledge_base(query: String, limit: Option<u32>) -> Result<ArticleList, Error> {
        let route = articles::route(&query, limit)?;
        let hits: articles::Hits = Backend::configured()?.get(&route)?;
        Ok(hits.into())
    }
}
