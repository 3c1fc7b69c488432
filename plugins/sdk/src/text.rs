//! Cutting long texts for a reader who wants the gist.

/// The beginning of `text`, at most `limit` characters. A cut one ends at a word, where there is one near, and with `…`
/// (which counts).
pub fn excerpt(text: &str, limit: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let head: String = text.chars().take(limit.saturating_sub(1)).collect();
    let cut = match head.rfind(char::is_whitespace) {
        Some(space) if space > head.len() / 2 => &head[..space],
        _ => &head,
    };
    format!("{}…", cut.trim_end())
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn a_short_text_stays_whole() {
        assert_eq!(excerpt("  Blenders blend. ", 15), "Blenders blend.");
    }

    #[test]
    fn a_long_text_is_cut_at_a_word_and_within_the_limit() {
        let cut = excerpt("Blenders blend fruit and ice.", 20);
        assert_eq!(cut, "Blenders blend…");
    }

    #[test]
    fn a_text_without_spaces_is_cut_between_characters() {
        assert_eq!(excerpt("äöüäöüäöü", 4), "äöü…");
    }
}
