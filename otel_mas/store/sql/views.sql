-- The views that `otel-mas sql` shows instead of the tables: ids in hex, times as ISO 8601 and as nanoseconds.
-- Each view is temporary: the file is not written. What stands in braces is put in by otel_mas/store/query_sql.py.
CREATE TEMP VIEW traces AS
SELECT trace_id, name, service, conversation_id AS conversation, status, iso(start_ns) AS start, iso(end_ns) AS "end",
       (end_ns - start_ns) / 1e6 AS duration_ms, span_count AS spans, error_count AS errors, input_tokens, output_tokens,
       cost_usd, unpriced_calls, incomplete, start_ns, end_ns
FROM ({summaries});

CREATE TEMP VIEW spans AS
SELECT lower(hex(t.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id,
       lower(hex(s.parent_span_id)) AS parent_span_id, coalesce(s.name, '') AS name, r.service,
       CASE s.kind WHEN 1 THEN 'internal' WHEN 2 THEN 'server' WHEN 3 THEN 'client' WHEN 4 THEN 'producer'
                   WHEN 5 THEN 'consumer' ELSE 'unspecified' END AS kind,
       CASE s.status WHEN 1 THEN 'ok' WHEN 2 THEN 'error' ELSE 'unset' END AS status,
       iso(s.start_ns) AS start, iso(s.end_ns) AS "end", (s.end_ns - s.start_ns) / 1e6 AS duration_ms,
       {columns}, s.start_ns, s.end_ns, r.body AS resource, s.body
FROM main.spans s JOIN main.traces t ON t.id = s.trace LEFT JOIN main.resources r ON r.id = s.resource
WHERE s.version = 0
UNION ALL
SELECT lower(hex(t.trace_id)), lower(hex(s.span_id)), lower(hex(s.parent_span_id)), coalesce(s.name, ''), r.service,
       CASE s.kind WHEN 1 THEN 'internal' WHEN 2 THEN 'server' WHEN 3 THEN 'client' WHEN 4 THEN 'producer'
                   WHEN 5 THEN 'consumer' ELSE 'unspecified' END,
       'open', iso(s.start_ns), NULL, NULL, {columns}, s.start_ns, NULL, r.body, NULL
FROM main.open_spans s JOIN main.traces t ON t.id = s.trace LEFT JOIN main.resources r ON r.id = s.resource;

CREATE TEMP VIEW links AS
SELECT trace_id, span_id, kind, cause_trace_id, cause_span_id FROM main.span_links;

CREATE TEMP VIEW events AS
SELECT lower(hex(t.trace_id)) AS trace_id, lower(hex(s.span_id)) AS span_id, json_extract(e.value, '$.name') AS name,
       iso(json_extract(e.value, '$.time_ns')) AS time, json_extract(e.value, '$.attributes') AS attributes,
       json_extract(e.value, '$.time_ns') AS time_ns
FROM main.spans s JOIN main.traces t ON t.id = s.trace, json_each(events(s.body)) e
WHERE s.version = 0;

CREATE TEMP VIEW messages AS
WITH RECURSIVE one (trace, span_id, direction, position, digests, offset) AS (
  SELECT trace, span_id, direction, position, digests, 1 FROM main.message_lists
  UNION ALL
  SELECT trace, span_id, direction, position, digests, offset + 16 FROM one WHERE offset + 16 <= length(digests)
)
SELECT lower(hex(t.trace_id)) AS trace_id, lower(hex(one.span_id)) AS span_id,
       CASE one.direction WHEN 0 THEN 'input' ELSE 'output' END AS direction,
       one.position + one.offset / 16 AS position, m.role, text(m.body) AS text,
       lower(hex(substr(one.digests, one.offset, 16))) AS digest
FROM one JOIN main.traces t ON t.id = one.trace
  LEFT JOIN main.messages m ON m.digest = substr(one.digests, one.offset, 16)
WHERE one.direction IN (0, 1)
UNION ALL
SELECT lower(hex(t.trace_id)), lower(hex(s.span_id)), json_extract(m.value, '$.direction'),
       json_extract(m.value, '$.position'), json_extract(m.value, '$.role'), json_extract(m.value, '$.text'),
       json_extract(m.value, '$.digest')
FROM main.spans s JOIN main.traces t ON t.id = s.trace,
     json_each(messages(lower(hex(t.trace_id)), lower(hex(s.span_id)))) m
WHERE {carry_content}
  AND NOT EXISTS (SELECT 1 FROM main.message_lists l WHERE l.trace = s.trace AND l.span_id = s.span_id);

CREATE TEMP VIEW contents AS
SELECT lower(hex(t.trace_id)) AS trace_id, lower(hex(c.span_id)) AS span_id, c.name, CAST(c.value AS TEXT) AS value
FROM main.contents c JOIN main.traces t ON t.id = c.trace
UNION ALL
SELECT lower(hex(t.trace_id)), lower(hex(s.span_id)), c.key, c.value
FROM main.spans s JOIN main.traces t ON t.id = s.trace,
     json_each(contents(lower(hex(t.trace_id)), lower(hex(s.span_id)))) c
WHERE {carry_content} AND NOT EXISTS (SELECT 1 FROM main.contents c WHERE c.trace = s.trace AND c.span_id = s.span_id);
