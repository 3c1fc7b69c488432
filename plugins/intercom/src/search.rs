//! An article search as the backend takes it and answers it, and as the contract wants it.

use serde::Deserialize;
use switchboard_sdk::{Route, excerpt};

use crate::bindings::exports::switchboard::conversations::conversations::{
    Article, ArticleList, Error,
};

const DEFAULT_LIMIT: u32 = 5;
const LARGEST_LIMIT: u32 = 20;
const EXCERPT_CHARACTERS: usize = 500;

/// The search's route, or what is wrong with the question.
pub(crate) fn route(query: &str, limit: Option<u32>) -> Result<Route, Error> {
    let query = query.trim();
    if query.is_empty() {
        return Err(Error::invalid_input("query must not be empty"));
    }
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=LARGEST_LIMIT).contains(&limit) {
        return Err(Error::invalid_input(format_args!(
            "limit must be between 1 and {LARGEST_LIMIT}"
        )));
    }
    Ok(Route::to("articles")
        .segment("search")
        .query("q", query)
        .query("limit", limit))
}

/// The backend's answer to a search.
#[derive(Deserialize)]
pub(crate) struct Hits {
    articles: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    id: String,
    title: String,
    url: String,
    body: String,
    relevance: f64,
}

impl From<Hits> for ArticleList {
    fn from(hits: Hits) -> Self {
        Self {
            articles: hits.articles.into_iter().map(Article::from).collect(),
        }
    }
}

impl From<Hit> for Article {
    fn from(hit: Hit) -> Self {
        Self {
            article_id: hit.id,
            title: hit.title,
            url: hit.url,
            excerpt: excerpt(&hit.body, EXCERPT_CHARACTERS),
            relevance: hit.relevance.clamp(0.0, 1.0),
        }
    }
}
