//! Looking for phrases in what a customer wrote, for the rules that do without a model.

/// A text as its words, in lower case and without punctuation; `don't` is `dont`.
pub(crate) struct Words {
    words: Vec<String>,
    /// A bit for every byte that one of them begins with: what most phrases fail at costs nearly nothing.
    beginnings: [u64; 4],
}

impl Words {
    pub(crate) fn of(text: &str) -> Self {
        let is_between =
            |character: char| !character.is_alphanumeric() && !is_apostrophe(character);
        let words = text.split(is_between).map(plain);
        let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
        let mut beginnings = [0; 4];
        for byte in words.iter().filter_map(|word| word.bytes().next()) {
            beginnings[usize::from(byte >> 6)] |= 1 << (byte & 63);
        }
        Self { words, beginnings }
    }

    /// Whether the phrase occurs. `*` at a phrase's end stands for any ending of its last word.
    pub(crate) fn has(&self, phrase: &str) -> bool {
        self.may_begin(phrase) && self.places(phrase).next().is_some()
    }

    /// Whether the phrase occurs at least once without a denial in the two words before it.
    pub(crate) fn affirms(&self, phrase: &str) -> bool {
        self.places(phrase).any(|place| {
            !self.words[place.saturating_sub(2)..place]
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

    fn may_begin(&self, phrase: &str) -> bool {
        let begins = |byte: u8| self.beginnings[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0;
        phrase.bytes().next().is_some_and(begins)
    }

    /// Where the phrase begins. Most phrases fail at their first word, so nothing is done with the others before that fits.
    fn places<'a>(&'a self, phrase: &'a str) -> impl Iterator<Item = usize> + 'a {
        let (first, rest) = phrase.split_once(' ').unwrap_or((phrase, ""));
        let first = Wanted::of(first);
        let begins = move |&(_, word): &(usize, &String)| first.is(word);
        let goes_on = move |place: &usize| self.goes_on(place + 1, rest);
        let places = self.words.iter().enumerate().filter(begins);
        places.map(|(place, _)| place).filter(goes_on)
    }

    fn goes_on(&self, from: usize, rest: &str) -> bool {
        let mut words = self.words[from..].iter();
        let mut wanted = rest.split_whitespace().map(Wanted::of);
        wanted.all(|wanted| words.next().is_some_and(|word| wanted.is(word)))
    }
}

/// One word of a phrase.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    letters: &'a str,
    /// Whatever comes after these letters fits too.
    is_beginning: bool,
}

impl<'a> Wanted<'a> {
    fn of(word: &'a str) -> Self {
        let beginning = word.strip_suffix('*');
        Self {
            letters: beginning.unwrap_or(word),
            is_beginning: beginning.is_some(),
        }
    }

    fn is(self, word: &str) -> bool {
        // Most words differ in their first letter.
        let begins = word.as_bytes().first() == self.letters.as_bytes().first();
        begins
            && word.starts_with(self.letters)
            && (self.is_beginning || word.len() == self.letters.len())
    }
}

fn is_apostrophe(character: char) -> bool {
    matches!(character, '\'' | '’')
}

fn plain(word: &str) -> String {
    let mut plain = word.to_lowercase();
    plain.retain(char::is_alphanumeric);
    plain
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
