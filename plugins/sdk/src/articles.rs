//! A search for help articles: the question as backends take it, and the hits as the contract wants them.

use serde::Deserialize;

use crate::types::Error;
use crate::{Route, excerpt};

const DEFAULT_LIMIT: u32 = 5;
const LARGEST_LIMIT: u32 = 20;
const EXCERPT_CHARACTERS: usize = 500;

/// The search's route, or what is wrong with the question.
pub fn route(query: &str, limit: Option<u32>) -> Result<Route, Error> {
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

/// A backend's answer to a search.
#[derive(Deserialize)]
pub struct Hits {
    articles: Vec<Hit>,
}

/// One article that was found.
#[derive(Deserialize)]
#[serde(from = "Row")]
pub struct Hit {
    /// The article's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where a customer can read it.
    pub url: String,
    /// Its text, cut to 500 characters.
    pub excerpt: String,
    /// How well it fits, 0 to 1.
    pub relevance: f64,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    title: String,
    url: String,
    body: String,
    relevance: f64,
}

impl From<Row> for Hit {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            title: row.title,
            url: row.url,
            excerpt: excerpt(&row.body, EXCERPT_CHARACTERS),
            relevance: row.relevance.clamp(0.0, 1.0),
        }
    }
}

impl IntoIterator for Hits {
    type Item = Hit;
    type IntoIter = std::vec::IntoIter<Hit>;

    fn into_iter(self) -> Self::IntoIter {
        self.articles.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Hits, route};

    #[test]
    fn a_search_has_words_and_a_sensible_limit() {
        assert_eq!(
            route(" return policy ", None).unwrap().to_string(),
            "/articles/search?q=return%20policy&limit=5"
        );
        assert!(route("  ", None).is_err());
        assert!(route("x", Some(0)).is_err());
        assert!(route("x", Some(20)).is_ok());
        assert!(route("x", Some(21)).is_err());
    }

    #[test]
    fn a_long_article_is_cut_to_five_hundred_characters() {
        let body = "word ".repeat(400);
        let text = format!(
            r#"{{"articles":[{{"id":"A-1","title":"T","url":"u","body":"{body}","relevance":1.5}}]}}"#
        );
        let hits: Hits = serde_json::from_str(&text).unwrap();
        let article = hits.into_iter().next().unwrap();
        assert!((400..=500).contains(&article.excerpt.chars().count()));
        assert!(article.excerpt.ends_with('…'));
        assert!(article.relevance <= 1.0);
    }
}
