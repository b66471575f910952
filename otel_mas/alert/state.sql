-- Alerts, silences and notifications, beside the store: times are nanoseconds since the epoch.
CREATE TABLE IF NOT EXISTS alerts (
  fingerprint TEXT PRIMARY KEY,     -- of the rule's name and the labels
  rule        TEXT NOT NULL,
  labels      TEXT NOT NULL,        -- JSON
  severity    TEXT NOT NULL,
  summary     TEXT NOT NULL,
  runbook     TEXT,
  state       TEXT NOT NULL,        -- pending, firing or resolved
  value       REAL NOT NULL,
  since_ns    INTEGER NOT NULL,     -- from when on the rule holds
  fired_ns    INTEGER,
  resolved_ns INTEGER
);
CREATE TABLE IF NOT EXISTS silences (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  matchers TEXT NOT NULL,           -- JSON: values by label, of which alertname is one
  until_ns INTEGER NOT NULL,
  comment  TEXT NOT NULL
);
-- What each receiver has been told of a group: which of its alerts fire.
CREATE TABLE IF NOT EXISTS notified (
  receiver TEXT NOT NULL,
  grouped  TEXT NOT NULL,
  firing   TEXT NOT NULL,           -- JSON: fingerprints
  notified_ns  INTEGER NOT NULL,
  PRIMARY KEY (receiver, grouped)
) WITHOUT ROWID;
-- Notifications that are decided on and not delivered. One that is claimed is being sent by a process until then.
CREATE TABLE IF NOT EXISTS outbox (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  receiver   TEXT NOT NULL,
  key        TEXT NOT NULL,         -- by which a receiver can tell that it had it already
  document   TEXT NOT NULL,         -- JSON
  decided_ns INTEGER NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  next_ns    INTEGER NOT NULL,
  claimed_ns INTEGER NOT NULL DEFAULT 0
);
