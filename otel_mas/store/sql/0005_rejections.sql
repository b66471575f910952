-- Spans that a destination refused for good (otel_mas/store/log.py); `span` is the span's key in the log.
CREATE TABLE rejections (
  destination INTEGER NOT NULL,
  span        INTEGER NOT NULL,
  trace_id    TEXT NOT NULL,
  span_id     TEXT NOT NULL,
  name        TEXT NOT NULL,
  reason      TEXT NOT NULL,
  rejected_ns INTEGER NOT NULL,
  PRIMARY KEY (destination, span)
) WITHOUT ROWID;
