"""Generated runs of small apps, in each of which the condition of one kind of finding holds, or nearly does."""
