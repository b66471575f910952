-- What each recording process looked like at its last heartbeat; NULL where it was recorded by an older version.
ALTER TABLE instances ADD COLUMN rss_bytes INTEGER;
ALTER TABLE instances ADD COLUMN cpu REAL;            -- processors that it kept busy since the heartbeat before
ALTER TABLE instances ADD COLUMN queue_spans INTEGER; -- ended spans that wait to be written
ALTER TABLE instances ADD COLUMN queue_limit INTEGER;
ALTER TABLE instances ADD COLUMN loop_lag_ns INTEGER; -- the longest that an event loop was blocked since then
