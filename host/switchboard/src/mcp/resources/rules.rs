//! The rulebook in plain words. Figures and codes are for staff: what a customer-facing model does not know it cannot tell.

use std::fmt::Write;

use policy::{Condition, ConsentFrom, Effect, Money, Priority, Rulebook, Settings};

use crate::mcp::desk::Desk;

impl Desk {
    /// The rules as they are now, for the tools that whoever calls can see; none where the tenant is gone.
    pub(super) fn rules_in_words(&self) -> Option<String> {
        let rules = self.rulebook()?;
        let mut text = String::from(INTRODUCTION);
        if self.is_staff() {
            text.push_str(&figures(&rules));
        }
        for tool in self.seen_tools() {
            text.push_str(&of_tool(&rules, &tool, self.is_staff()));
        }
        Some(text)
    }
}

const INTRODUCTION: &str = "# The rules of this desk\n\nThe host decides every call by these rules, and nobody can talk it out of \
    them. What a rule needs to know it has seen itself, in this case. Whatever no rule allows is refused.\n";

fn figures(rules: &Rulebook) -> String {
    let Settings {
        currency,
        refund_limit,
        return_window_days,
        credit_limit,
        ..
    } = rules.settings();
    let money = |minor: &i64| {
        let money = Money {
            minor: *minor,
            currency: currency.clone(),
        };
        format!("{} {currency}", money.decimal())
    };
    format!(
        "\n## Figures in force (for staff)\n\n- A refund above {} needs a supervisor.\n- A credit above {} needs a supervisor.\n\
         - Orders can be returned for {return_window_days} days.\n- Rulebook: {}\n",
        money(refund_limit),
        money(credit_limit),
        rules.version(),
    )
}

fn of_tool(rules: &Rulebook, tool: &str, for_staff: bool) -> String {
    let Some(rule) = rules.tool(tool) else {
        return format!(
            "\n## {tool}\n\nNo rule says what it is: every call is refused until an operator has said so.\n"
        );
    };
    let effect = match rule.effect {
        Effect::Read => "Reads, and changes nothing.",
        Effect::Write => {
            "Changes something. The same intent has at most one effect, however often it is called."
        }
        Effect::Escalation => "Calls people. Open to everyone, at any time.",
    };
    let mut text = format!("\n## {tool}\n\n{effect}\n");
    for condition in rules.conditions(tool) {
        let _ = writeln!(text, "- {}", in_words(&condition, for_staff));
    }
    text
}

/// What a refusal by this rule says, and what lifts it.
fn in_words(condition: &Condition, for_staff: bool) -> String {
    let mut text = match &condition.hint {
        Some(hint) => format!("{} ({hint})", condition.say),
        None => condition.say.clone(),
    };
    text.push_str(match condition.consent {
        Some(ConsentFrom::Customer) => " Lifted by the customer's yes.",
        Some(ConsentFrom::Staff) => " Lifted by a supervisor's yes.",
        None => "",
    });
    if let Some(priority) = condition.escalate {
        let _ = write!(text, " People are called ({}).", word(priority));
    }
    if for_staff {
        let _ = write!(text, " [{}, {}]", condition.code, condition.rule);
    }
    text
}

fn word(priority: Priority) -> &'static str {
    match priority {
        Priority::P1 => "P1",
        Priority::P2 => "P2",
        Priority::P3 => "P3",
    }
}
