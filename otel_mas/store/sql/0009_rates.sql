-- Spans a second that a destination has taken, decaying with a time constant of a minute, as of sent_ns.
ALTER TABLE destinations ADD COLUMN rate REAL NOT NULL DEFAULT 0;
