-- Contents that a process had recorded when it committed last, and how many of these, the first ones, wait no more:
-- they are stored or given up. Spans do not wait for their content, but whoever reads a span that is new may.
ALTER TABLE instances ADD COLUMN contents_recorded INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN contents_done INTEGER NOT NULL DEFAULT 0;
