CREATE TABLE config_objects (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    object_id text NOT NULL,
    name text NOT NULL,
    document text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    job_id uuid NOT NULL,
    version bigint NOT NULL,
    UNIQUE (type, object_id)
);
CREATE INDEX ON config_objects (type, name);
COMMENT ON TABLE config_objects IS 'Configuration objects as they are now; of a SOURCE, what its application has no word for';
COMMENT ON COLUMN config_objects.id IS 'Of its stream: follows from type and object_id';
COMMENT ON COLUMN config_objects.type IS 'TRANSFORM, RULE, SOURCE, ...';
COMMENT ON COLUMN config_objects.object_id IS 'As files write it';
COMMENT ON COLUMN config_objects.name IS 'Unique in its type';
COMMENT ON COLUMN config_objects.document IS 'The entry of the file but for self: JSON in canonical form, numbers as they were written';
COMMENT ON COLUMN config_objects.created_at IS 'When it was made';
COMMENT ON COLUMN config_objects.created_by IS 'Name of who made it, as it was then';
COMMENT ON COLUMN config_objects.updated_at IS 'When it changed last';
COMMENT ON COLUMN config_objects.updated_by IS 'Name of who changed it last, as it was then';
COMMENT ON COLUMN config_objects.job_id IS 'The import that changed it last';
COMMENT ON COLUMN config_objects.version IS 'Of its stream';
