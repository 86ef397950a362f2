CREATE TABLE config_jobs (
    id uuid PRIMARY KEY,
    type text NOT NULL,
    status text NOT NULL,
    description text,
    task jsonb NOT NULL,
    backup_of uuid UNIQUE,
    reason text,
    result jsonb,
    objects bigint,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    expires_at timestamptz NOT NULL,
    modified_at timestamptz NOT NULL,
    completed_at timestamptz,
    restored_at timestamptz,
    version bigint NOT NULL
);
CREATE INDEX ON config_jobs (created_at) WHERE status IN ('NOT_STARTED', 'IN_PROGRESS');
COMMENT ON TABLE config_jobs IS 'Jobs that export and import configuration objects';
COMMENT ON COLUMN config_jobs.id IS 'The job';
COMMENT ON COLUMN config_jobs.type IS 'EXPORT or IMPORT';
COMMENT ON COLUMN config_jobs.status IS 'NOT_STARTED, IN_PROGRESS, COMPLETE, FAILED or CANCELLED';
COMMENT ON COLUMN config_jobs.description IS 'As it was asked for';
COMMENT ON COLUMN config_jobs.task IS 'What it does, with its options';
COMMENT ON COLUMN config_jobs.backup_of IS 'The import before which this export keeps everything as it was';
COMMENT ON COLUMN config_jobs.reason IS 'Why it failed';
COMMENT ON COLUMN config_jobs.result IS 'SHA-256 and size of the file that it made';
COMMENT ON COLUMN config_jobs.objects IS 'Objects exported, or imported: made, changed, or so already';
COMMENT ON COLUMN config_jobs.created_at IS 'When it was asked for';
COMMENT ON COLUMN config_jobs.created_by IS 'Name of who asked, as it was then';
COMMENT ON COLUMN config_jobs.expires_at IS 'From then on its files can''t be downloaded';
COMMENT ON COLUMN config_jobs.modified_at IS 'When it moved on last';
COMMENT ON COLUMN config_jobs.completed_at IS 'When it ended';
COMMENT ON COLUMN config_jobs.restored_at IS 'When everything that it imported was put back; null = it wasn''t';
COMMENT ON COLUMN config_jobs.version IS 'Of its stream';
