//! How the backend treats one request: when it acts, whether it does, and what becomes of the answer.

/// What becomes of the answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    /// As it should.
    Once,
    Twice,
    /// The connection closes in the middle of it.
    Half,
    /// The connection closes.
    Drop,
    /// The connection stays open, and nothing comes.
    Never,
}

/// The way of one request.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// How long it works before it acts.
    pub(super) before_ms: u64,
    pub(super) acts: bool,
    /// What it says; a 500 may well have acted.
    pub(super) status: u16,
    /// How long it waits before it answers.
    pub(super) after_ms: u64,
    pub(super) ending: Ending,
}

impl Manner {
    pub(super) fn prompt() -> Self {
        Self {
            before_ms: 0,
            acts: true,
            status: 201,
            after_ms: 0,
            ending: Ending::Once,
        }
    }

    /// It works for so long, then acts and answers.
    pub(super) fn slow(before_ms: u64) -> Self {
        Self {
            before_ms,
            ..Self::prompt()
        }
    }

    fn refusing(status: u16) -> Self {
        Self {
            acts: false,
            status,
            ..Self::prompt()
        }
    }

    fn ending(ending: Ending, acts: bool) -> Self {
        Self {
            acts,
            ending,
            ..Self::prompt()
        }
    }

    /// Half of all requests go well; a caller waits for an answer for less time than the slowest ones take.
    pub(super) fn by_chance(chance: &mut fastrand::Rng) -> Self {
        let acts = chance.bool();
        match chance.u32(0..20) {
            0..2 => Self::slow(chance.u64(1..250)),
            2 => Self {
                after_ms: chance.u64(1..90),
                ..Self::prompt()
            },
            3 => Self::ending(Ending::Never, acts),
            4 => Self::ending(Ending::Drop, acts),
            5 => Self::ending(Ending::Half, acts),
            6 => Self::ending(Ending::Twice, true),
            7 => Self {
                status: 500,
                acts,
                ..Self::prompt()
            },
            8 => Self::refusing(503),
            9 => Self::refusing(if acts { 422 } else { 429 }),
            _ => Self::prompt(),
        }
    }
}
