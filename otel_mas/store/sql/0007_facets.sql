-- Traces can be found by operations, tools, models and types of errors of their spans, too (otel_mas/model/query.py).
INSERT OR IGNORE INTO facets (trace, facet, value)
SELECT DISTINCT trace, facet, value FROM (
  SELECT trace, 'operation' AS facet, operation AS value FROM spans
  UNION ALL SELECT trace, 'tool', tool FROM spans
  UNION ALL SELECT trace, 'model', response_model FROM spans
  UNION ALL SELECT trace, 'model', request_model FROM spans
  UNION ALL SELECT trace, 'error_type', error_type FROM spans
  UNION ALL SELECT trace, 'operation', operation FROM open_spans
  UNION ALL SELECT trace, 'tool', tool FROM open_spans
  UNION ALL SELECT trace, 'model', response_model FROM open_spans
  UNION ALL SELECT trace, 'model', request_model FROM open_spans
  UNION ALL SELECT trace, 'error_type', error_type FROM open_spans
) WHERE typeof(value) = 'text';
