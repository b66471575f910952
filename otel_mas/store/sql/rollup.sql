UPDATE traces SET
  name          = CASE WHEN (?4, ?5) < (root_rank, root_start_ns) THEN ?2 ELSE name END,
  service       = CASE WHEN (?4, ?5) < (root_rank, root_start_ns) THEN ?3 ELSE service END,
  conversation  = CASE WHEN (?4, ?5) < (root_rank, root_start_ns) THEN coalesce(?10, conversation)
                       ELSE coalesce(conversation, ?10) END,
  root_rank     = min(root_rank, ?4),
  root_start_ns = CASE WHEN (?4, ?5) < (root_rank, root_start_ns) THEN ?5 ELSE root_start_ns END,
  -- Until a span has been met (rank 2) start_ns is only the time of writing. ?6 without one is the largest integer.
  start_ns      = CASE WHEN root_rank = 2 AND ?6 < 9223372036854775807 THEN ?6 ELSE min(start_ns, ?6) END,
  end_ns        = max(coalesce(end_ns, ?7), coalesce(?7, end_ns)),
  spans         = spans + ?8,
  errors        = errors + ?9,
  -- The outermost run: a root if there is one, and of several the one that ended last.
  run_outcome   = CASE WHEN ?12 IS NOT NULL AND (?18, -?12) <= (run_rank, -coalesce(run_end_ns, ?12)) THEN ?11
                       ELSE run_outcome END,
  run_end_ns    = CASE WHEN ?12 IS NOT NULL AND (?18, -?12) <= (run_rank, -coalesce(run_end_ns, ?12)) THEN ?12
                       ELSE run_end_ns END,
  run_rank      = min(run_rank, ?18),
  input_tokens  = input_tokens + ?13,
  output_tokens = output_tokens + ?14,
  cost_usd      = CASE WHEN ?15 IS NULL THEN cost_usd ELSE coalesce(cost_usd, 0) + ?15 END,
  unpriced      = unpriced + ?16,
  incomplete    = CASE WHEN ?17 IS NULL OR instr(coalesce(incomplete, ''), ?17) THEN incomplete
                       WHEN incomplete IS NULL OR length(incomplete) > 500 THEN ?17
                       ELSE incomplete || '; ' || ?17 END
WHERE id = ?1
