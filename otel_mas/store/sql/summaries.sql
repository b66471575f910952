-- One row per trace, the columns named as the fields of TraceSummary. Open spans are of living processes (running),
-- or will never end (dead).
WITH live AS (
  SELECT o.trace, sum(alive) AS running, count(*) - sum(alive) AS dead,
         max(max(o.start_ns, CASE WHEN alive THEN 0 ELSE i.seen_ns END)) AS last_ns
  FROM open_spans o
  JOIN (
    SELECT id, finished_ns IS NULL AND heartbeat_ns >= :fresh_ns AS alive,
           coalesce(finished_ns, heartbeat_ns) AS seen_ns
    FROM instances
  ) i ON i.id = o.instance
  GROUP BY o.trace
),
summary AS (
  SELECT t.*, coalesce(live.running, 0) AS running, coalesce(live.dead, 0) AS dead,
         max(coalesce(t.end_ns, 0), coalesce(live.last_ns, 0)) AS last_ns,
         -- The same rule as in otel_mas/model/status.py.
         CASE WHEN live.running > 0 THEN 'running'
              WHEN t.run_rank <= t.root_rank AND t.run_outcome IS NOT NULL THEN t.run_outcome
              WHEN live.dead > 0 THEN 'stopped'
              WHEN t.errors > 0 THEN 'error'
              WHEN t.run_outcome = 'interrupted' THEN 'interrupted'
              ELSE 'ok' END AS status
  FROM traces t LEFT JOIN live ON live.trace = t.id
)
SELECT id, dead, lower(hex(trace_id)) AS trace_id, coalesce(name, '') AS name, coalesce(service, '') AS service,
       start_ns, CASE WHEN running THEN NULL ELSE last_ns END AS end_ns, status,
       spans + running + dead AS span_count, errors AS error_count, conversation AS conversation_id,
       input_tokens, output_tokens, cost_usd, unpriced AS unpriced_calls,
       -- The attribute is set on no other spans.
       present >> :simulated & 1 AS simulated, incomplete
FROM summary s
WHERE {conditions}
ORDER BY start_ns DESC, id DESC
LIMIT :limit
