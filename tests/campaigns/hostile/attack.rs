//! The attacks: what is tried, and how it has to end.

use std::time::Duration;

use serde_json::{Value, json};

/// One attack.
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) tool: &'static str,
    /// `raid`: how large. Other tools have no use for it.
    size: u32,
    pub(super) ends: Ends,
}

/// How it has to end, once at least: on a machine that is slow enough, whatever reaches the plugin may be late or find no place instead.
#[derive(Clone, Copy)]
pub(super) enum Ends {
    /// Failed, and the reason holds this text.
    Failed(&'static str),
    /// The same, or late: it costs much, and whoever has used too much is made to wait.
    FailedOrLate(&'static str),
    /// Refused at the gate.
    Refused,
    /// The arguments do not even reach the plugin.
    Invalid(&'static str),
    /// It may or may not have happened: the backend saw the request, and nobody read the answer.
    Unknown,
    /// What it does harms nobody.
    Done,
}

const fn raid(name: &'static str, size: u32, ends: Ends) -> Attack {
    Attack {
        name,
        tool: "raid",
        size,
        ends,
    }
}

const fn strike(name: &'static str, ends: Ends) -> Attack {
    Attack {
        name,
        tool: "strike",
        size: 0,
        ends,
    }
}

const fn other(name: &'static str, tool: &'static str, ends: Ends) -> Attack {
    Attack {
        name,
        tool,
        size: 0,
        ends,
    }
}

const LATE: Ends = Ends::Failed("deadline of 300 ms");
/// Those before it are late, and go on until they give way.
const BUSY: Ends = Ends::Failed("no capacity to run the plugin");
/// It trapped before its request had left.
const UNSENT: Ends = Ends::Failed("unreachable");
const MIB: u32 = 1 << 20;

/// Harmless calls, as many as can be made: what others feel of it is the host's own work, which no share limits.
const FLOOD: &str = "flood of calls";
/// Between two attacks by the same attacker.
const PAUSE: Duration = Duration::from_millis(2);

/// All of them.
pub(super) const ATTACKS: &[Attack] = &[
    raid(FLOOD, 0, Ends::Done),
    raid("spin", 0, LATE),
    other("endless start", "boot", LATE),
    raid("fill", 48 * MIB, LATE),
    raid("copy", 48 * MIB, LATE),
    raid("memory", 0, Ends::FailedOrLate("bytes of memory")),
    other("table growth", "grow", Ends::Failed("table elements")),
    raid(
        "recursion",
        100_000_000,
        Ends::Failed("call stack exhausted"),
    ),
    raid(
        "mutual recursion",
        100_000_000,
        Ends::Failed("call stack exhausted"),
    ),
    raid("output", 2 * MIB, Ends::FailedOrLate("bytes of output")),
    raid("output", 1_000 * MIB, Ends::Failed("bytes of memory")),
    raid("output beyond memory", 0, Ends::Failed("out of bounds")),
    raid("deep json", 100_000, Ends::Invalid("levels of nesting")),
    other(
        "deep json, answered",
        "dig",
        Ends::FailedOrLate("recursion limit"),
    ),
    raid("host calls", 0, LATE),
    raid("handles", 0, Ends::Failed("handles: 1000 at most")),
    raid("headers", 1_000, Ends::Failed("size of fields")),
    raid("random", 0, LATE),
    raid("random at once", 1_000 * MIB, Ends::Failed("exceeds limit")),
    raid("log", 0, LATE),
    raid("requests", 0, Ends::Refused),
    raid("requests, refused or not", 0, Ends::Refused),
    raid("own body never ends", 0, LATE),
    raid("/never", 0, LATE),
    raid("/drip", 0, LATE),
    raid("/endless", 0, Ends::FailedOrLate("HttpResponseBodySize")),
    raid("/headers", 0, Ends::Failed("HttpProtocolError")),
    raid("socket", 0, Ends::Failed("Permission denied")),
    raid("file", 0, Ends::Failed("no file can be opened")),
    raid("environment", 0, Ends::Failed("there is no environment")),
    raid(
        "reads a key of another",
        0,
        Ends::Failed("none of these keys"),
    ),
    raid(
        "opens another store",
        0,
        Ends::Failed("none of these stores"),
    ),
    raid("uses of keys, refused or not", 0, LATE),
    raid("writes while reading", 0, Ends::Failed("AccessDenied")),
    strike("key with dots", Ends::Done),
    strike("key with nul", Ends::Failed("no control characters")),
    strike("key of another", Ends::Done),
    strike("key of a mebibyte", Ends::Failed("256 bytes")),
    strike("value of a mebibyte", Ends::Failed("65536 bytes")),
    strike("many keys", Ends::FailedOrLate("uses of its keys")),
    strike("before", Ends::Failed("unreachable")),
    strike("during", Ends::Failed("unreachable")),
    strike("during, without a length", Ends::Failed("unreachable")),
    strike("sent", Ends::Unknown),
    strike("after", Ends::Unknown),
];

impl Attack {
    /// The `nth` call of it.
    pub(super) fn arguments(&self, nth: u64) -> Value {
        match self.tool {
            "raid" if self.name == "deep json" => json!({ "kind": deep(self.size), "size": 0 }),
            "raid" => json!({ "kind": self.name, "size": self.size }),
            "strike" => json!({ "order": format!("O-{nth}"), "moment": self.name }),
            _ => json!({}),
        }
    }

    /// What an attacker waits between two of it.
    pub(super) fn pause(&self) -> Duration {
        if self.name == FLOOD {
            Duration::ZERO
        } else {
            PAUSE
        }
    }

    pub(super) fn label(&self) -> String {
        match self.size {
            0 => self.name.to_owned(),
            size if size >= MIB => format!("{} ({} MiB)", self.name, size / MIB),
            size => format!("{} ({size})", self.name),
        }
    }
}

impl Ends {
    /// Whether an attack may end like this.
    pub(super) fn allows(self, word: &str, why: &str) -> bool {
        let begins = !matches!(self, Self::Invalid(_));
        let unsent = matches!(self, Self::Unknown) && UNSENT.is_met(word, why);
        let slow = unsent || LATE.is_met(word, why) || BUSY.is_met(word, why);
        self.is_met(word, why) || begins && slow
    }

    /// Whether this is the end that is meant.
    pub(super) fn is_met(self, word: &str, why: &str) -> bool {
        match self {
            Self::Failed(text) => word == "failed" && why.contains(text),
            Self::FailedOrLate(text) => {
                Self::Failed(text).is_met(word, why) || LATE.is_met(word, why)
            }
            Self::Refused => word == "denied",
            Self::Invalid(text) => word == "invalid" && why.contains(text),
            Self::Unknown => word == "unknown",
            Self::Done => word == "ok",
        }
    }
}

/// As deep as JSON parsers go, which is deeper than the host lets arguments be.
fn deep(levels: u32) -> Value {
    (0..levels.min(100)).fold(json!(1), |inner, _| json!([inner]))
}
