"""Questions asked of a causal graph or its spans, one file each. Pure, no I/O."""
