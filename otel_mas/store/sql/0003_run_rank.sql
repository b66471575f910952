-- Whose outcome traces.run_outcome is: 0 of a run without parent, 1 of one inside something else, 2 of none.
ALTER TABLE traces ADD COLUMN run_rank INTEGER NOT NULL DEFAULT 2;

UPDATE traces SET run_rank = NOT EXISTS (
  SELECT 1 FROM spans s WHERE s.trace = traces.id AND s.parent_span_id IS NULL AND s.run_outcome = traces.run_outcome
) WHERE run_outcome IS NOT NULL;
