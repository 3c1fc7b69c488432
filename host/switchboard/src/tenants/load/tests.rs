//! What a folder's texts come to, and what they are refused for.

use policy::{Actor, Call, Channel, Decision, Facts, Role};
use serde_json::Map;

use super::*;
use crate::host::rules;
use crate::tenants::Accepted;

const COMPANY: &str = "company = \"Acme\"\n";

fn loaded(texts: &[(&str, &str)], accepted: &str) -> Result<Tenant, TenantError> {
    let own = |(file, text): &(&str, &str)| ((*file).to_owned(), (*text).to_owned());
    let folder = TenantFolder {
        name: "acme".to_owned(),
        path: "/tenants/acme".into(),
        texts: texts.iter().map(own).collect(),
    };
    let config = Config::default();
    let given = Given {
        config: &config,
        common: &rules::common(&config).unwrap(),
        secret: &|_: &SecretRef| Ok(Secret::new("a-secret-of-thirty-two-characters")),
        settings: &BTreeMap::new(),
        installed: &[Installed {
            plugin: "loyalty".to_owned(),
            by_folder: false,
            accepted: Accepted {
                tools: toml::from_str(accepted).unwrap(),
                ..Accepted::default()
            },
        }],
    };
    load(&folder, &given)
}

/// What the tenant's rules make of a call of this tool by somebody with this role, for a customer whom nobody knows.
fn decided(tenant: &Tenant, tool: &str, role: Role) -> String {
    let call = Call {
        tenant: tenant.name.clone(),
        case: "c".to_owned(),
        actor: Actor {
            role,
            subject: "test".to_owned(),
        },
        channel: Channel::Http,
        tool: tool.to_owned(),
        plugin_digest: String::new(),
        arguments: Map::new(),
    };
    let decision = tenant
        .rulebook
        .decide(call, &Facts::default(), &Arc::from([]));
    match decision {
        Decision::Deny(refusal) => refusal.code,
        other => other.summary().to_string(),
    }
}

#[test]
fn a_vendors_tool_is_denied_until_somebody_opens_it_and_then_for_those_alone() {
    let tools = "[tool.get_points]\neffect = \"read\"\nopen_to = \"staff\"\n[tool.get_gifts]\neffect = \"read\"\n[tool.get_shops]\neffect = \"read\"\nopen_to = \"anyone\"";
    let acme = loaded(&[("tenant.toml", COMPANY), ("tools.toml", tools)], "").unwrap();
    for (tool, role, expected) in [
        ("get_points", Role::Agent, "STAFF_ONLY"),
        ("get_points", Role::Supervisor, "allow"),
        ("get_shops", Role::Agent, "allow"),
        ("get_gifts", Role::Supervisor, "NOT_PERMITTED"),
        ("get_unheard_of", Role::Supervisor, "UNCLASSIFIED"),
    ] {
        let decided = decided(&acme, tool, role);
        assert!(decided.starts_with(expected), "{tool}: {decided}");
    }
}

/// What an operator accepted of a manifest holds, unless they say otherwise, and never over the contract.
#[test]
fn tools_toml_wins_over_what_was_accepted() {
    let accepted = "[get_points]\neffect = \"read\"\nopen_to = \"anyone\"\n[get_customer]\neffect = \"write\"\nopen_to = \"anyone\"";
    let tools = "[tool.get_points]\neffect = \"read\"\nopen_to = \"verified\"";
    let trusting = loaded(&[("tenant.toml", COMPANY)], accepted).unwrap();
    assert!(decided(&trusting, "get_points", Role::Agent).starts_with("allow"));
    let careful = loaded(&[("tenant.toml", COMPANY), ("tools.toml", tools)], accepted).unwrap();
    assert_eq!(
        decided(&careful, "get_points", Role::Agent),
        "IDENTITY_NOT_VERIFIED"
    );
    let of_contract = &rules::common(&Config::default()).unwrap().contract["get_customer"];
    assert_eq!(trusting.rulebook.tool("get_customer"), Some(of_contract));
}

/// Whatever was accepted once: who a customer is and what is so of an order is not for a plugin to say.
#[test]
fn a_tool_that_was_accepted_with_what_an_operator_alone_can_say_is_denied() {
    for forged in [
        "identity = \"claims\"",
        "establishes = [{ kind = \"order\", id = \"/id\" }]",
        "budgets = [\"refund_tenant_day\"]",
    ] {
        let accepted = format!("[get_points]\neffect = \"read\"\nopen_to = \"anyone\"\n{forged}");
        let tenant = [("tenant.toml", COMPANY)];
        let acme = loaded(&tenant, &accepted).unwrap();
        assert_eq!(
            decided(&acme, "get_points", Role::Agent),
            "UNCLASSIFIED",
            "{forged}"
        );
        let tools = format!("[tool.get_points]\neffect = \"read\"\nopen_to = \"anyone\"\n{forged}");
        let acme = loaded(&[tenant[0], ("tools.toml", &tools)], &accepted).unwrap();
        assert!(
            decided(&acme, "get_points", Role::Agent).starts_with("allow"),
            "an operator can say it: {forged}"
        );
    }
}

#[test]
fn a_tenant_may_put_rules_in_the_place_of_the_shipped_ones() {
    let own = "@id(\"own\") permit (principal, action == Action::\"search_articles\", resource);";
    let alone = format!("{COMPANY}[rules]\nshipped = false");
    let alone = loaded(&[("tenant.toml", &alone), ("rules/own.cedar", own)], "").unwrap();
    assert!(decided(&alone, "search_articles", Role::Agent).starts_with("allow"));
    assert_eq!(
        decided(&alone, "get_customer", Role::Agent),
        "NOT_PERMITTED"
    );
}

#[test]
fn figures_are_the_tenants_where_it_sets_them() {
    let text = format!(
        "{COMPANY}[rules]\nrefund_limit = \"12.50\"\n[turn]\nmax_steps = 3\n[plugins]\nmemory_mib = 8\n[shares]\ncalls = 4"
    );
    let acme = loaded(&[("tenant.toml", &text)], "").unwrap();
    let settings = acme.rulebook.settings();
    assert_eq!(
        (settings.refund_limit, settings.return_window_days),
        (1_250, 30)
    );
    assert_eq!(
        (acme.speaks.limits.steps, acme.limits.memory_bytes),
        (3, 8 << 20)
    );
    assert!(acme.speaks.forbidden.contains(&"12.50".to_owned()));
    let (own, usual) = (acme.shares.share(), sandbox::Share::default());
    assert_eq!(
        (own.calls, own.cpu_ms_per_second),
        (4, usual.cpu_ms_per_second)
    );
    let none = format!("{COMPANY}[shares]\ncalls = 0");
    let Err(refused) = loaded(&[("tenant.toml", &none)], "") else {
        panic!("a tenant without a place for a call is no tenant");
    };
    assert_eq!(
        (refused.line, refused.key.as_str()),
        (Some(3), "shares.calls")
    );
}
