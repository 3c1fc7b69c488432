-- What a decision was taken on (JSON): the audit record of this number holds its digest, so it can be forgotten by itself.
CREATE TABLE decisions (
    seq   INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    input TEXT NOT NULL
) STRICT;
