-- What was spent within budgets (otel_mas/store/spending.py), over all processes: of a run (its trace id), an agent in a
-- run (`trace id/agent`), a user or a conversation, `@day` behind it where it counts for a time. `unpriced` are calls of
-- models without a known price. Rows that can be spent from no more go once `expires_ns` is past; NULL: never.
CREATE TABLE spending (
  per        TEXT NOT NULL,
  key        TEXT NOT NULL,
  usd        REAL NOT NULL DEFAULT 0,
  tokens     INTEGER NOT NULL DEFAULT 0,
  calls      INTEGER NOT NULL DEFAULT 0,
  unpriced   INTEGER NOT NULL DEFAULT 0,
  seconds    REAL NOT NULL DEFAULT 0,
  first_ns   INTEGER NOT NULL,
  expires_ns INTEGER,
  PRIMARY KEY (per, key)
) WITHOUT ROWID;
