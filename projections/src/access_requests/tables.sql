CREATE TABLE access_requests (
    id uuid PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    action text NOT NULL,
    status text NOT NULL,
    provisioning_status text NOT NULL,
    identity_id uuid NOT NULL,
    application_id uuid NOT NULL,
    personnel_event_id uuid,
    certification_id uuid,
    result_id int,
    is_suggested boolean NOT NULL,
    is_finding boolean NOT NULL,
    assignee_id uuid,
    reporter_id text NOT NULL,
    reporter_name text NOT NULL,
    needed_at timestamptz,
    created_at timestamptz NOT NULL,
    created_position bigint NOT NULL,
    verified_position bigint,
    completed_at timestamptz,
    wakes_at timestamptz,
    evidence_import_id uuid,
    state jsonb NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX ON access_requests (application_id, status);
CREATE INDEX ON access_requests (status, number);
CREATE INDEX ON access_requests (identity_id, number);
CREATE INDEX ON access_requests (personnel_event_id) WHERE personnel_event_id IS NOT NULL;
CREATE INDEX ON access_requests (application_id) WHERE certification_id IS NOT NULL AND status IN ('Completed', 'Canceled');
CREATE INDEX ON access_requests (wakes_at) WHERE wakes_at IS NOT NULL;
COMMENT ON TABLE access_requests IS 'Access to be given, changed, taken, suspended or restored: one person, one application';
COMMENT ON COLUMN access_requests.id IS 'The access request';
COMMENT ON COLUMN access_requests.number IS '1, 2, 3, ... in the order of creation';
COMMENT ON COLUMN access_requests.action IS 'Add, Change, Remove, Suspend or Restore';
COMMENT ON COLUMN access_requests.status IS 'Pending, Scheduled, Open, Resolved, Completed or Canceled';
COMMENT ON COLUMN access_requests.provisioning_status IS 'NotStarted, Provisioning, Provisioned, Failed or Verified';
COMMENT ON COLUMN access_requests.identity_id IS 'Whose access';
COMMENT ON COLUMN access_requests.application_id IS 'Where';
COMMENT ON COLUMN access_requests.personnel_event_id IS 'The personnel event that asks for it';
COMMENT ON COLUMN access_requests.certification_id IS 'The certification in which a rejection asks for it';
COMMENT ON COLUMN access_requests.result_id IS 'The row there';
COMMENT ON COLUMN access_requests.is_suggested IS 'Derived from what people with the same department and title hold';
COMMENT ON COLUMN access_requests.is_finding IS 'A later import shows it undone after it was verified';
COMMENT ON COLUMN access_requests.assignee_id IS 'Identity that looks after it';
COMMENT ON COLUMN access_requests.reporter_id IS 'Who asked: the token''s identity, else the token';
COMMENT ON COLUMN access_requests.reporter_name IS 'The token''s name at the time';
COMMENT ON COLUMN access_requests.needed_at IS 'By when';
COMMENT ON COLUMN access_requests.created_at IS 'When it was asked for';
COMMENT ON COLUMN access_requests.created_position IS 'Position of the event that made it';
COMMENT ON COLUMN access_requests.verified_position IS 'Position of the event that verified it last';
COMMENT ON COLUMN access_requests.completed_at IS 'When it ended';
COMMENT ON COLUMN access_requests.wakes_at IS 'When something happens by itself next';
COMMENT ON COLUMN access_requests.evidence_import_id IS 'The import that showed it last: done, or undone again';
COMMENT ON COLUMN access_requests.state IS 'All of it: what was asked for, responders and responses, comments';
COMMENT ON COLUMN access_requests.version IS 'Version of its stream';

CREATE TABLE access_request_privileges (
    access_request_id uuid NOT NULL,
    place int NOT NULL,
    account_id uuid,
    entitlement_id uuid,
    key text NOT NULL,
    name text,
    PRIMARY KEY (access_request_id, place)
);
COMMENT ON TABLE access_request_privileges IS 'What access requests are about';
COMMENT ON COLUMN access_request_privileges.access_request_id IS 'The access request';
COMMENT ON COLUMN access_request_privileges.place IS '0, 1, 2, ...';
COMMENT ON COLUMN access_request_privileges.account_id IS 'Of this account; null = of any account of the person';
COMMENT ON COLUMN access_request_privileges.entitlement_id IS 'The entitlement; null = the account itself';
COMMENT ON COLUMN access_request_privileges.key IS 'Native key of the entitlement, or of the account';
COMMENT ON COLUMN access_request_privileges.name IS 'Its name at the time';
