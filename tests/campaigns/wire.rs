//! HTTP/1.1 by hand, one request per connection: a backend that answers half, twice or never cannot be had from a library.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// The head of a request or of an answer.
pub(crate) struct Head {
    /// `POST /refunds HTTP/1.1`, or `HTTP/1.1 201 Created`.
    start: String,
    fields: Vec<(String, String)>,
}

impl Head {
    /// The second word of the start line: a request's target, an answer's status.
    pub(crate) fn second_word(&self) -> &str {
        self.start.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn method(&self) -> &str {
        self.start.split(' ').next().unwrap_or_default()
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let named = |(field, _): &&(String, String)| field.eq_ignore_ascii_case(name);
        self.fields
            .iter()
            .find(named)
            .map(|(_, value)| value.as_str())
    }
}

/// Reads up to the empty line.
pub(crate) async fn head(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Head> {
    let start = line(from).await?;
    let mut fields = vec![];
    loop {
        let line = line(from).await?;
        if line.is_empty() {
            return Ok(Head { start, fields });
        }
        let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
        fields.push((name.to_owned(), value.trim().to_owned()));
    }
}

/// Reads the body that belongs to a head.
pub(crate) async fn body(
    head: &Head,
    from: &mut (impl AsyncBufRead + Unpin),
) -> io::Result<Vec<u8>> {
    let length = head.field("content-length").unwrap_or("0").parse();
    let mut body = vec![0; length.map_err(|_| io::ErrorKind::InvalidData)?];
    from.read_exact(&mut body).await?;
    Ok(body)
}

async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line).await?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// A whole answer.
pub(crate) fn answer(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}
