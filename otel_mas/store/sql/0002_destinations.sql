-- Who reads the log, and how far they are. Keys are those of spans: their order is the order of commits.
CREATE TABLE destinations (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  name           TEXT NOT NULL UNIQUE, -- kind and address, without secrets
  added_ns       INTEGER NOT NULL,
  start          INTEGER NOT NULL,     -- the last key when it was added: what lies up to here is history
  cursor         INTEGER NOT NULL,     -- the last key that is dealt with
  history        INTEGER,              -- the same within the history; NULL where nobody asked for that
  owner          TEXT,                 -- who may ship, until when; each owner has an epoch of its own
  epoch          INTEGER NOT NULL DEFAULT 0,
  lease_until_ns INTEGER NOT NULL DEFAULT 0,
  shipped        INTEGER NOT NULL DEFAULT 0,
  rejected       INTEGER NOT NULL DEFAULT 0, -- spans that the server would not take
  held_back      INTEGER NOT NULL DEFAULT 0, -- spans without consent to leave this machine
  elsewhere      INTEGER NOT NULL DEFAULT 0, -- spans that the app sends there itself
  withheld       INTEGER NOT NULL DEFAULT 0, -- values taken out because they are content
  lost           INTEGER NOT NULL DEFAULT 0, -- spans that retention deleted before they could be shipped
  sent_ns        INTEGER,
  error          TEXT,
  error_ns       INTEGER
);

-- Servers that a recording process exports to by itself, and the last key before it began to.
CREATE TABLE own_exports (
  instance INTEGER NOT NULL,
  server   TEXT NOT NULL,
  after    INTEGER NOT NULL,
  PRIMARY KEY (instance, server)
) WITHOUT ROWID;

CREATE TRIGGER own_exports_gone AFTER DELETE ON instances BEGIN
  DELETE FROM own_exports WHERE instance = OLD.id;
END;

-- The caps of the store win over a destination that never comes back; that it does is counted.
CREATE TRIGGER spans_never_shipped AFTER DELETE ON spans WHEN OLD.may_ship AND OLD.sampled AND OLD.version = 0 BEGIN
  UPDATE destinations SET lost = lost + 1
  WHERE OLD.id > cursor OR (history IS NOT NULL AND OLD.id > history AND OLD.id <= start);
END;
