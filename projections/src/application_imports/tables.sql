CREATE TABLE application_imports (
    id uuid PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    application_id uuid NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    staged_at timestamptz NOT NULL,
    created_by text NOT NULL,
    actor jsonb NOT NULL,
    from_schedule boolean NOT NULL,
    is_preview boolean NOT NULL,
    build_start_at timestamptz,
    build_end_at timestamptz,
    ended_position bigint,
    worker text,
    files jsonb NOT NULL,
    planned jsonb,
    metrics jsonb,
    log text,
    version bigint NOT NULL
);
CREATE INDEX ON application_imports (application_id, number);
CREATE INDEX ON application_imports (build_start_at, number);
CREATE INDEX ON application_imports (ended_position) WHERE status = 'Finished' AND NOT is_preview;
CREATE INDEX ON application_imports (number) WHERE status IN ('Pending', 'Running', 'Canceling');
COMMENT ON TABLE application_imports IS 'Imports of applications';
COMMENT ON COLUMN application_imports.id IS 'The import';
COMMENT ON COLUMN application_imports.number IS '1, 2, 3, ... in the order of staging';
COMMENT ON COLUMN application_imports.application_id IS 'What is imported';
COMMENT ON COLUMN application_imports.type IS 'Scheduled, Manual or API';
COMMENT ON COLUMN application_imports.status IS 'Pending, Running, Canceling, Canceled, Failed or Finished';
COMMENT ON COLUMN application_imports.staged_at IS 'When it was staged';
COMMENT ON COLUMN application_imports.created_by IS 'Name of the actor that staged it';
COMMENT ON COLUMN application_imports.actor IS 'The actor that staged it';
COMMENT ON COLUMN application_imports.from_schedule IS 'Reads the schedule''s files, as opposed to uploaded ones';
COMMENT ON COLUMN application_imports.is_preview IS 'Only planned; nothing was applied';
COMMENT ON COLUMN application_imports.build_start_at IS 'When a worker first took it';
COMMENT ON COLUMN application_imports.build_end_at IS 'When it ended';
COMMENT ON COLUMN application_imports.ended_position IS 'Position of the event that ended it';
COMMENT ON COLUMN application_imports.worker IS 'The worker that has or had it';
COMMENT ON COLUMN application_imports.files IS 'The files read: id, group, name, SHA-256, size';
COMMENT ON COLUMN application_imports.planned IS 'The complete difference, once planned; the shape of metrics';
COMMENT ON COLUMN application_imports.metrics IS 'What it did; null until Finished';
COMMENT ON COLUMN application_imports.log IS 'Its end in words';
COMMENT ON COLUMN application_imports.version IS 'Version of its stream';

CREATE TABLE application_import_counts (
    application_import_id uuid NOT NULL,
    kind text NOT NULL,
    added bigint NOT NULL,
    changed bigint NOT NULL,
    removed bigint NOT NULL,
    PRIMARY KEY (application_import_id, kind)
);
COMMENT ON TABLE application_import_counts IS 'What imports have applied so far, counted from the events that name them';
COMMENT ON COLUMN application_import_counts.application_import_id IS 'The import';
COMMENT ON COLUMN application_import_counts.kind IS 'identities, accounts, entitlements or grants';
COMMENT ON COLUMN application_import_counts.added IS 'Added, or back again';
COMMENT ON COLUMN application_import_counts.changed IS 'Changed; accounts and entitlements that came back count here';
COMMENT ON COLUMN application_import_counts.removed IS 'Removed';

CREATE TABLE application_import_totals (
    application_import_id uuid PRIMARY KEY,
    changes bigint NOT NULL
);
COMMENT ON TABLE application_import_totals IS 'How many changes imports have made so far';
COMMENT ON COLUMN application_import_totals.application_import_id IS 'The import';
COMMENT ON COLUMN application_import_totals.changes IS 'Of people, accounts, entitlements, grants and links';

CREATE TABLE application_import_marks (
    application_import_id uuid NOT NULL,
    changes_before bigint NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (application_import_id, changes_before)
);
COMMENT ON TABLE application_import_marks IS 'Where in the log the first, the thousand and first, ... change of an import lies';
COMMENT ON COLUMN application_import_marks.application_import_id IS 'The import';
COMMENT ON COLUMN application_import_marks.changes_before IS 'Changes of the import before this event';
COMMENT ON COLUMN application_import_marks.position IS 'Of the event';
