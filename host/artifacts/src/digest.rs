//! What an artifact is: the sha256 of its bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// The sha256 of an artifact's bytes. Written `sha256:…` to people; plain hex in the store and in file names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// 64 lower-case hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, to)
    }
}

/// Not a sha256.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected sha256: and 64 lower-case hexadecimal digits, found {0:?}")]
pub struct DigestError(String);

impl FromStr for Digest {
    type Err = DigestError;

    /// Reads `sha256:…`, or the 64 digits alone.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        let mut bytes = [0; 32];
        let is_upper = digits.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode_to_slice(digits, &mut bytes) {
            Ok(()) if !is_upper => Ok(Self(bytes)),
            _ => Err(DigestError(text.chars().take(80).collect())),
        }
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn it_is_read_as_it_is_written() {
        let empty = Digest::of(b"");
        assert_eq!(empty.hex(), EMPTY);
        assert_eq!(empty.to_string(), format!("sha256:{EMPTY}"));
        for text in [EMPTY, &empty.to_string()] {
            assert_eq!(text.parse(), Ok(empty));
        }
        let json = serde_json::to_string(&empty).unwrap();
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), empty);
    }

    #[test]
    fn anything_else_is_refused() {
        let odd = [
            "",
            "sha256:",
            &EMPTY[1..],
            &format!("{EMPTY}0"),
            &EMPTY.to_uppercase(),
            &format!("SHA256:{EMPTY}"),
            &format!("sha512:{EMPTY}"),
            &format!("sha256:sha256:{EMPTY}"),
            &format!(" {EMPTY}"),
            &format!("{EMPTY}\n"),
            &EMPTY.replace('e', "é"),
            "../../../../etc/passwd",
        ];
        for text in odd {
            assert!(text.parse::<Digest>().is_err(), "{text:?}");
        }
    }
}
