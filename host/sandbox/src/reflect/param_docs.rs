//! What a function's documentation says of its parameters. WIT has no place for it at the parameter itself, so authors
//! write a list: one "- `order_id`: the order number." per parameter.

/// The text about one parameter, under its JSON name; none if the list does not have it.
pub(super) fn of(docs: &str, param: &str) -> Option<String> {
    let start = format!("- `{param}`:");
    let mut lines = docs.lines().skip_while(|line| !line.starts_with(&start));
    let first = lines.next()?.strip_prefix(&start)?.trim();
    // Lines that go on are indented.
    let rest = lines
        .take_while(|line| line.starts_with(' '))
        .map(str::trim);
    Some(
        std::iter::once(first)
            .chain(rest)
            .collect::<Vec<_>>()
            .join(" "),
    )
}

#[cfg(test)]
mod tests {
    use super::of;

    const DOCS: &str = "Refunds.\n\n- `order_id`: the order,\n  as the customer gave it.\n- `amount`: how much.\n\nReturns it.";

    #[test]
    fn parameters_are_found_in_the_list() {
        let text = of(DOCS, "order_id").unwrap();
        assert_eq!(text, "the order, as the customer gave it.");
        assert_eq!(of(DOCS, "amount").unwrap(), "how much.");
        assert_eq!(of(DOCS, "reason"), None);
    }
}
