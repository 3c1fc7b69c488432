//! Looking for phrases in what a customer wrote, for the rules that do without a model.

/// A text as its words, in lower case and without punctuation; `don't` is `dont`.
pub(crate) struct Words(Vec<String>);

impl Words {
    pub(crate) fn of(text: &str) -> Self {
        let plain: String = text
            .to_lowercase()
            .chars()
            .filter(|character| !matches!(character, '\'' | '’'))
            .map(|character| {
                if character.is_alphanumeric() {
                    character
                } else {
                    ' '
                }
            })
            .collect();
        Self(plain.split_whitespace().map(str::to_owned).collect())
    }

    /// Whether the phrase occurs. `*` at a phrase's end stands for any ending of its last word.
    pub(crate) fn has(&self, phrase: &str) -> bool {
        self.places(phrase).next().is_some()
    }

    /// Whether the phrase occurs at least once without a denial in the two words before it.
    pub(crate) fn affirms(&self, phrase: &str) -> bool {
        self.places(phrase).any(|place| {
            !self.0[place.saturating_sub(2)..place]
                .iter()
                .any(|word| is_denial(word))
        })
    }

    /// How many of the phrases occur.
    pub(crate) fn count(&self, phrases: &[&str]) -> usize {
        phrases.iter().filter(|phrase| self.has(phrase)).count()
    }

    /// How many words the occurring phrases have together: a longer phrase says more.
    pub(crate) fn cover(&self, phrases: &[&str]) -> usize {
        phrases
            .iter()
            .filter(|phrase| self.has(phrase))
            .map(|phrase| phrase.split(' ').count())
            .sum()
    }

    fn places<'a>(&'a self, phrase: &'a str) -> impl Iterator<Item = usize> + 'a {
        let length = phrase.split(' ').count();
        self.0
            .windows(length)
            .enumerate()
            .filter(move |(_, window)| {
                phrase
                    .split(' ')
                    .zip(window.iter())
                    .all(|(wanted, word)| is_match(wanted, word))
            })
            .map(|(place, _)| place)
    }
}

fn is_match(wanted: &str, word: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(beginning) => word.starts_with(beginning),
        None => word == wanted,
    }
}

fn is_denial(word: &str) -> bool {
    matches!(
        word,
        "not" | "never" | "no" | "isnt" | "arent" | "wasnt" | "dont" | "didnt" | "hardly"
    )
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn phrases_are_whole_words_unless_they_say_otherwise() {
        let words = Words::of("The suede sofa's REFUNDS: don't cancel my order!");
        assert!(!words.has("sue"));
        assert!(words.has("refund*"));
        assert!(!words.has("refund"));
        assert!(words.has("dont cancel my order"));
        assert!(words.has("cancel my ord*"));
    }

    #[test]
    fn a_denied_word_is_not_affirmed() {
        assert!(Words::of("I am happy").affirms("happy"));
        assert!(!Words::of("I am not very happy").affirms("happy"));
        assert!(Words::of("not great at first, but now I am happy").affirms("happy"));
    }
}
