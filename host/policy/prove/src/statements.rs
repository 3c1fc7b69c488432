//! What is to be proved, and of what: the shipped rules, the statements about them, and what the host can supply.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use cedar_policy::{Policy, PolicyId, PolicySet, RequestEnv, Schema};
use policy::{Rulebook, RulebookSource, Settings, ToolRule};
use serde_json::{Value, json};

/// Everything that proofs are about.
pub(crate) struct Statements {
    pub(crate) schema: Schema,
    /// The shipped rules, each under its `@id`.
    pub(crate) rules: Vec<Policy>,
    pub(crate) theorems: Vec<Theorem>,
    /// The condition that all values of a tool call meet, in Cedar's JSON form.
    supplied: Value,
}

/// One statement: whatever the rules allow, it permits.
pub(crate) struct Theorem {
    pub(crate) id: String,
    pub(crate) says: String,
    /// The rules without each of which it is false.
    pub(crate) rests_on: Vec<String>,
    pub(crate) policy: Policy,
}

#[derive(serde::Deserialize)]
struct Contract {
    tool: BTreeMap<String, ToolRule>,
}

impl Statements {
    pub(crate) fn read() -> Result<Self> {
        let contract: Contract = toml::from_str(include_str!("../../../../wit/contract.toml"))
            .context("wit/contract.toml does not read")?;
        let source = RulebookSource::shipped(contract.tool, Settings::default());
        let (schema, _) = Schema::from_cedarschema_str(&source.schema()?)?;
        let mut rules = vec![];
        for (_, text) in Rulebook::SHIPPED {
            rules.extend(named(text)?);
        }
        let theorems = named(include_str!("theorems.cedar"))?;
        let supplied = named(include_str!("supplied.cedar"))?;
        let [supplied] = supplied.as_slice() else {
            bail!("supplied.cedar holds one policy");
        };
        let statements = Self {
            schema,
            theorems: theorems.into_iter().map(theorem).collect::<Result<_>>()?,
            supplied: supplied.to_json()?["conditions"][0].clone(),
            rules,
        };
        statements.check_names()?;
        Ok(statements)
    }

    /// A name that only looks like a rule's would prove nothing.
    fn check_names(&self) -> Result<()> {
        for theorem in &self.theorems {
            for id in &theorem.rests_on {
                if !self.rules.iter().any(|rule| id_of(rule) == *id) {
                    bail!("{} rests on {id}, which is no rule", theorem.id);
                }
            }
        }
        Ok(())
    }

    /// What can be asked for, of one policy's actions.
    pub(crate) fn environments(&self, policy: &Policy) -> Vec<RequestEnv> {
        let all = self.schema.request_envs();
        all.filter(|one| concerns(policy, &self.schema, one))
            .collect()
    }

    /// The rules, less one.
    pub(crate) fn rules_without(&self, id: Option<&str>) -> Result<PolicySet> {
        let rules = self
            .rules
            .iter()
            .filter(|rule| Some(id_of(rule).as_str()) != id);
        Ok(PolicySet::from_policies(rules.cloned())?)
    }

    /// The same policy, for values that the host can supply only: for others it does not match, and cannot fail.
    pub(crate) fn for_supplied(&self, policy: &Policy, of: &RequestEnv) -> Result<Policy> {
        if !is_tool_call(of) {
            return Ok(policy.clone());
        }
        let mut form = policy.to_json()?;
        let conditions = form["conditions"].as_array_mut();
        conditions
            .context("a policy has conditions")?
            .insert(0, self.supplied.clone());
        Ok(Policy::from_json(Some(policy.id().clone()), form)?)
    }

    /// A statement that holds for all other values by itself.
    pub(crate) fn with_supplied(&self, theorem: &Policy, of: &RequestEnv) -> Result<PolicySet> {
        let mut policies = vec![theorem.clone()];
        if is_tool_call(of) {
            let mut unless = self.supplied.clone();
            unless["kind"] = json!("unless");
            let form = json!({ "effect": "permit", "principal": { "op": "All" }, "action": { "op": "All" },
                "resource": { "op": "All" }, "conditions": [unless], "annotations": {} });
            let id = PolicyId::new("what the host never supplies");
            policies.push(Policy::from_json(Some(id), form)?);
        }
        Ok(PolicySet::from_policies(policies)?)
    }
}

/// The `@id` of a policy.
pub(crate) fn id_of(policy: &Policy) -> String {
    policy.annotation("id").unwrap_or_default().to_owned()
}

fn named(text: &str) -> Result<Vec<Policy>> {
    let set: PolicySet = text.parse()?;
    let name = |policy: &Policy| policy.new_id(PolicyId::new(id_of(policy)));
    let mut policies: Vec<Policy> = set.policies().map(name).collect();
    policies.sort_by_key(id_of);
    Ok(policies)
}

fn theorem(policy: Policy) -> Result<Theorem> {
    let text = |name: &str| policy.annotation(name).map(str::to_owned);
    let missing = |name: &str| format!("{} lacks @{name}", id_of(&policy));
    Ok(Theorem {
        id: id_of(&policy),
        says: text("says").with_context(|| missing("says"))?,
        rests_on: text("rests_on")
            .with_context(|| missing("rests_on"))?
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
        policy,
    })
}

fn is_tool_call(of: &RequestEnv) -> bool {
    AsRef::<str>::as_ref(of.action().id()) != "http_request"
}

/// Whether the policy's scope admits the action: named by itself, or by its group.
fn concerns(policy: &Policy, schema: &Schema, of: &RequestEnv) -> bool {
    use cedar_policy::ActionConstraint::{Any, Eq, In};
    let action = of.action();
    let groups = schema.action_entities().ok();
    let is_in = |named: &cedar_policy::EntityUid| {
        named == action
            || groups
                .as_ref()
                .is_some_and(|all| all.is_ancestor_of(named, action))
    };
    match policy.action_constraint() {
        Any => true,
        Eq(named) => named == *action,
        In(named) => named.iter().any(is_in),
    }
}
