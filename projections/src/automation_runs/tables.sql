CREATE TABLE automation_runs (
    id uuid PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    certification_id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    message text,
    plan jsonb NOT NULL,
    started_at timestamptz NOT NULL,
    started_position bigint NOT NULL,
    started_by text NOT NULL,
    actor jsonb NOT NULL,
    ended_at timestamptz,
    undone_at timestamptz,
    reversed bigint,
    kept bigint,
    version bigint NOT NULL
);
CREATE INDEX ON automation_runs (certification_id, number);
CREATE INDEX ON automation_runs (number) WHERE status IN ('RUNNING', 'UNDOING');
COMMENT ON TABLE automation_runs IS 'Decisions about many rows at once: by automations, or by somebody''s filter';
COMMENT ON COLUMN automation_runs.id IS 'The run';
COMMENT ON COLUMN automation_runs.number IS '1, 2, 3, ... in the order in which they began';
COMMENT ON COLUMN automation_runs.certification_id IS 'In which certification';
COMMENT ON COLUMN automation_runs.kind IS 'automations or decision';
COMMENT ON COLUMN automation_runs.status IS 'RUNNING, COMPLETED, ERROR, UNDOING or UNDONE';
COMMENT ON COLUMN automation_runs.message IS 'Why it stopped; null = it didn''t';
COMMENT ON COLUMN automation_runs.plan IS 'What it does';
COMMENT ON COLUMN automation_runs.started_at IS 'When it began';
COMMENT ON COLUMN automation_runs.started_position IS 'Position of that event: rows that anybody touches later are theirs';
COMMENT ON COLUMN automation_runs.started_by IS 'Name of who began it, as it was then';
COMMENT ON COLUMN automation_runs.actor IS 'Who began it';
COMMENT ON COLUMN automation_runs.ended_at IS 'When it was done or stopped';
COMMENT ON COLUMN automation_runs.undone_at IS 'When it was reversed';
COMMENT ON COLUMN automation_runs.reversed IS 'Rows that then stood as before it';
COMMENT ON COLUMN automation_runs.kept IS 'Rows that stayed, since somebody had touched them';
COMMENT ON COLUMN automation_runs.version IS 'Of its stream';

CREATE TABLE automation_run_rows (
    run_id uuid NOT NULL,
    block int NOT NULL,
    counts jsonb NOT NULL,
    log jsonb NOT NULL,
    is_undone boolean NOT NULL,
    reversed bigint NOT NULL,
    kept bigint NOT NULL,
    PRIMARY KEY (run_id, block)
);
COMMENT ON TABLE automation_run_rows IS 'How far runs went, 500 rows at a time';
COMMENT ON COLUMN automation_run_rows.run_id IS 'Of which run';
COMMENT ON COLUMN automation_run_rows.block IS 'Rows from 500 times this on';
COMMENT ON COLUMN automation_run_rows.counts IS 'What each automation of the run did to them';
COMMENT ON COLUMN automation_run_rows.log IS 'Rows that it meant, and what became of each';
COMMENT ON COLUMN automation_run_rows.is_undone IS 'Its decisions about them are reversed';
COMMENT ON COLUMN automation_run_rows.reversed IS 'Rows that then stood as before it';
COMMENT ON COLUMN automation_run_rows.kept IS 'Rows that stayed, since somebody had touched them';
