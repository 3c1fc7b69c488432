-- The registry of plugins. Digests are sha256 in lower-case hex.

-- A removed version keeps its row: its number must not come to mean another digest.
CREATE TABLE plugin_versions (
    number       INTEGER PRIMARY KEY,
    tenant       TEXT NOT NULL CHECK (tenant <> ''),
    plugin       TEXT NOT NULL CHECK (plugin <> ''),
    version      TEXT NOT NULL CHECK (version <> ''),
    digest       TEXT NOT NULL CHECK (length(digest) = 64 AND digest NOT GLOB '*[^0-9a-f]*'),
    source       TEXT NOT NULL,
    signed_by    TEXT,
    accepted     TEXT NOT NULL CHECK (json_valid(accepted)),
    installed_by TEXT NOT NULL,
    installed_at INTEGER NOT NULL,
    removed_at   INTEGER,
    UNIQUE (tenant, plugin, version)
) STRICT;
CREATE TRIGGER plugin_versions_no_change BEFORE UPDATE OF tenant, plugin, version, digest ON plugin_versions
BEGIN SELECT RAISE(ABORT, 'a version of a plugin does not change'); END;
CREATE TRIGGER plugin_versions_no_delete BEFORE DELETE ON plugin_versions
BEGIN SELECT RAISE(ABORT, 'a version of a plugin keeps its number'); END;

-- `killed` is a JSON array of digests.
CREATE TABLE plugin_bindings (
    tenant           TEXT NOT NULL CHECK (tenant <> ''),
    plugin           TEXT NOT NULL CHECK (plugin <> ''),
    revision         INTEGER NOT NULL CHECK (revision > 0),
    stable_version   TEXT,
    stable_digest    TEXT CHECK (length(stable_digest) = 64 AND stable_digest NOT GLOB '*[^0-9a-f]*'),
    canary_version   TEXT,
    canary_digest    TEXT CHECK (length(canary_digest) = 64 AND canary_digest NOT GLOB '*[^0-9a-f]*'),
    canary_per_mille INTEGER CHECK (canary_per_mille BETWEEN 1 AND 1000),
    previous_version TEXT,
    previous_digest  TEXT CHECK (length(previous_digest) = 64 AND previous_digest NOT GLOB '*[^0-9a-f]*'),
    killed           TEXT NOT NULL CHECK (json_type(killed) = 'array'),
    from_folder      TEXT,
    PRIMARY KEY (tenant, plugin),
    CHECK ((stable_version IS NULL) = (stable_digest IS NULL)),
    CHECK ((canary_version IS NULL) = (canary_digest IS NULL)),
    CHECK ((canary_version IS NULL) = (canary_per_mille IS NULL)),
    CHECK ((previous_version IS NULL) = (previous_digest IS NULL)),
    CHECK (canary_digest IS NULL OR stable_digest IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE TABLE plugin_history (
    seq          INTEGER PRIMARY KEY,
    tenant       TEXT NOT NULL,
    plugin       TEXT NOT NULL,
    at_ms        INTEGER NOT NULL,
    changed_by   TEXT NOT NULL,
    action       TEXT NOT NULL CHECK (action IN ('install', 'swap', 'canary', 'promote', 'rollback', 'auto_rollback', 'kill',
                                                 'revive', 'remove')),
    from_version TEXT,
    from_digest  TEXT,
    to_version   TEXT,
    to_digest    TEXT,
    reason       TEXT NOT NULL,
    CHECK ((from_version IS NULL) = (from_digest IS NULL)),
    CHECK ((to_version IS NULL) = (to_digest IS NULL))
) STRICT;
CREATE INDEX plugin_history_plugin ON plugin_history (tenant, plugin, seq);

CREATE TRIGGER plugin_history_no_update BEFORE UPDATE ON plugin_history
BEGIN SELECT RAISE(ABORT, 'the history of plugins is append-only'); END;
CREATE TRIGGER plugin_history_no_delete BEFORE DELETE ON plugin_history
BEGIN SELECT RAISE(ABORT, 'the history of plugins is append-only'); END;
-- Also keeps INSERT OR REPLACE from replacing, which fires no delete trigger.
CREATE TRIGGER plugin_history_no_gap BEFORE INSERT ON plugin_history
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM plugin_history)
BEGIN SELECT RAISE(ABORT, 'the history of plugins has no gaps'); END;
