CREATE TABLE access_workflows (
    id uuid PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    name text NOT NULL,
    description text NOT NULL,
    notes text NOT NULL,
    application_ids uuid[] NOT NULL,
    filter text NOT NULL,
    reviewers uuid[] NOT NULL,
    owner_id uuid,
    automation_ids uuid[] NOT NULL,
    fallback_reviewers uuid[] NOT NULL,
    is_self_review_allowed boolean NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    created_by_id text NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    version bigint NOT NULL
);
COMMENT ON TABLE access_workflows IS 'Which access is reviewed, and by whom; certifications are made from them';
COMMENT ON COLUMN access_workflows.id IS 'The workflow';
COMMENT ON COLUMN access_workflows.number IS '1, 2, 3, ... in the order of creation';
COMMENT ON COLUMN access_workflows.name IS 'What people call it';
COMMENT ON COLUMN access_workflows.description IS 'What it is for';
COMMENT ON COLUMN access_workflows.notes IS 'What reviewers should know';
COMMENT ON COLUMN access_workflows.application_ids IS 'Applications whose access is reviewed; empty = all';
COMMENT ON COLUMN access_workflows.filter IS 'Which rows are reviewed; empty = all';
COMMENT ON COLUMN access_workflows.reviewers IS 'Identities who review';
COMMENT ON COLUMN access_workflows.owner_id IS 'Identity that looks after it';
COMMENT ON COLUMN access_workflows.automation_ids IS 'Attached automations that its certifications run though they need to be named';
COMMENT ON COLUMN access_workflows.fallback_reviewers IS 'Identities who review rows that would have nobody else but their own person';
COMMENT ON COLUMN access_workflows.is_self_review_allowed IS 'People may decide about their own access';
COMMENT ON COLUMN access_workflows.created_at IS 'When it was made';
COMMENT ON COLUMN access_workflows.created_by IS 'Name of the actor that made it';
COMMENT ON COLUMN access_workflows.created_by_id IS 'The actor''s identity, else the token';
COMMENT ON COLUMN access_workflows.updated_at IS 'When it was changed last';
COMMENT ON COLUMN access_workflows.deleted_at IS 'When it was deleted; null = not';
COMMENT ON COLUMN access_workflows.version IS 'Version of its stream';
