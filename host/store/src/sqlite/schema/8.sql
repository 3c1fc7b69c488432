-- Tags that were found to lead elsewhere than where they led when a plugin was pinned with them: each place that they were found to
-- lead to, once. `leads_to` is empty where a tag led to nothing; `is_now` marks what the last look found.
CREATE TABLE plugin_tag_moves (
    tenant     TEXT NOT NULL CHECK (tenant <> ''),
    plugin     TEXT NOT NULL CHECK (plugin <> ''),
    reference  TEXT NOT NULL,
    pinned     TEXT NOT NULL,
    leads_to   TEXT NOT NULL CHECK (leads_to <> pinned),
    seen_at_ms INTEGER NOT NULL,
    is_now     INTEGER NOT NULL CHECK (is_now IN (0, 1)),
    PRIMARY KEY (tenant, plugin, reference, leads_to)
) STRICT, WITHOUT ROWID;
