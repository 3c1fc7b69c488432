//! What scopes come to: one role, and the tools that it sees.

use std::collections::BTreeMap;

use policy::Role;

use crate::config::ScopeGrant;
use crate::tenants::ToolSet;

/// The highest role that these scopes give, with the tools of those that give it; none where they give nothing. What a lower role's
/// scope shows is not added: it was not granted to the higher one.
pub(super) fn of(given: &BTreeMap<String, ScopeGrant>, scopes: &[&str]) -> Option<(Role, ToolSet)> {
    let granted: Vec<&ScopeGrant> = scopes
        .iter()
        .filter_map(|scope| given.get(*scope))
        .collect();
    let role = granted.iter().map(|grant| grant.role).max()?;
    let counted = granted.iter().filter(|grant| grant.role == role);
    let mut patterns: Option<Vec<String>> = counted
        .map(|grant| grant.tools.clone())
        .collect::<Option<Vec<_>>>()
        .map(|lists| lists.concat());
    if let Some(patterns) = &mut patterns {
        // The same scopes in another order are the same grant.
        patterns.sort();
        patterns.dedup();
    }
    Some((role, ToolSet::of(patterns)))
}

/// The scopes that give the least role that any of them gives.
pub(super) fn least(given: &BTreeMap<String, ScopeGrant>) -> Vec<&str> {
    let least = given.values().map(|grant| grant.role).min();
    let those = given.iter().filter(|(_, grant)| Some(grant.role) == least);
    those.map(|(scope, _)| scope.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given() -> BTreeMap<String, ScopeGrant> {
        toml::from_str(
            r#"
support = "agent"
"support:read" = { role = "agent", tools = ["get_*"] }
"support:track" = { role = "agent", tools = ["lookup_order", "get_*"] }
"support:approve" = { role = "supervisor", tools = ["list_refunds"] }
"support:admin" = "admin"
"#,
        )
        .unwrap()
    }

    fn granted(scopes: &[&str]) -> Option<(Role, Vec<&'static str>)> {
        let (role, tools) = of(&given(), scopes)?;
        let all = [
            "get_customer",
            "lookup_order",
            "list_refunds",
            "process_refund",
        ];
        Some((
            role,
            all.into_iter().filter(|tool| tools.admits(tool)).collect(),
        ))
    }

    #[test]
    fn the_highest_role_counts_with_its_own_tools() {
        let all = vec![
            "get_customer",
            "lookup_order",
            "list_refunds",
            "process_refund",
        ];
        for (scopes, expected) in [
            (&[][..], None),
            (&["openid", "Support"], None),
            (&["support:read"], Some((Role::Agent, vec!["get_customer"]))),
            (
                &["support:read", "support:track"],
                Some((Role::Agent, vec!["get_customer", "lookup_order"])),
            ),
            (
                &["support:read", "support"],
                Some((Role::Agent, all.clone())),
            ),
            (
                &["support", "support:approve"],
                Some((Role::Supervisor, vec!["list_refunds"])),
            ),
            (
                &["support:admin", "support:approve"],
                Some((Role::Admin, all)),
            ),
        ] {
            assert_eq!(granted(scopes), expected, "{scopes:?}");
        }
        assert_eq!(
            of(&given(), &["support:read", "support:track"]),
            of(&given(), &["support:track", "support:read"])
        );
        assert_eq!(
            least(&given()),
            ["support", "support:read", "support:track"]
        );
    }
}
