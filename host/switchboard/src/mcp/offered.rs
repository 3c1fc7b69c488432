//! What the desk offers to its clients: tools, prompts, resources, and what changes of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use dispatch::CaseNews;
use futures::StreamExt;
use futures::stream::{self, BoxStream, Stream};
use rmcp::ErrorData;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CompleteRequestParams, CompleteResult, CompletionInfo,
    GetPromptRequestParams, GetPromptResponse, Prompt, ReadResourceRequestParams,
    ReadResourceResult, Reference, Resource, ResourceTemplate, ServerCapabilities, Tool,
};
use tokio_stream::wrappers::{BroadcastStream, WatchStream};

use super::answer;
use super::cases::Session;
use super::catalogue::{Catalogue, Changed};
use super::desk::Desk;
use super::prompts::{self, Suggested};
use super::provider::{Change, Provider};
use super::resources::{
    self, HANDOFF, RULEBOOK, TEMPLATE_ARTICLE, TEMPLATE_HANDOFF, TEMPLATE_TRANSCRIPT, TRANSCRIPT,
};
use super::visit::Visit;

const INSTRUCTIONS: &str = "\
Tools of a customer support desk. The host decides every call by its own rules and keeps a case of what the conversation \
has established, so the order matters: find the customer first (get_customer), then the order (lookup_order), then act on \
it. A result with isError is an answer, not a crash: its `outcome` says what happened and what can be done next. \
`awaiting_consent` means that a person must say yes first: do not repeat the call. Writes are never done twice: the same \
write again returns the first result. Work on one customer at a time; ";

/// How several conversations are told apart where one principal's clients know each other.
const BY_NAME: &str =
    "for several conversations at once, name each of them in _meta \"switchboard/case\".";

/// How a conversation is told apart where the clients may be strangers to each other.
const BY_SESSION: &str = "open an MCP session (initialize, protocol 2025-11-25 or 2025-06-18) for each conversation: a \
request without one has a case of its own, and forgets it.";

#[async_trait]
impl Provider for Desk {
    fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_prompts()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_resources_list_changed()
            .enable_completions()
            .build()
    }

    fn instructions(&self, stranger: bool) -> String {
        let conversations = if stranger { BY_SESSION } else { BY_NAME };
        format!("{INSTRUCTIONS}{conversations}")
    }

    async fn tools(&self, session: &Session) -> Result<Vec<Tool>, ErrorData> {
        let catalogue = self.catalogue(session).await;
        let catalogue = catalogue.map_err(|error| answer::unreadable(&error))?;
        Ok(catalogue.map_or_else(Vec::new, |catalogue| catalogue.tools().to_vec()))
    }

    fn tool(&self, name: &str) -> Option<Tool> {
        self.catalogues().now(None)?.tool(name).cloned()
    }

    async fn call(
        &self,
        visit: Visit,
        request: CallToolRequestParams,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Some(refusal) = self.keeps_back(&request.name) {
            return Err(answer::invalid_params(refusal));
        }
        let has_tool = self.has_tool(&visit.session, &request.name).await;
        if !has_tool.map_err(|error| answer::unreadable(&error))? {
            return Err(answer::unknown_tool(&request.name));
        }
        if let Some(sealed) = request.request_state.as_deref() {
            return self.answered(&visit, &request, sealed).await;
        }
        let outcome = self.run(&visit, &request).await?;
        self.ask(&visit, &request, outcome).await
    }

    /// Progress is told only to those who ask for it.
    fn is_direct(&self, _tool: &str) -> bool {
        true
    }

    fn prompts(&self) -> Vec<Prompt> {
        prompts::list()
    }

    async fn prompt(
        &self,
        _visit: Visit,
        request: GetPromptRequestParams,
    ) -> Result<GetPromptResponse, ErrorData> {
        let unknown = || answer::unknown("prompt", &request.name, "prompts/list");
        let tenant = self.tenant().ok_or_else(unknown)?;
        Ok(prompts::fill(&tenant, &request)?.into())
    }

    async fn complete(
        &self,
        visit: Visit,
        request: CompleteRequestParams,
    ) -> Result<CompleteResult, ErrorData> {
        let typed = request.argument.value.as_str();
        let begun = |words: Vec<String>| {
            let fits = |word: &String| word.to_lowercase().starts_with(&typed.to_lowercase());
            words.into_iter().filter(fits).collect()
        };
        let values = match &request.r#ref {
            Reference::Prompt(prompt) => {
                match prompts::suggested(&prompt.name, &request.argument.name)? {
                    Suggested::Nothing => Vec::new(),
                    Suggested::Words(words) => begun(words.iter().map(|&w| w.to_owned()).collect()),
                    Suggested::Established(kind) => begun(self.established(&visit, kind).await?),
                }
            }
            Reference::Resource(template) => match template.uri.as_str() {
                TEMPLATE_ARTICLE => self.find_articles(&visit, typed).await?,
                TEMPLATE_TRANSCRIPT | TEMPLATE_HANDOFF if self.is_staff() => {
                    begun(self.waiting_cases().await?)
                }
                uri => {
                    let list = "resources/templates/list";
                    return Err(answer::unknown("resource template", uri, list));
                }
            },
            _ => Vec::new(),
        };
        Ok(completed(values))
    }

    async fn resources(&self, _visit: &Visit) -> Result<Vec<Resource>, ErrorData> {
        Ok(self.listed())
    }

    fn templates(&self) -> Vec<ResourceTemplate> {
        self.shapes()
    }

    async fn read(
        &self,
        visit: Visit,
        request: ReadResourceRequestParams,
    ) -> Result<ReadResourceResult, ErrorData> {
        self.read_one(visit, &request).await
    }

    fn changes(self: Arc<Self>, session: Session) -> BoxStream<'static, Change> {
        let tools = Arc::clone(&self).changed_lists(session.clone());
        let tools = tools.flat_map(|changed| {
            let rules = changed.rules.then(|| Change::Resource(RULEBOOK.to_owned()));
            stream::iter(
                changed
                    .tools
                    .then_some(Change::Tools)
                    .into_iter()
                    .chain(rules),
            )
        });
        let articles = WatchStream::from_changes(self.articles().news());
        let lists = stream::select(tools, articles.map(|()| Change::Resources));
        stream::select(lists, self.changed_cases(session)).boxed()
    }
}

impl Desk {
    /// An item for each time that the list of the session's tools is another one, compared whenever something may have changed.
    fn changed_lists(self: Arc<Self>, session: Session) -> impl Stream<Item = Changed> {
        let news = self.news();
        // While a version is on trial, the store is asked whose case it is: that is for the first look.
        let told = (!self.catalogues().differ()).then(|| self.catalogues().now(None));
        let first = (self, session, news, told);
        stream::unfold(first, async |(desk, session, mut news, told)| {
            let told = match told {
                Some(told) => told,
                None => desk.catalogue_now(&session).await,
            };
            loop {
                news.changed().await.ok()?;
                let now = desk.catalogue_now(&session).await;
                let changed = Changed::between(told.as_deref(), now.as_deref());
                if changed.tools || changed.rules {
                    return Some((changed, (desk, session, news, Some(now))));
                }
            }
        })
    }

    /// Where the store cannot say which case it is, what most cases see.
    async fn catalogue_now(&self, session: &Session) -> Option<Arc<Catalogue>> {
        let catalogue = self.catalogue(session).await;
        catalogue.unwrap_or_else(|_| self.catalogues().now(None))
    }

    /// What is to be read anew whenever something is recorded of a case that this client may read.
    fn changed_cases(self: Arc<Self>, session: Session) -> BoxStream<'static, Change> {
        let news = BroadcastStream::new(self.store().news());
        // A call leaves several records at once: they are told as one change.
        let told = news.ready_chunks(NEWS_AT_ONCE).flat_map(move |news| {
            let missed = news.iter().any(Result::is_err).then_some(Change::Missed);
            let heard = news.iter().flatten();
            let uris = heard.flat_map(|news| self.uris_of(news, &session));
            let uris: BTreeSet<String> = uris.collect();
            stream::iter(
                missed
                    .into_iter()
                    .chain(uris.into_iter().map(Change::Resource)),
            )
        });
        told.boxed()
    }

    fn uris_of(&self, news: &CaseNews, session: &Session) -> Vec<String> {
        let CaseNews { tenant, case } = news;
        if tenant != self.caller().0 {
            return Vec::new();
        }
        let mut uris = Vec::new();
        if self.known_case(session).is_some_and(|known| known == *case) {
            uris.extend([TRANSCRIPT.to_owned(), HANDOFF.to_owned()]);
        }
        if self.is_staff() {
            uris.extend(resources::of_case(case));
        }
        uris
    }

    /// The ids of what the client's case has established of this kind.
    async fn established(&self, visit: &Visit, kind: &str) -> Result<Vec<String>, ErrorData> {
        let case = self.own_case(&visit.session).await?;
        let facts = self.store().facts(&case).await;
        let facts = facts.map_err(|error| answer::unreadable(&error))?;
        let of_kind = facts.into_keys().filter(|entity| entity.kind == kind);
        Ok(of_kind.map(|entity| entity.id).collect())
    }

    /// The cases that wait for a person.
    async fn waiting_cases(&self) -> Result<Vec<String>, ErrorData> {
        let waiting = self.store().pending(self.caller().0, None).await;
        let waiting = waiting.map_err(|error| answer::unreadable(&error))?;
        let cases: BTreeSet<String> = waiting.into_iter().map(|one| one.call.case).collect();
        Ok(cases.into_iter().collect())
    }
}

/// How many records are told as one change at most.
const NEWS_AT_ONCE: usize = 64;

fn completed(mut values: Vec<String>) -> CompleteResult {
    let total = u32::try_from(values.len()).ok();
    let has_more = values.len() > CompletionInfo::MAX_VALUES;
    values.truncate(CompletionInfo::MAX_VALUES);
    let mut result = CompleteResult::default();
    result.completion.values = values;
    result.completion.total = total;
    result.completion.has_more = Some(has_more);
    result
}
