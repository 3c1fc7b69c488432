-- What came with a version as its signatures, as a signature file has them. None: nothing, or nobody kept it.
ALTER TABLE plugin_versions ADD COLUMN signatures TEXT;
