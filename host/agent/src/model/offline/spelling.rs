//! Plain words out of free wording: lower case, no punctuation, and the usual slips of the fingers put right.

/// Words that rules look for, and their neighbours that must not be mistaken for them.
const KNOWN: [&str; 96] = [
    "refund",
    "refunded",
    "refunds",
    "cancel",
    "cancelled",
    "canceled",
    "cancellation",
    "return",
    "returned",
    "returns",
    "order",
    "orders",
    "ordered",
    "tracking",
    "track",
    "delivery",
    "delivered",
    "deliver",
    "package",
    "parcel",
    "broken",
    "damaged",
    "defective",
    "faulty",
    "cracked",
    "shattered",
    "smashed",
    "address",
    "email",
    "phone",
    "number",
    "ticket",
    "policy",
    "warranty",
    "shipping",
    "shipped",
    "shipment",
    "arrive",
    "arrived",
    "arrives",
    "update",
    "change",
    "changed",
    "money",
    "reimburse",
    "reimbursement",
    "status",
    "product",
    "received",
    "receive",
    "exchange",
    "replacement",
    "blender",
    "credit",
    "supervisor",
    "manager",
    "missing",
    "wrong",
    "question",
    "please",
    "where",
    "thanks",
    "working",
    "described",
    "history",
    "purchase",
    "purchases",
    "label",
    "account",
    "complaint",
    "invoice",
    "never",
    "cancelling",
    "refuse",
    "option",
    "options",
    // Neighbours.
    "charge",
    "charged",
    "older",
    "border",
    "paused",
    "trace",
    "there",
    "these",
    "wording",
    "photo",
    "phones",
    "party",
    "police",
    "wring",
    "clever",
    "lever",
    "mother",
    "other",
    "leave",
    "were",
];

/// The message as words joined by single spaces. Apostrophes vanish: "where's" is `wheres`.
pub(super) fn plain(message: &str) -> String {
    let words = message
        .to_lowercase()
        .replace(['\'', '\u{2019}', '\u{2018}'], "")
        .split(|c: char| !c.is_alphanumeric() && c != '@' && c != '.' && c != '$')
        .map(|word| word.trim_matches('.'))
        .filter(|word| !word.is_empty())
        .map(corrected)
        .collect::<Vec<_>>();
    words.join(" ")
}

fn corrected(word: &str) -> String {
    let length = word.chars().count();
    if length < 4 || KNOWN.contains(&word) || !word.chars().all(char::is_alphabetic) {
        return word.to_owned();
    }
    let allowed = if length >= 8 { 2 } else { 1 };
    KNOWN
        .iter()
        .filter(|known| known.chars().next() == word.chars().next())
        .filter(|known| known.len().abs_diff(length) <= allowed && !inflects(known, word))
        .map(|known| (distance(known, word), *known))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map_or_else(|| word.to_owned(), |(_, known)| known.to_owned())
}

/// Another form of the same word ("refunding") is no slip, and the rules know it by its stem.
fn inflects(known: &str, word: &str) -> bool {
    word.starts_with(known)
}

/// Edits between two words: letters added, left out, replaced, or two neighbours swapped.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let swapped = previous == Some(*y) && j > 0 && b.get(j - 1) == Some(&x);
            let swap = match before.get(j.wrapping_sub(1)) {
                Some(edits) if swapped => edits + 1,
                _ => usize::MAX,
            };
            let edits = (row[j] + usize::from(x != *y))
                .min(row[j + 1] + 1)
                .min(next[j] + 1)
                .min(swap);
            next.push(edits);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(x);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{distance, plain};

    #[test]
    fn counts_edits() {
        assert_eq!(distance("refund", "refund"), 0);
        assert_eq!(distance("refund", "refudn"), 1);
        assert_eq!(distance("refund", "refnd"), 1);
        assert_eq!(distance("cancel", "cancle"), 1);
        assert_eq!(distance("order", "other"), 2);
    }

    #[test]
    fn puts_slips_right_and_leaves_words_alone() {
        let table = [
            (
                "I want a refudn for my ordr!",
                "i want a refund for my order",
            ),
            ("Plese cancle it", "please cancel it"),
            ("were's my pakage, trakcing?", "weres my package tracking"),
            ("it was dammaged and brokn", "it was damaged and broken"),
            (
                "I recieved the wrong blendr",
                "i received the wrong blender",
            ),
            (
                "the other mother charged the phones",
                "the other mother charged the phones",
            ),
            ("refunding", "refunding"),
        ];
        for (message, expected) in table {
            assert_eq!(plain(message), expected);
        }
    }
}
