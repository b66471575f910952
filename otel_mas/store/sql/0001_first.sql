-- The first layout. Times are nanoseconds since the epoch, ids are blobs, `trace` is traces.id everywhere.

CREATE TABLE store (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) WITHOUT ROWID;

-- One row per recording process. One with a fresh heartbeat is alive: its pid may be another process's by now.
CREATE TABLE instances (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  instance_id  BLOB NOT NULL UNIQUE,
  run_id       TEXT,
  service      TEXT NOT NULL,
  started_ns   INTEGER NOT NULL,
  heartbeat_ns INTEGER NOT NULL,
  finished_ns  INTEGER,
  dropped      INTEGER NOT NULL DEFAULT 0,
  withheld     INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE resources (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  instance   INTEGER NOT NULL REFERENCES instances (id),
  digest     BLOB NOT NULL,
  service    TEXT NOT NULL,
  schema_url TEXT NOT NULL,
  body       BLOB NOT NULL,           -- OTLP Resource
  UNIQUE (instance, digest)
);

CREATE TABLE scopes (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  digest     BLOB NOT NULL UNIQUE,
  name       TEXT NOT NULL,
  version    TEXT NOT NULL,
  schema_url TEXT NOT NULL,
  body       BLOB NOT NULL            -- OTLP InstrumentationScope where it has attributes, else empty
);

-- What a list of traces shows, kept up to date by every write, so that it needs no GROUP BY over spans.
-- AUTOINCREMENT: the id of a deleted trace is never given to another one while a writer still remembers it.
CREATE TABLE traces (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  trace_id      BLOB NOT NULL UNIQUE,
  name          TEXT,
  service       TEXT,
  root_rank     INTEGER NOT NULL,     -- 0: name and service are those of a span without parent
  root_start_ns INTEGER NOT NULL,
  start_ns      INTEGER NOT NULL,
  end_ns        INTEGER,
  spans         INTEGER NOT NULL DEFAULT 0,
  errors        INTEGER NOT NULL DEFAULT 0,
  conversation  TEXT,
  run_outcome   TEXT,                 -- of the run that ended last
  run_end_ns    INTEGER,
  input_tokens  INTEGER NOT NULL DEFAULT 0,
  output_tokens INTEGER NOT NULL DEFAULT 0,
  cost_usd      REAL,
  unpriced      INTEGER NOT NULL DEFAULT 0,
  present       INTEGER NOT NULL DEFAULT 0, -- spans.present of all of its spans, united
  incomplete    TEXT
);
CREATE INDEX traces_start ON traces (start_ns);

-- What a trace can be found by: its agents, services, conversations.
CREATE TABLE facets (
  trace INTEGER NOT NULL,
  facet TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (trace, facet, value)
) WITHOUT ROWID;
CREATE INDEX facets_value ON facets (facet, value);

CREATE TABLE trace_instances (
  trace    INTEGER NOT NULL,
  instance INTEGER NOT NULL,
  PRIMARY KEY (trace, instance)
) WITHOUT ROWID;
CREATE INDEX trace_instances_instance ON trace_instances (instance);

-- The log of ended spans. Ids are given inside the write transaction: their order is the order of commits.
-- version 0 is the latest of a span that was written more than once with different bytes.
CREATE TABLE spans (
  id                INTEGER PRIMARY KEY AUTOINCREMENT,
  trace             INTEGER NOT NULL,
  span_id           BLOB NOT NULL,
  parent_span_id    BLOB,
  name              TEXT,
  kind              INTEGER NOT NULL,
  start_ns          INTEGER NOT NULL,
  end_ns            INTEGER NOT NULL,
  status            INTEGER NOT NULL,
  instance          INTEGER NOT NULL,
  resource          INTEGER,
  scope             INTEGER,
  sampled           INTEGER NOT NULL,
  may_ship          INTEGER NOT NULL,
  version           INTEGER NOT NULL DEFAULT 0,
  duplicates        INTEGER NOT NULL DEFAULT 0,
  present           INTEGER NOT NULL, -- bit n: this row has the n-th of the columns that stand for attributes
  record_kind       TEXT,
  operation         TEXT,
  agent             TEXT,
  conversation      TEXT,
  task_id           TEXT,
  task_name         TEXT,
  task_step         INTEGER,
  task_namespace    TEXT,
  task_outcome      TEXT,
  run_outcome       TEXT,
  checkpoint_id     TEXT,
  checkpoint_last_id TEXT,
  request_model     TEXT,
  response_model    TEXT,
  provider          TEXT,
  tool              TEXT,
  tool_call_id      TEXT,
  input_tokens      INTEGER,
  output_tokens     INTEGER,
  cache_read_tokens INTEGER,
  reasoning_tokens  INTEGER,
  cost_usd          REAL,
  cost_missing      TEXT,
  cost_simulated    INTEGER,
  error_type        TEXT,
  error_span        TEXT,
  cause_refs        TEXT,
  checkpoint_pending TEXT,
  task_index        INTEGER,
  body              BLOB NOT NULL     -- OTLP Span; last, so that reading the columns skips what overflows the page
);
CREATE UNIQUE INDEX spans_identity ON spans (trace, span_id, kind, instance, version);

CREATE TABLE open_spans (
  id                INTEGER PRIMARY KEY,
  trace             INTEGER NOT NULL,
  span_id           BLOB NOT NULL,
  parent_span_id    BLOB,
  name              TEXT,
  kind              INTEGER NOT NULL,
  start_ns          INTEGER NOT NULL,
  instance          INTEGER NOT NULL,
  resource          INTEGER,
  scope             INTEGER,
  record_kind       TEXT,
  operation         TEXT,
  agent             TEXT,
  conversation      TEXT,
  task_id           TEXT,
  task_name         TEXT,
  task_step         INTEGER,
  task_namespace    TEXT,
  task_outcome      TEXT,
  run_outcome       TEXT,
  checkpoint_id     TEXT,
  checkpoint_last_id TEXT,
  request_model     TEXT,
  response_model    TEXT,
  provider          TEXT,
  tool              TEXT,
  tool_call_id      TEXT,
  input_tokens      INTEGER,
  output_tokens     INTEGER,
  cache_read_tokens INTEGER,
  reasoning_tokens  INTEGER,
  cost_usd          REAL,
  cost_missing      TEXT,
  cost_simulated    INTEGER,
  error_type        TEXT,
  error_span        TEXT,
  cause_refs        TEXT,
  checkpoint_pending TEXT,
  task_index        INTEGER,
  UNIQUE (trace, span_id)
);

-- A link is found from its effect (span) and from its cause: in the same trace (cause_trace is NULL) among the links of
-- that trace, which lie together; in another one by the index. An index for both would cost every span a random page.
CREATE TABLE links (
  trace       INTEGER NOT NULL,
  span        INTEGER NOT NULL,
  position    INTEGER NOT NULL,
  cause_trace BLOB,
  cause_span  BLOB NOT NULL,
  kind        TEXT,
  PRIMARY KEY (trace, span, position)
) WITHOUT ROWID;
CREATE INDEX links_cause_elsewhere ON links (cause_trace, cause_span) WHERE cause_trace IS NOT NULL;

CREATE TABLE messages (
  id       INTEGER PRIMARY KEY,
  digest   BLOB NOT NULL UNIQUE,
  role     TEXT NOT NULL,
  added_ns INTEGER NOT NULL,
  body     BLOB                       -- redacted JSON; NULL where the content is not kept
);

-- The messages of one span in their order, 16 bytes each, consecutive positions in one row: a span that reads a
-- history of n messages costs one row, not n.
CREATE TABLE message_lists (
  id        INTEGER PRIMARY KEY,
  trace     INTEGER NOT NULL,
  span_id   BLOB NOT NULL,
  direction INTEGER NOT NULL,
  position  INTEGER NOT NULL,
  digests   BLOB NOT NULL,
  UNIQUE (trace, span_id, direction, position)
);

-- Which traces refer to a message: what keeps it from being deleted.
CREATE TABLE trace_messages (
  trace  INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (trace, digest)
) WITHOUT ROWID;
CREATE INDEX trace_messages_digest ON trace_messages (digest);

CREATE TABLE contents (
  id      INTEGER PRIMARY KEY,
  trace   INTEGER NOT NULL,
  span_id BLOB NOT NULL,
  name    TEXT NOT NULL,
  value   BLOB NOT NULL               -- redacted JSON
);
CREATE INDEX contents_span ON contents (trace, span_id);

-- For people: ids as they are written everywhere else.
CREATE VIEW span_links AS
SELECT lower(hex(t.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id, s.name, l.kind,
       lower(hex(coalesce(l.cause_trace, t.trace_id))) AS cause_trace_id, lower(hex(l.cause_span)) AS cause_span_id
FROM links l JOIN spans s ON s.id = l.span JOIN traces t ON t.id = l.trace;

CREATE VIEW message_refs AS
WITH RECURSIVE one (trace, span_id, direction, position, digests, offset) AS (
  SELECT trace, span_id, direction, position, digests, 1 FROM message_lists
  UNION ALL
  SELECT trace, span_id, direction, position, digests, offset + 16 FROM one WHERE offset + 16 <= length(digests)
)
SELECT lower(hex(t.trace_id)) AS trace_id, lower(hex(span_id)) AS span_id,
       CASE direction WHEN 0 THEN 'input' ELSE 'output' END AS direction,
       position + offset / 16 AS position, lower(hex(substr(digests, offset, 16))) AS digest
FROM one JOIN traces t ON t.id = one.trace;
