-- One row per trace with what its open spans say: those of living processes, and those that nobody will end.
WITH live AS (
  SELECT o.trace, sum(alive) AS running, count(*) - sum(alive) AS dead, max(o.start_ns) AS last_ns
  FROM open_spans o
  JOIN (SELECT id, finished_ns IS NULL AND heartbeat_ns >= :fresh_ns AS alive FROM instances) i ON i.id = o.instance
  GROUP BY o.trace
),
summary AS (
  SELECT t.*, coalesce(live.running, 0) AS running, coalesce(live.dead, 0) AS dead,
         max(coalesce(t.end_ns, 0), coalesce(live.last_ns, 0)) AS last_ns,
         CASE WHEN live.running > 0 THEN 'running'
              WHEN t.errors > 0 THEN 'error'
              WHEN t.run_outcome = 'interrupted' THEN 'interrupted'
              ELSE 'ok' END AS status
  FROM traces t LEFT JOIN live ON live.trace = t.id
)
SELECT id, trace_id, name, service, start_ns, last_ns, status, spans, running, dead, errors, conversation,
       input_tokens, output_tokens, cost_usd, unpriced, incomplete
FROM summary s
WHERE {conditions}
ORDER BY start_ns DESC, id DESC
LIMIT :limit
