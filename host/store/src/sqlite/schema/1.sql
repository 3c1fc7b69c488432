-- Times are Unix seconds unless a name says otherwise; enums are the words of the ports' serde names; JSON is text.

CREATE TABLE cases (
    id         TEXT PRIMARY KEY,
    tenant     TEXT NOT NULL,
    customer   TEXT,
    level      INTEGER NOT NULL CHECK (level BETWEEN 0 AND 3),
    status     TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (tenant, id)
) STRICT;

-- Ended rows stay: they say which session a case came from.
CREATE TABLE sessions (
    tenant   TEXT NOT NULL,
    session  TEXT NOT NULL,
    case_id  TEXT NOT NULL,
    ended_at INTEGER,
    FOREIGN KEY (tenant, case_id) REFERENCES cases (tenant, id)
) STRICT;
CREATE UNIQUE INDEX sessions_current ON sessions (tenant, session) WHERE ended_at IS NULL;

CREATE TABLE facts (
    case_id        TEXT NOT NULL REFERENCES cases (id),
    kind           TEXT NOT NULL,
    id             TEXT NOT NULL,
    established_at INTEGER NOT NULL,
    attributes     TEXT NOT NULL,
    PRIMARY KEY (case_id, kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    case_id TEXT NOT NULL REFERENCES cases (id),
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    event   TEXT NOT NULL,
    PRIMARY KEY (case_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE intents (
    number        INTEGER PRIMARY KEY,
    id            TEXT NOT NULL UNIQUE,
    tenant        TEXT NOT NULL,
    key           TEXT NOT NULL,
    terms         TEXT NOT NULL,
    case_id       TEXT NOT NULL,
    tool          TEXT NOT NULL,
    arguments     TEXT NOT NULL,
    plugin_digest TEXT NOT NULL,
    rulebook      TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('reserved', 'sent', 'unknown', 'done', 'failed', 'replaced')),
    outcome       TEXT,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    FOREIGN KEY (tenant, case_id) REFERENCES cases (tenant, id)
) STRICT;
-- One live intent per business key: this index is what stands between a race and a second effect.
CREATE UNIQUE INDEX intents_live ON intents (tenant, key) WHERE state NOT IN ('failed', 'replaced');
CREATE INDEX intents_open ON intents (number) WHERE state IN ('reserved', 'sent', 'unknown');

CREATE TABLE sent_requests (
    intent      TEXT NOT NULL REFERENCES intents (id),
    ordinal     INTEGER NOT NULL,
    method      TEXT NOT NULL,
    url         TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    body        BLOB NOT NULL,
    sent_at     INTEGER NOT NULL,
    PRIMARY KEY (intent, ordinal)
) STRICT, WITHOUT ROWID;

-- Spent and reserved together: a failed intent gives back what its charges took.
CREATE TABLE budgets (
    tenant       TEXT NOT NULL,
    budget       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    window_start INTEGER NOT NULL,
    spent        INTEGER NOT NULL CHECK (spent >= 0),
    PRIMARY KEY (tenant, budget, subject, window_start)
) STRICT, WITHOUT ROWID;

CREATE TABLE charges (
    intent       TEXT NOT NULL REFERENCES intents (id),
    number       INTEGER NOT NULL,
    budget       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    window_start INTEGER NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (intent, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE consents (
    number      INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    tenant      TEXT NOT NULL,
    case_id     TEXT NOT NULL,
    asked_of    TEXT NOT NULL,
    call        TEXT NOT NULL,
    binding     TEXT NOT NULL,
    question    TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'granted', 'denied')),
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    answered_by TEXT,
    FOREIGN KEY (tenant, case_id) REFERENCES cases (tenant, id)
) STRICT;
CREATE INDEX consents_binding ON consents (binding) WHERE state = 'pending';
CREATE INDEX consents_pending ON consents (tenant, expires_at) WHERE state = 'pending';

-- `entry` is the canonical text that `hash` covers; whatever is searched for is taken out of that text.
CREATE TABLE audit (
    seq      INTEGER PRIMARY KEY,
    at_ms    INTEGER NOT NULL,
    entry    TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash     TEXT NOT NULL
) STRICT;
CREATE INDEX audit_case ON audit (entry ->> 'case', seq);

CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
-- Also keeps INSERT OR REPLACE from replacing, which fires no delete trigger.
CREATE TRIGGER audit_no_gap BEFORE INSERT ON audit
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'the audit log has no gaps'); END;
