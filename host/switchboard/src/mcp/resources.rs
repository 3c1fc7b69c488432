//! What clients can read: articles, the case as it stands, and the rules in plain words.

mod articles;
mod case;
mod rules;

use policy::Role;
use rmcp::ErrorData;
use rmcp::model::{
    ReadResourceRequestParams, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};

use super::answer;
use super::desk::Desk;
use super::visit::Visit;
pub(super) use articles::Articles;

pub(super) const RULEBOOK: &str = "switchboard://rulebook";
pub(super) const TRANSCRIPT: &str = "switchboard://case/transcript";
pub(super) const HANDOFF: &str = "switchboard://case/handoff";
const OF_CASE: &str = "switchboard://cases/";
const ARTICLES: &str = "switchboard://articles/";

pub(super) const TEMPLATE_ARTICLE: &str = "switchboard://articles/{article_id}";
pub(super) const TEMPLATE_TRANSCRIPT: &str = "switchboard://cases/{case}/transcript";
pub(super) const TEMPLATE_HANDOFF: &str = "switchboard://cases/{case}/handoff";

/// What a URI names.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Rulebook,
    /// The client's own case.
    Own(Part),
    /// Any case of the tenant; for staff.
    Case(String, Part),
    Article(String),
}

/// Which side of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Transcript,
    Handoff,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::Transcript => "transcript",
            Self::Handoff => "handoff",
        }
    }
}

impl Place {
    fn of(uri: &str) -> Option<Self> {
        match uri {
            RULEBOOK => return Some(Self::Rulebook),
            TRANSCRIPT => return Some(Self::Own(Part::Transcript)),
            HANDOFF => return Some(Self::Own(Part::Handoff)),
            _ => (),
        }
        if let Some(article) = uri.strip_prefix(ARTICLES) {
            return is_id(article).then(|| Self::Article(article.to_owned()));
        }
        let (case, part) = uri.strip_prefix(OF_CASE)?.split_once('/')?;
        let part = [Part::Transcript, Part::Handoff]
            .into_iter()
            .find(|one| one.word() == part)?;
        is_id(case).then(|| Self::Case(case.to_owned(), part))
    }
}

fn is_id(text: &str) -> bool {
    let proper = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && text.len() <= 128 && text.chars().all(proper)
}

/// The URIs of a case that has changed, for whoever may read any case.
pub(super) fn of_case(case: &str) -> [String; 2] {
    [Part::Transcript, Part::Handoff].map(|part| format!("{OF_CASE}{case}/{}", part.word()))
}

impl Desk {
    /// What can be listed: the fixed ones, and the articles that were found here before.
    pub(super) fn listed(&self) -> Vec<Resource> {
        let mut all = vec![
            Resource::new(RULEBOOK, "rulebook")
                .with_title("The rules in plain words")
                .with_description("What each tool does, and what must hold before it runs.")
                .with_mime_type("text/markdown"),
            Resource::new(HANDOFF, "handoff")
                .with_title("Hand-off of this case")
                .with_description("Everything that a person who takes over must know.")
                .with_mime_type("application/json"),
            Resource::new(TRANSCRIPT, "transcript")
                .with_title("Transcript of this case")
                .with_description("What was said and done in this conversation.")
                .with_mime_type("text/markdown"),
        ];
        all.extend(self.found_articles());
        all.sort_by(|one, other| one.uri.cmp(&other.uri));
        all
    }

    /// The shapes of further resources, as far as they are for whoever calls.
    pub(super) fn shapes(&self) -> Vec<ResourceTemplate> {
        let mut shapes = Vec::new();
        if self.has_articles() {
            shapes.push(
                ResourceTemplate::new(TEMPLATE_ARTICLE, "article")
                    .with_title("A knowledge article")
                    .with_description("Completion of article_id searches the knowledge base.")
                    .with_mime_type("text/markdown"),
            );
        }
        if self.is_staff() {
            shapes.extend([
                ResourceTemplate::new(TEMPLATE_HANDOFF, "handoff_of_case")
                    .with_title("Hand-off of a case")
                    .with_mime_type("application/json"),
                ResourceTemplate::new(TEMPLATE_TRANSCRIPT, "transcript_of_case")
                    .with_title("Transcript of a case")
                    .with_mime_type("text/markdown"),
            ]);
        }
        shapes
    }

    /// Reads one. Another's case is as unknown as one that is not there.
    pub(super) async fn read_one(
        &self,
        visit: Visit,
        request: &ReadResourceRequestParams,
    ) -> Result<ReadResourceResult, ErrorData> {
        let uri = request.uri.as_str();
        let unknown = || answer::unknown_resource(uri);
        let place = Place::of(uri).ok_or_else(unknown)?;
        let (text, kind) = match place {
            Place::Rulebook => (self.rules_in_words().ok_or_else(unknown)?, MARKDOWN),
            Place::Article(article) => {
                let article = self.article(&visit, &article).await?;
                (article.ok_or_else(unknown)?, MARKDOWN)
            }
            Place::Own(part) => {
                let case = self.own_case(&visit.session).await?;
                self.part_of(&case, part).await?.ok_or_else(unknown)?
            }
            Place::Case(case, part) if self.is_staff() => {
                self.part_of(&case, part).await?.ok_or_else(unknown)?
            }
            Place::Case(..) => return Err(unknown()),
        };
        let contents = ResourceContents::text(text, uri).with_mime_type(kind);
        Ok(ReadResourceResult::new(vec![contents]))
    }

    async fn part_of(
        &self,
        case: &str,
        part: Part,
    ) -> Result<Option<(String, &'static str)>, ErrorData> {
        let account = self.account(case).await?;
        Ok(account.map(|account| match part {
            Part::Transcript => (account.transcript(self.is_staff()), MARKDOWN),
            Part::Handoff => (account.handoff(self.is_staff()), "application/json"),
        }))
    }

    pub(super) fn is_staff(&self) -> bool {
        self.actor().role > Role::Agent
    }
}

const MARKDOWN: &str = "text/markdown";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_one_place_or_none() {
        let case = |part| Some(Place::Case("c-1".to_owned(), part));
        for (uri, place) in [
            (RULEBOOK, Some(Place::Rulebook)),
            (HANDOFF, Some(Place::Own(Part::Handoff))),
            ("switchboard://cases/c-1/transcript", case(Part::Transcript)),
            ("switchboard://cases/c-1/handoff", case(Part::Handoff)),
            (
                "switchboard://articles/KB-101",
                Some(Place::Article("KB-101".to_owned())),
            ),
            ("switchboard://cases/c-1", None),
            ("switchboard://cases//transcript", None),
            (
                "switchboard://cases/../transcript",
                Some(Place::Case("..".to_owned(), Part::Transcript)),
            ),
            ("switchboard://cases/c-1/secrets", None),
            ("switchboard://cases/c-1/handoff/more", None),
            ("switchboard://articles/", None),
            ("switchboard://articles/a b", None),
            ("file:///etc/passwd", None),
            ("", None),
        ] {
            assert_eq!(Place::of(uri), place, "{uri}");
        }
    }
}
