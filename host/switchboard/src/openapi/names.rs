//! Names of an API as names of tools, parameters, fields, cases and types.

use std::collections::BTreeSet;

/// The longest name that is made.
const MAX_CHARS: usize = 56;
/// The longest documentation of one thing, in characters.
const MAX_DOCS: usize = 1_000;

/// Names that are taken.
#[derive(Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// This name, or one like it that is free.
    pub(super) fn free(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        for number in 2.. {
            if described::is_free_name(&name) && self.0.insert(name.clone()) {
                break;
            }
            name = format!("{wanted}_v{number}");
        }
        name
    }

    pub(super) fn is_taken(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// `listOrders`, `List-Orders` and `LIST orders` as `list_orders`; none where nothing of it is left.
pub(super) fn snake(text: &str) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before = ' ';
    let chars: Vec<char> = text.chars().collect();
    for (index, &c) in chars.iter().enumerate() {
        let next_is_lower = chars.get(index + 1).is_some_and(char::is_ascii_lowercase);
        let starts = !before.is_ascii_alphanumeric()
            || (c.is_ascii_uppercase() && (before.is_ascii_lowercase() || next_is_lower));
        if c.is_ascii_alphanumeric() {
            let lower = c.to_ascii_lowercase();
            match words.last_mut() {
                // A word starts with a letter; digits go on with the word before.
                Some(word) if !starts || c.is_ascii_digit() => word.push(lower),
                _ if c.is_ascii_digit() => words.push(format!("n{lower}")),
                _ => words.push(lower.to_string()),
            }
        }
        before = c;
    }
    let mut name = String::new();
    for word in words {
        if name.len() + word.len() < MAX_CHARS {
            let joint = if name.is_empty() { "" } else { "_" };
            name = name + joint + &word;
        }
    }
    (!name.is_empty()).then_some(name)
}

/// A plugin's name as a description's.
pub(super) fn kebab(name: &str) -> String {
    snake(name)
        .unwrap_or_else(|| "api".to_owned())
        .replace('_', "-")
}

/// Documentation without what a reader would not see, and for which a host would refuse the tool.
pub(super) fn docs(text: &str) -> Option<String> {
    let visible = sandbox::without_hidden(text).replace('\t', " ");
    let plain = visible.chars().filter(|c| *c != '\r');
    let clean: String = plain.take(MAX_DOCS).collect();
    let clean = clean.trim().to_owned();
    (!clean.is_empty()).then_some(clean)
}

/// The same on one line.
pub(super) fn line(text: &str) -> String {
    let clean = docs(text).unwrap_or_default();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::docs;

    /// A heart with its variation selector, a family joined by what nobody sees, and characters that turn or hide text.
    #[test]
    fn documentation_keeps_what_is_seen_and_nothing_else() {
        let text = "\u{feff}With \u{2764}\u{fe0f} and \u{1f468}\u{200d}\u{1f469}:\ta\u{202e}b\u{ad}c\r\nü \u{3164}\u{2800}\u{e0041}日本";
        let clean = docs(text);
        assert_eq!(
            clean.as_deref(),
            Some("With \u{2764} and \u{1f468}\u{1f469}: abc\nü 日本")
        );
        assert_eq!(docs("\u{200b}\u{fe0f}\u{2800}"), None);
    }
}
