-- What a decision was taken on (JSON): the audit record of this number holds its digest, so it can be forgotten by itself.
CREATE TABLE decisions (
    seq   INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    input TEXT NOT NULL
) STRICT;

-- A granted consent is unfinished until its call has ended.
ALTER TABLE consents ADD COLUMN unfinished INTEGER NOT NULL DEFAULT 0 CHECK (unfinished IN (0, 1));
CREATE INDEX consents_unfinished ON consents (number) WHERE unfinished = 1;
