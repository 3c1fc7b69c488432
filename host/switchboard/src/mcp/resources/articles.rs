//! Knowledge articles as resources. A knowledge base can be searched and nothing else, so an article is read by searching for it
//! again: through the dispatcher, as every other look at it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use dispatch::Outcome;
use rmcp::ErrorData;
use rmcp::model::Resource;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::ARTICLES;
use crate::mcp::desk::Desk;
use crate::mcp::visit::Visit;

/// The tool of the contract that finds articles.
const SEARCH: &str = "search_knowledge_base";

/// How many articles are remembered; those beyond that can be read, and are not listed.
const REMEMBERED: usize = 200;

/// How many articles one search gives.
const FOUND: usize = 20;

/// The articles that were found before: by id, the title.
#[derive(Default)]
pub(in crate::mcp) struct Articles {
    known: Mutex<BTreeMap<String, String>>,
    /// Wakes when there are others than before.
    news: watch::Sender<()>,
}

#[derive(Deserialize)]
struct Article {
    #[serde(rename = "article_id")]
    id: String,
    title: String,
    url: String,
    excerpt: String,
}

impl Desk {
    /// Whether whoever calls may search the knowledge base.
    pub(super) fn has_articles(&self) -> bool {
        self.keeps_back(SEARCH).is_none()
            && self
                .catalogues()
                .now(None)
                .is_some_and(|catalogue| catalogue.tool(SEARCH).is_some())
    }

    /// The ids of the articles about these words.
    pub(in crate::mcp) async fn find_articles(
        &self,
        visit: &Visit,
        words: &str,
    ) -> Result<Vec<String>, ErrorData> {
        let found = self.search(visit, words).await?;
        Ok(found.into_iter().map(|article| article.id).collect())
    }

    /// One article as it is now; none if it is not there, or nobody has found it here yet.
    pub(super) async fn article(
        &self,
        visit: &Visit,
        id: &str,
    ) -> Result<Option<String>, ErrorData> {
        // Its title finds it again. The words that found it first may have been somebody's own.
        let title = self.articles().lock().get(id).cloned();
        let words = title.unwrap_or_else(|| id.replace(['-', '_'], " "));
        let found = self.search(visit, &words).await?;
        let article = found.into_iter().find(|article| article.id == id);
        Ok(article.map(|article| {
            let Article {
                title,
                url,
                excerpt,
                ..
            } = article;
            format!("# {title}\n\n{excerpt}\n\n<{url}>\n")
        }))
    }

    /// Those that were found before, for the list.
    pub(super) fn found_articles(&self) -> Vec<Resource> {
        let articles = self.articles().lock();
        let listed = |(id, title): (&String, &String)| {
            Resource::new(format!("{ARTICLES}{id}"), id.clone())
                .with_title(title.clone())
                .with_mime_type("text/markdown")
        };
        articles.iter().map(listed).collect()
    }

    async fn search(&self, visit: &Visit, words: &str) -> Result<Vec<Article>, ErrorData> {
        if words.trim().is_empty() || !self.has_articles() {
            return Ok(Vec::new());
        }
        let arguments = json!({ "query": words, "limit": FOUND });
        let outcome = self.run_with(visit, SEARCH, arguments).await?;
        let Outcome::Done { output, .. } = outcome else {
            return Ok(Vec::new());
        };
        let found: Vec<Article> = articles_in(&output);
        self.articles().remember(&found);
        Ok(found)
    }
}

/// Another vendor's knowledge base may give more, never less, than the contract says.
fn articles_in(output: &Value) -> Vec<Article> {
    let found = output.get("articles").cloned().unwrap_or_default();
    serde_json::from_value(found).unwrap_or_default()
}

impl Articles {
    /// Wakes whenever the list is another one.
    pub(in crate::mcp) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    fn remember(&self, found: &[Article]) {
        let mut known = self.lock();
        let before = known.len();
        for article in found {
            if known.len() < REMEMBERED || known.contains_key(&article.id) {
                known.insert(article.id.clone(), article.title.clone());
            }
        }
        let others = known.len() > before;
        drop(known);
        if others {
            self.news.send_replace(());
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
