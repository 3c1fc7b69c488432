//! Knowledge articles, and full-text search over them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Found;
use crate::app::App;
use crate::moment::Moment;
use crate::refusal::Refusal;
use crate::request::{Id, Params};
use crate::store::record::{self, Record};

const DEFAULT_LIMIT: usize = 5;
const MOST_RESULTS: usize = 50;
const MOST_WORDS: usize = 32;
/// The score per telling word at which an article is half relevant; judged by eye over the demo's articles.
const HALF_RELEVANT: f64 = 1.25;
/// What a key phrase that stands in the question adds to the score.
const PHRASE_BONUS: f64 = 6.0;
/// Words that say nothing about a subject.
const EMPTY_WORDS: &[&str] = &[
    "a", "about", "am", "an", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can",
    "could", "d", "did", "do", "does", "for", "from", "get", "had", "has", "have", "hello", "hi",
    "how", "i", "if", "in", "is", "it", "its", "just", "ll", "m", "me", "my", "of", "on", "or",
    "please", "s", "so", "t", "tell", "that", "the", "there", "they", "this", "to", "ve", "want",
    "was", "we", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you",
    "your",
];

/// A knowledge article.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Article {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) url: String,
    /// Words that customers use and the text does not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) keywords: String,
    pub(crate) body: String,
}

impl Record for Article {
    const KIND: &'static str = "article";

    fn id(&self) -> &str {
        &self.id
    }

    fn moments(&mut self) -> Vec<&mut Moment> {
        Vec::new()
    }
}

#[derive(Deserialize)]
pub(crate) struct Search {
    q: String,
    limit: Option<usize>,
}

#[derive(Serialize)]
struct Hit {
    id: String,
    title: String,
    url: String,
    body: String,
    /// From 0 (hardly) to 1 (best), two decimals.
    relevance: f64,
}

/// `GET /articles/{id}`
pub(crate) async fn get(State(app): State<Arc<App>>, Id(id): Id) -> Found {
    let article: Article = app.store.read(move |db| record::get(db, &id)).await?;
    Ok(Json(
        json!({ "id": article.id, "title": article.title, "url": article.url, "body": article.body }),
    ))
}

/// `GET /articles/search?q=&limit=`: best first.
pub(crate) async fn search(State(app): State<Arc<App>>, Params(wanted): Params<Search>) -> Found {
    let limit = wanted.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST_RESULTS).contains(&limit) {
        return Err(Refusal::invalid(format!(
            "limit must be between 1 and {MOST_RESULTS}"
        )));
    }
    let hits = app.store.read(move |db| best(db, &wanted.q, limit)).await?;
    Ok(Json(json!({ "articles": hits })))
}

/// All words of a text, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|sign: char| !sign.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// The words of a question that say what it is about, each once.
fn telling_words(question: &str) -> Vec<String> {
    let mut telling = Vec::new();
    for word in words(question) {
        if !EMPTY_WORDS.contains(&word.as_str()) && !telling.contains(&word) {
            telling.push(word);
        }
    }
    telling.truncate(MOST_WORDS);
    telling
}

fn best(db: &Connection, question: &str, limit: usize) -> Result<Vec<Hit>, Refusal> {
    let telling = telling_words(question);
    let half_relevant: f64 = telling.iter().map(|_| HALF_RELEVANT).sum();
    let mut scored = scored(db, &telling)?;
    for (article, score) in &mut scored {
        if article.has_key_phrase_of(question) {
            *score += PHRASE_BONUS;
        }
    }
    scored.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    Ok(scored
        .into_iter()
        .take(limit)
        .map(|(article, score)| hit(article, score / (score + half_relevant)))
        .collect())
}

/// Every article with any of these words, and how much of them it has.
fn scored(db: &Connection, telling: &[String]) -> Result<Vec<(Article, f64)>, Refusal> {
    const SQL: &str = "SELECT id, -bm25(article_text, 0.0, 6.0, 4.0, 1.0) FROM article_text
        WHERE article_text MATCH ?1 ORDER BY id";
    if telling.is_empty() {
        return Ok(Vec::new());
    }
    let any_of_them = telling
        .iter()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(" OR ");
    let mut statement = db.prepare_cached(SQL)?;
    let rows = statement.query_map([any_of_them], |row| {
        Ok((row.get::<_, String>(0)?, row.get(1)?))
    })?;
    rows.map(|row| {
        row.map_err(Refusal::from)
            .and_then(|(id, score)| Ok((record::get(db, &id)?, score)))
    })
    .collect()
}

impl Article {
    /// Whether the question has one of the key phrases in it, word for word. Words that every article has ("order") score
    /// next to nothing, and phrases made of them ("where is my order") are what customers write.
    fn has_key_phrase_of(&self, question: &str) -> bool {
        let question = spaced(question);
        let phrases = self
            .keywords
            .split(',')
            .map(str::trim)
            .filter(|keyword| keyword.contains(' '));
        phrases.map(spaced).any(|phrase| question.contains(&phrase))
    }
}

/// The words of a text with one blank on each side, so that only whole words are found in it.
fn spaced(text: &str) -> String {
    words(text).fold(String::from(" "), |text, word| text + &word + " ")
}

fn hit(article: Article, relevance: f64) -> Hit {
    Hit {
        id: article.id,
        title: article.title,
        url: article.url,
        body: article.body,
        relevance: (relevance.clamp(0.0, 1.0) * 100.0).round() / 100.0,
    }
}
