-- What a decision was taken on (JSON): the audit record of this number holds its digest, so it can be forgotten by itself.
CREATE TABLE decisions (
    seq   INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    input TEXT NOT NULL
) STRICT;

-- A granted consent is unfinished until its call has ended.
ALTER TABLE consents ADD COLUMN unfinished INTEGER NOT NULL DEFAULT 0 CHECK (unfinished IN (0, 1));
CREATE INDEX consents_unfinished ON consents (number) WHERE unfinished = 1;

-- What plugins remember, and what a write has changed of it until its intent settles (a null value deletes the key).
CREATE TABLE key_values (
    tenant TEXT NOT NULL,
    plugin TEXT NOT NULL,
    key    TEXT NOT NULL,
    value  BLOB NOT NULL,
    PRIMARY KEY (tenant, plugin, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE staged_key_values (
    intent TEXT NOT NULL REFERENCES intents (id),
    plugin TEXT NOT NULL,
    key    TEXT NOT NULL,
    value  BLOB,
    PRIMARY KEY (intent, key)
) STRICT, WITHOUT ROWID;
