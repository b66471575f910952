-- Add a batch's sums (excluded) to the row of a trace. Columns that the batch has nothing for are at their default.
ON CONFLICT (id) DO UPDATE SET
  name          = CASE WHEN (excluded.root_rank, excluded.root_start_ns) < (root_rank, root_start_ns)
                       THEN excluded.name ELSE name END,
  service       = CASE WHEN (excluded.root_rank, excluded.root_start_ns) < (root_rank, root_start_ns)
                       THEN excluded.service ELSE service END,
  conversation  = CASE WHEN (excluded.root_rank, excluded.root_start_ns) < (root_rank, root_start_ns)
                       THEN coalesce(excluded.conversation, conversation)
                       ELSE coalesce(conversation, excluded.conversation) END,
  root_rank     = min(root_rank, excluded.root_rank),
  root_start_ns = CASE WHEN (excluded.root_rank, excluded.root_start_ns) < (root_rank, root_start_ns)
                       THEN excluded.root_start_ns ELSE root_start_ns END,
  -- Until a span has been met (rank 2) start_ns is only the time of writing.
  start_ns      = CASE WHEN excluded.root_rank = 2 THEN start_ns
                       WHEN root_rank = 2 THEN excluded.start_ns
                       ELSE min(start_ns, excluded.start_ns) END,
  end_ns        = max(coalesce(end_ns, excluded.end_ns), coalesce(excluded.end_ns, end_ns)),
  spans         = spans + excluded.spans,
  errors        = errors + excluded.errors,
  -- The outermost run: a root if there is one, and of several the one that ended last.
  run_outcome   = CASE WHEN excluded.run_end_ns IS NOT NULL AND (excluded.run_rank, -excluded.run_end_ns)
                            <= (run_rank, -coalesce(run_end_ns, excluded.run_end_ns))
                       THEN excluded.run_outcome ELSE run_outcome END,
  run_end_ns    = CASE WHEN excluded.run_end_ns IS NOT NULL AND (excluded.run_rank, -excluded.run_end_ns)
                            <= (run_rank, -coalesce(run_end_ns, excluded.run_end_ns))
                       THEN excluded.run_end_ns ELSE run_end_ns END,
  run_rank      = min(run_rank, excluded.run_rank),
  input_tokens  = input_tokens + excluded.input_tokens,
  output_tokens = output_tokens + excluded.output_tokens,
  cost_usd      = CASE WHEN excluded.cost_usd IS NULL THEN cost_usd
                       ELSE coalesce(cost_usd, 0) + excluded.cost_usd END,
  unpriced      = unpriced + excluded.unpriced,
  present       = present | excluded.present,
  incomplete    = CASE WHEN excluded.incomplete IS NULL OR instr(coalesce(incomplete, ''), excluded.incomplete)
                       THEN incomplete
                       WHEN incomplete IS NULL OR length(incomplete) > 500 THEN excluded.incomplete
                       ELSE incomplete || '; ' || excluded.incomplete END
