//! What keeps a rulebook from loading, and what its version depends on.

use expect_test::{Expect, expect};
use policy::{Effect, Establishes, Rulebook, RulebookSource, Settings, ToolRule};
use serde_json::{Value, json};

use crate::scenario::{SARAH, call, contract, line, source, usd};

fn with(text: &str) -> RulebookSource {
    let mut source = source();
    source
        .policies
        .push(("own.cedar".to_owned(), text.to_owned()));
    source
}

fn refused(source: RulebookSource, expect: &Expect) {
    let error = Rulebook::load(source).expect_err("refused");
    expect.assert_eq(&error.to_string());
}

#[test]
fn the_contract_and_the_shipped_rules_fit() {
    Rulebook::load(source()).expect("loads");
}

#[test]
fn a_tenant_with_few_tools_loads_the_shipped_rules_too() {
    let mut tools = contract();
    tools.retain(|name, _| name == "lookup_order");
    let rulebook = Rulebook::load(RulebookSource::shipped(tools, Settings::default()))
        .unwrap_or_else(|error| panic!("{error}"));
    let decision = call("get_customer", json!({})).decide(&rulebook);
    assert_eq!(line(&decision), "deny UNCLASSIFIED");
}

#[test]
fn a_text_that_does_not_parse_is_refused_with_its_place() {
    refused(
        with("@id(\"x\")\npermit (principal, action, resource)\nwhen { context.amount > };"),
        &expect!["own.cedar: 3:25: unexpected token `}`"],
    );
}

#[test]
fn typos_are_refused_with_their_place() {
    refused(
        with(
            "@id(\"x\")\npermit (principal, action == Action::\"get_customer\", resource)\nwhen { context.idenity.level > 1 };",
        ),
        &expect![[
            r#"own.cedar: 3:8: for policy `x`, attribute `idenity` in context for Action::"get_customer" not found (did you mean `identity`?)"#
        ]],
    );
    refused(
        with("@id(\"x\")\npermit (principal, action == Action::\"proces_refund\", resource);"),
        &expect![[
            r#"own.cedar: 2:30: for policy `x`, unrecognized action `Action::"proces_refund"` (did you mean `Action::"process_refund"`?)"#
        ]],
    );
    refused(
        with(
            "@id(\"x\")\npermit (principal, action == Action::\"process_refund\", resource)\nwhen { context.amount > 5 };",
        ),
        &expect![[
            r#"own.cedar: 3:8: for policy `x`, unable to guarantee safety of access to optional attribute `amount` in context for Action::"process_refund" (try testing for the attribute's presence with `context has amount && ..`)"#
        ]],
    );
    refused(
        with(
            "@id(\"x\")\npermit (principal, action == Action::\"process_refund\", resource)\nwhen { context.now == \"today\" };",
        ),
        &expect![
            "own.cedar: 3:8: the types Long and String are not compatible (for policy `x`, both operands to a `==` expression must have compatible types. Types must be exactly equal to be compatible)"
        ],
    );
}

#[test]
fn a_rule_that_can_never_apply_is_refused() {
    refused(
        with(
            "@id(\"x\")\npermit (principal, action == Action::\"get_customer\", resource)\nwhen { context.staff && !context.staff && false };",
        ),
        &expect![
            "own.cedar: 1:1: for policy `x`, policy is impossible: the policy expression evaluates to false for all valid requests"
        ],
    );
}

#[test]
fn annotations_are_checked() {
    let forbid = |annotations: &str| {
        with(&format!(
            "{annotations}\nforbid (principal, action, resource);"
        ))
    };
    refused(
        with("permit (principal, action, resource);"),
        &expect![[r#"own.cedar: 1:1: a rule without @id("…")"#]],
    );
    refused(
        with("@id(\"refund.limit\")\npermit (principal, action, resource);"),
        &expect!["own.cedar: 1:1: rule refund.limit is there already, in refunds.cedar at 123:1"],
    );
    refused(
        forbid("@id(\"x\") @say(\"No.\")"),
        &expect![[r#"own.cedar: 1:1: rule x: a forbid needs @code("…")"#]],
    );
    refused(
        forbid("@id(\"x\") @code(\"NO\")"),
        &expect![[r#"own.cedar: 1:1: rule x: a forbid needs @say("…")"#]],
    );
    refused(
        forbid("@id(\"x\") @code(\"NO\") @say(\"No.\") @escalte(\"P1\")"),
        &expect![
            "own.cedar: 1:1: rule x: unknown annotation @escalte; there are @id, @code, @say, @hint, @escalate, @consent, @alarm, @prio"
        ],
    );
    refused(
        forbid("@id(\"x\") @code(\"NO\") @say(\"No.\") @escalate(\"P4\")"),
        &expect![[r#"own.cedar: 1:1: rule x: @escalate takes "P1", "P2" or "P3""#]],
    );
    refused(
        forbid("@id(\"x\") @code(\"NO\") @say(\"No.\") @consent(\"anybody\")"),
        &expect![[r#"own.cedar: 1:1: rule x: @consent takes "customer" or "staff""#]],
    );
    refused(
        forbid("@id(\"x\") @code(\"NO\") @say(\"No.\") @prio(\"high\")"),
        &expect![[r#"own.cedar: 1:1: rule x: @prio takes a whole number, such as @prio("300")"#]],
    );
    refused(
        with("@id(\"x\")\npermit (principal == ?principal, action, resource);"),
        &expect!["own.cedar: 1:1: templates (?principal, ?resource) are not supported"],
    );
}

#[test]
fn names_that_are_no_names_are_refused() {
    let named = |name: &str| {
        let mut source = source();
        let rule = source.tools["get_customer"].clone();
        source.tools.insert(name.to_owned(), rule);
        source
    };
    refused(
        named("Drop Table"),
        &expect![
            "`Drop Table` cannot be the name of a tool, an attribute or a budget: use a-z, 0-9 and _, starting with a letter"
        ],
    );
    refused(
        named("x\"; action \"y"),
        &expect![[
            r#"`x"; action "y` cannot be the name of a tool, an attribute or a budget: use a-z, 0-9 and _, starting with a letter"#
        ]],
    );
    refused(
        named("read"),
        &expect![
            "`read` cannot be the name of a tool, an attribute or a budget: use a-z, 0-9 and _, starting with a letter"
        ],
    );
    refused(
        named(""),
        &expect![
            "`` cannot be the name of a tool, an attribute or a budget: use a-z, 0-9 and _, starting with a letter"
        ],
    );
}

#[test]
fn a_budget_that_nothing_defines_is_refused() {
    let mut source = source();
    source.settings.budgets.remove("refund_tenant_day");
    refused(
        source,
        &expect![
            "the tool process_refund draws on the budget refund_tenant_day, which the settings do not define: add it to `budgets`"
        ],
    );
}

#[test]
fn a_lookup_asks_a_read() {
    let mut source = source();
    let refund = source
        .tools
        .get_mut("process_refund")
        .expect("in the contract");
    refund.lookup.as_mut().expect("a lookup").tool = "add_credit".to_owned();
    refused(
        source,
        &expect![
            "the lookup of the tool process_refund asks add_credit: a lookup belongs to a write, and asks a read"
        ],
    );
}

/// A vendor's own tool: its facts, typed by their names, and a rule of the tenant's over them.
#[test]
fn a_vendors_tool_has_facts_of_its_own() {
    let rule = ToolRule {
        effect: Effect::Read,
        establishes: vec![Establishes {
            kind: "loyalty".into(),
            id: "/account".into(),
            attributes: ["tier", "is_eligible", "joined_at", "spent_amount"]
                .map(|name| (name.to_owned(), format!("/{name}")))
                .into(),
        }],
        entity: Some(policy::EntityRule {
            kind: "loyalty".into(),
            id: "/account".into(),
        }),
        ..contract()
            .remove("search_articles")
            .expect("in the contract")
    };
    let mut source = with(
        "@id(\"own.loyalty\")\npermit (principal, action == Action::\"loyalty_points\", resource)\nwhen {
            context.vendor has loyalty.tier && context.vendor.loyalty.tier == \"gold\" &&
            context.vendor.loyalty has is_eligible && context.vendor.loyalty.is_eligible &&
            context.vendor.loyalty has joined_at && context.vendor.loyalty.joined_at < context.now &&
            context.vendor.loyalty has spent_amount && context.vendor.loyalty.spent_amount > 99 &&
            context.vendor.loyalty has currency && context.vendor.loyalty.currency == \"USD\"
        };",
    );
    source.tools.insert("loyalty_points".to_owned(), rule);
    let rulebook = Rulebook::load(source).expect("loads");
    let asked = call("loyalty_points", json!({ "account": "A1" }));
    let gold = json!({ "tier": "gold", "is_eligible": true, "joined_at": "2020-01-01T00:00:00Z", "spent_amount": usd("1.00"), "unheard_of": 1 });
    assert_eq!(line(&asked.decide(&rulebook)), "deny NOT_PERMITTED");
    assert_eq!(
        line(&asked.clone().seen("loyalty", "A1", gold).decide(&rulebook)),
        "allow"
    );
    let silver = json!({ "tier": "silver" });
    assert_eq!(
        line(&asked.seen("loyalty", "A1", silver).decide(&rulebook)),
        "deny NOT_PERMITTED"
    );
}

#[test]
fn the_version_covers_everything() {
    let version =
        |source: RulebookSource| Rulebook::load(source).expect("loads").version().to_owned();
    let shipped = version(source());
    assert_eq!(
        shipped,
        version(source()),
        "the same source, the same version"
    );
    assert_eq!(shipped.len(), 64);

    let mut settings = source();
    settings.settings.refund_limit += 1;
    let mut tools = source();
    tools
        .tools
        .get_mut("get_customer")
        .expect("a tool")
        .private
        .clear();
    let mut renamed = source();
    renamed.policies[0].0.push('x');
    let versions = [
        shipped,
        version(settings),
        version(tools),
        version(renamed),
        version(with("// a comment")),
    ];
    let distinct: std::collections::BTreeSet<&String> = versions.iter().collect();
    assert_eq!(distinct.len(), versions.len());
}

/// What lookups establish, by kind: a tool whose calls name such an entity, its argument, and every attribute.
fn established() -> Vec<(&'static str, &'static str, &'static str, Value)> {
    let order = json!({
        "owner": "C",
        "status": "s",
        "total": usd("1"),
        "refunded": usd("0"),
        "refund_eligible": true,
        "delivered_at": "2026-01-01T00:00:00Z",
    });
    let ticket =
        json!({ "owner": "C", "status": "s", "priority": "p", "suggestion_confidence": 1.0 });
    let customer = json!({ "name": "n", "email": "e", "tier": "t" });
    vec![
        ("order", "lookup_order", "order_id", order),
        ("ticket", "get_ticket", "ticket_id", ticket),
        ("customer", "get_customer_orders", "customer_id", customer),
    ]
}

/// The base schema and the host agree on what facts there are: each reaches the rules, and none does where it is missing.
#[test]
fn every_established_attribute_reaches_the_rules() {
    for (kind, tool, argument, attributes) in established() {
        let names: Vec<&String> = attributes.as_object().expect("an object").keys().collect();
        let present: Vec<String> = names
            .iter()
            .map(|name| format!("context has {kind}.{name}"))
            .collect();
        let text = format!(
            "@id(\"all\")\npermit (principal, action == Action::\"{tool}\", resource)\nwhen {{ {} }};",
            present.join(" && ")
        );
        let rulebook = Rulebook::load(RulebookSource {
            policies: vec![("all.cedar".to_owned(), text)],
            ..source()
        })
        .expect("loads");
        let decide = |attributes: Value| {
            let known = call(tool, json!({ argument: "X" })).seen(kind, "X", attributes);
            line(&known.decide(&rulebook))
        };
        assert_eq!(decide(attributes.clone()), "allow", "{kind}");
        for name in names {
            let mut less = attributes.clone();
            less[name] = json!(null);
            assert_eq!(decide(less), "deny NOT_PERMITTED", "{kind} without {name}");
        }
    }
}

#[test]
fn confidence_is_cut_off_not_rounded() {
    for (confidence, expect) in [
        (json!(0.85), "allow"),
        (json!(0.850_001), "allow"),
        (json!(0.849_999_9), "ask staff RESOLVE_NEEDS_PERSON"),
        (json!(0.9), "allow"),
        (json!(1), "allow"),
        (json!(1.0), "allow"),
        (json!(0), "ask staff RESOLVE_NEEDS_PERSON"),
        (json!(1e-9), "ask staff RESOLVE_NEEDS_PERSON"),
        (json!(2), "ask staff RESOLVE_NEEDS_PERSON"),
        (json!(85), "ask staff RESOLVE_NEEDS_PERSON"),
        (json!(-0.9), "ask staff RESOLVE_NEEDS_PERSON"),
        (json!(9e300), "ask staff RESOLVE_NEEDS_PERSON"),
        (json!("0.95"), "ask staff RESOLVE_NEEDS_PERSON"),
    ] {
        let resolve = call(
            "update_ticket",
            json!({ "ticket_id": "T", "status": "resolved" }),
        )
        .matched(SARAH)
        .seen(
            "ticket",
            "T",
            json!({ "owner": SARAH, "suggestion_confidence": confidence }),
        );
        crate::scenario::check(&confidence.to_string(), &resolve, expect);
    }
}
