-- Who may run an intent: `epoch` grows with every holder, and a lower one is void.
ALTER TABLE intents ADD COLUMN holder TEXT;
ALTER TABLE intents ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE intents ADD COLUMN leased_until INTEGER NOT NULL DEFAULT 0;
CREATE INDEX intents_tool ON intents (tenant, tool, updated_at);
