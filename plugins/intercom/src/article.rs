//! Found articles, as the contract wants them.

use switchboard_sdk::articles::{Hit, Hits};

use crate::bindings::exports::switchboard::conversations::conversations::{Article, ArticleList};

impl From<Hits> for ArticleList {
    fn from(hits: Hits) -> Self {
        Self {
            articles: hits.into_iter().map(Article::from).collect(),
        }
    }
}

impl From<Hit> for Article {
    fn from(hit: Hit) -> Self {
        Self {
            article_id: hit.id,
            title: hit.title,
            url: hit.url,
            excerpt: hit.excerpt,
            relevance: hit.relevance,
        }
    }
}
