CREATE TABLE personnel_events (
    id uuid PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    type text NOT NULL,
    status text NOT NULL,
    identity_id uuid,
    assignee_id uuid,
    reporter_id text NOT NULL,
    reporter_name text NOT NULL,
    effective_at timestamptz NOT NULL,
    end_at timestamptz,
    created_at timestamptz NOT NULL,
    completed_at timestamptz,
    wakes_at timestamptz,
    settles boolean NOT NULL,
    state jsonb NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX ON personnel_events (effective_at, number);
CREATE INDEX ON personnel_events (identity_id);
CREATE INDEX ON personnel_events (wakes_at) WHERE wakes_at IS NOT NULL;
CREATE INDEX ON personnel_events (status);
CREATE INDEX ON personnel_events (number) WHERE settles;
COMMENT ON TABLE personnel_events IS 'Joiners, movers, leavers and leaves of absence';
COMMENT ON COLUMN personnel_events.id IS 'The personnel event';
COMMENT ON COLUMN personnel_events.number IS '1, 2, 3, ... in the order of creation';
COMMENT ON COLUMN personnel_events.type IS 'Onboard, Offboard, Role Transition or Absence';
COMMENT ON COLUMN personnel_events.status IS 'Pending, Scheduled, Open, Snoozed, Resolved, Completed or Canceled';
COMMENT ON COLUMN personnel_events.identity_id IS 'Whom it concerns; null = a joiner who isn''t approved yet';
COMMENT ON COLUMN personnel_events.assignee_id IS 'Identity that looks after it';
COMMENT ON COLUMN personnel_events.reporter_id IS 'Who asked: the token''s identity, else the token';
COMMENT ON COLUMN personnel_events.reporter_name IS 'The token''s name at the time';
COMMENT ON COLUMN personnel_events.effective_at IS 'When it takes effect';
COMMENT ON COLUMN personnel_events.end_at IS 'When it ends';
COMMENT ON COLUMN personnel_events.created_at IS 'When it was asked for';
COMMENT ON COLUMN personnel_events.completed_at IS 'When it ended';
COMMENT ON COLUMN personnel_events.wakes_at IS 'When something happens by itself next';
COMMENT ON COLUMN personnel_events.settles IS 'Its access requests, or that there are none, end the stage that is open';
COMMENT ON COLUMN personnel_events.state IS 'All of it: what was asked for, stages with their responders and responses, comments';
COMMENT ON COLUMN personnel_events.version IS 'Version of its stream';
