CREATE TABLE applications (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    priority text NOT NULL,
    description text,
    is_identity_source boolean NOT NULL,
    removal_limit int NOT NULL,
    is_archived boolean NOT NULL,
    connector jsonb NOT NULL,
    correlation jsonb NOT NULL,
    responders jsonb NOT NULL,
    import_schedule jsonb,
    import_schedule_set_at timestamptz,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    last_updated_at timestamptz NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX ON applications (name, id);
COMMENT ON TABLE applications IS 'What is governed';
COMMENT ON COLUMN applications.id IS 'The application';
COMMENT ON COLUMN applications.name IS 'Unique, whatever the case';
COMMENT ON COLUMN applications.priority IS 'None, Low, Moderate, High or Critical';
COMMENT ON COLUMN applications.description IS 'For people';
COMMENT ON COLUMN applications.is_identity_source IS 'Its people are identities';
COMMENT ON COLUMN applications.removal_limit IS 'Percent of people or grants that one import may remove';
COMMENT ON COLUMN applications.is_archived IS 'Takes no more imports';
COMMENT ON COLUMN applications.connector IS 'Type and file groups, as the API shows them';
COMMENT ON COLUMN applications.correlation IS 'How the identities are found to whom accounts belong, in order: by fields, or by the rule of a name';
COMMENT ON COLUMN applications.responders IS 'Identities who answer requests for its access; empty = the default responders';
COMMENT ON COLUMN applications.import_schedule IS 'Cron, timezone and paths; null = none';
COMMENT ON COLUMN applications.import_schedule_set_at IS 'When the schedule was last set: earlier ticks don''t count';
COMMENT ON COLUMN applications.created_at IS 'When it was made';
COMMENT ON COLUMN applications.created_by IS 'Name of the actor that made it';
COMMENT ON COLUMN applications.last_updated_at IS 'When its definition, schedule or state last changed';
COMMENT ON COLUMN applications.version IS 'Version of its stream; the API''s ETag';
