-- Spans and contents that were recorded and never stored, by reason (otel_mas/model/dropped.py): of each process in all,
-- and of each trace.
CREATE TABLE drops (
  instance INTEGER NOT NULL,
  reason   TEXT NOT NULL,
  spans    INTEGER NOT NULL,
  contents INTEGER NOT NULL,
  PRIMARY KEY (instance, reason)
) WITHOUT ROWID;

CREATE TABLE trace_drops (
  trace    INTEGER NOT NULL,
  reason   TEXT NOT NULL,
  spans    INTEGER NOT NULL,
  contents INTEGER NOT NULL,
  PRIMARY KEY (trace, reason)
) WITHOUT ROWID;

INSERT INTO drops SELECT id, 'unknown reason', dropped, 0 FROM instances WHERE dropped > 0;
ALTER TABLE instances DROP COLUMN dropped;
