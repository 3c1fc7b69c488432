-- Which records are a case's: taken out of their entries, many at a time, as far as `audit_listed` says.
CREATE TABLE audit_cases (
    case_id TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (case_id, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_listed (
    row INTEGER PRIMARY KEY CHECK (row = 1),
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO audit_cases
    SELECT entry ->> 'case', seq FROM audit WHERE CASE WHEN json_valid(entry) THEN entry ->> 'case' END IS NOT NULL ORDER BY 1, 2;
INSERT INTO audit_listed SELECT 1, coalesce(max(seq), 0) FROM audit;
DROP INDEX audit_case;

CREATE TRIGGER audit_cases_no_update BEFORE UPDATE ON audit_cases
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_cases_no_delete BEFORE DELETE ON audit_cases
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_listed_grows BEFORE UPDATE ON audit_listed WHEN NEW.seq < OLD.seq
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_listed_no_delete BEFORE DELETE ON audit_listed
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

-- As before, but FAIL: before an insert there is nothing to undo, and for ABORT SQLite would copy every page that it touches.
DROP TRIGGER audit_no_gap;
CREATE TRIGGER audit_no_gap BEFORE INSERT ON audit
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit)
BEGIN SELECT RAISE(FAIL, 'the audit log has no gaps'); END;
