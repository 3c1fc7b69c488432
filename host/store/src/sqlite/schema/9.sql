-- Who runs the program, each by a key of which the digest is kept alone. A row stays for ever: a name in the history is one person's.
CREATE TABLE operators (
    name          TEXT NOT NULL PRIMARY KEY COLLATE NOCASE,
    key_digest    BLOB NOT NULL UNIQUE CHECK (length(key_digest) = 32),
    added_by      TEXT NOT NULL,
    added_at_ms   INTEGER NOT NULL,
    revoked_by    TEXT,
    revoked_at_ms INTEGER,
    CHECK ((revoked_by IS NULL) = (revoked_at_ms IS NULL))
) STRICT;
CREATE TRIGGER operators_no_delete BEFORE DELETE ON operators
BEGIN SELECT RAISE(ABORT, 'the name of an operator stays theirs'); END;
CREATE TRIGGER operators_no_return BEFORE UPDATE ON operators
WHEN OLD.revoked_at_ms IS NOT NULL OR NEW.name <> OLD.name OR NEW.key_digest <> OLD.key_digest
BEGIN SELECT RAISE(ABORT, 'an operator keeps name and key, and what is revoked stays so'); END;
