CREATE TABLE automations (
    id uuid PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    name text NOT NULL,
    description text NOT NULL,
    priority bigint NOT NULL,
    attach_to_new_workflows boolean NOT NULL,
    opt_in boolean NOT NULL,
    filter text NOT NULL,
    mutable_filter text NOT NULL,
    decision text NOT NULL,
    signed_off_state text NOT NULL,
    notes text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    version bigint NOT NULL
);
COMMENT ON TABLE automations IS 'What is decided about rows of certifications by itself';
COMMENT ON COLUMN automations.id IS 'The automation';
COMMENT ON COLUMN automations.number IS '1, 2, 3, ... in the order of creation';
COMMENT ON COLUMN automations.name IS 'What people call it';
COMMENT ON COLUMN automations.description IS 'What it is for';
COMMENT ON COLUMN automations.priority IS 'Without effect';
COMMENT ON COLUMN automations.attach_to_new_workflows IS 'Attached to every workflow there is and will be';
COMMENT ON COLUMN automations.opt_in IS 'What its attachments say unless they are told otherwise';
COMMENT ON COLUMN automations.filter IS 'Which rows; empty = all';
COMMENT ON COLUMN automations.mutable_filter IS 'Which rows by what was decided last time; empty = all';
COMMENT ON COLUMN automations.decision IS 'UNKNOWN (leaves it alone), NONE, ACCEPTED, REJECTED or FIXED';
COMMENT ON COLUMN automations.signed_off_state IS 'UNKNOWN (leaves it alone), NOT_SIGNED_OFF or SIGNED_OFF';
COMMENT ON COLUMN automations.notes IS 'What a row''s notes become; empty = leaves them alone';
COMMENT ON COLUMN automations.created_at IS 'When it was made';
COMMENT ON COLUMN automations.created_by IS 'Name of the actor that made it';
COMMENT ON COLUMN automations.updated_at IS 'When it, or one of its attachments, was changed last';
COMMENT ON COLUMN automations.deleted_at IS 'When it was deleted; null = not';
COMMENT ON COLUMN automations.version IS 'Version of its stream';

CREATE TABLE automation_attachments (
    automation_id uuid NOT NULL,
    workflow_id uuid NOT NULL,
    opt_in boolean NOT NULL,
    attached_at timestamptz NOT NULL,
    PRIMARY KEY (automation_id, workflow_id)
);
CREATE INDEX ON automation_attachments (workflow_id);
COMMENT ON TABLE automation_attachments IS 'Which automations certifications of which workflows run';
COMMENT ON COLUMN automation_attachments.automation_id IS 'The automation';
COMMENT ON COLUMN automation_attachments.workflow_id IS 'The workflow';
COMMENT ON COLUMN automation_attachments.opt_in IS 'Run only when named; false = always';
COMMENT ON COLUMN automation_attachments.attached_at IS 'When that was said last';
