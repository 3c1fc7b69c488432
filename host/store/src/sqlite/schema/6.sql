-- How much worse the version on trial may do. None: as for a trial of which nobody has said.
ALTER TABLE plugin_bindings ADD COLUMN canary_tolerance TEXT
    CHECK (canary_tolerance IS NULL OR (json_type(canary_tolerance) = 'object' AND canary_version IS NOT NULL));
