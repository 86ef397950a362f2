-- What isn't derived from events, and bytes that are evidence.
CREATE SCHEMA work;

CREATE TABLE work.idempotency (
    actor_id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    request_sha256 bytea NOT NULL,
    position bigint NOT NULL,
    location text NOT NULL,
    status smallint NOT NULL,
    body text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (actor_id, key)
);
CREATE INDEX ON work.idempotency (created_at);
COMMENT ON TABLE work.idempotency IS 'Idempotency-Key of requests that were carried out, for 24 hours';
COMMENT ON COLUMN work.idempotency.actor_id IS 'The token or client; keys of different ones don''t meet';
COMMENT ON COLUMN work.idempotency.key IS 'As the client sent it';
COMMENT ON COLUMN work.idempotency.request_sha256 IS 'Of method, path and canonical body';
COMMENT ON COLUMN work.idempotency.position IS 'Position of the request''s last event';
COMMENT ON COLUMN work.idempotency.location IS 'Path of what the request made or changed';
COMMENT ON COLUMN work.idempotency.status IS 'Status answered';
COMMENT ON COLUMN work.idempotency.body IS 'Body answered; null until the answer was rendered';
COMMENT ON COLUMN work.idempotency.created_at IS 'When it was carried out';

CREATE TABLE work.token_usage (
    token_id uuid PRIMARY KEY,
    last_used_at timestamptz NOT NULL
);
COMMENT ON TABLE work.token_usage IS 'When tokens and clients were last used, written in batches';
COMMENT ON COLUMN work.token_usage.token_id IS 'The token or client';
COMMENT ON COLUMN work.token_usage.last_used_at IS 'Accurate to some seconds';

CREATE TABLE work.signing_keys (
    id uuid PRIMARY KEY,
    secret bytea NOT NULL CHECK (length(secret) = 64),
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE work.signing_keys IS 'Keys that sign access tokens; which one is in force, the settings say';
COMMENT ON COLUMN work.signing_keys.id IS 'The key; the kid of what it signed';
COMMENT ON COLUMN work.signing_keys.secret IS 'Whoever knows it can act as any client';
COMMENT ON COLUMN work.signing_keys.created_at IS 'When it was made';

CREATE TABLE work.listeners (
    id uuid PRIMARY KEY,
    heard bigint NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE work.listeners IS 'Servers that remember tokens and settings; changes of them wait for each';
COMMENT ON COLUMN work.listeners.id IS 'The server''s process';
COMMENT ON COLUMN work.listeners.heard IS 'It has forgotten what was before this position';
COMMENT ON COLUMN work.listeners.expires_at IS 'From then on it trusts its memory no more, unless it renews';

CREATE TABLE work.leases (
    subject_id uuid PRIMARY KEY,
    worker text NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE work.leases IS 'Which worker has what, and until when unless it renews';
COMMENT ON COLUMN work.leases.subject_id IS 'The import, the certification whose rows are recorded, the run, the configuration job, or the webhook';
COMMENT ON COLUMN work.leases.worker IS 'Host, process and start of the worker';
COMMENT ON COLUMN work.leases.expires_at IS 'After this another worker may go on';

CREATE TABLE work.evidence_taken (
    application_id uuid PRIMARY KEY,
    position bigint NOT NULL
);
COMMENT ON TABLE work.evidence_taken IS 'Up to which import access requests were looked at';
COMMENT ON COLUMN work.evidence_taken.application_id IS 'The application';
COMMENT ON COLUMN work.evidence_taken.position IS 'Where in the log its last import that was looked at finished';

CREATE TABLE work.import_progress (
    application_import_id uuid PRIMARY KEY,
    phase text NOT NULL,
    rows_read bigint NOT NULL,
    rows_total bigint,
    percent smallint NOT NULL
);
COMMENT ON TABLE work.import_progress IS 'How far imports are';
COMMENT ON COLUMN work.import_progress.application_import_id IS 'The import';
COMMENT ON COLUMN work.import_progress.phase IS 'reading, planning or applying';
COMMENT ON COLUMN work.import_progress.rows_read IS 'Data rows read so far';
COMMENT ON COLUMN work.import_progress.rows_total IS 'Data rows in all files; null until known';
COMMENT ON COLUMN work.import_progress.percent IS 'Of the whole import';

CREATE TABLE work.import_issues (
    application_import_id uuid NOT NULL,
    ordinal bigint NOT NULL,
    file_group_id uuid NOT NULL,
    file text NOT NULL,
    row bigint NOT NULL,
    column_name text,
    value text,
    code text NOT NULL,
    message text NOT NULL,
    allowed text,
    is_rejected boolean NOT NULL,
    PRIMARY KEY (application_import_id, ordinal)
);
CREATE INDEX ON work.import_issues (application_import_id, file_group_id, row) WHERE is_rejected;
COMMENT ON TABLE work.import_issues IS 'What was wrong with rows; found again by reading the evidence again';
COMMENT ON COLUMN work.import_issues.application_import_id IS 'The import';
COMMENT ON COLUMN work.import_issues.ordinal IS '1, 2, 3, ...';
COMMENT ON COLUMN work.import_issues.file_group_id IS 'The file''s group';
COMMENT ON COLUMN work.import_issues.file IS 'The file''s name';
COMMENT ON COLUMN work.import_issues.row IS 'The header is row 1';
COMMENT ON COLUMN work.import_issues.column_name IS 'The column; null = the whole row';
COMMENT ON COLUMN work.import_issues.value IS 'What was found, shortened';
COMMENT ON COLUMN work.import_issues.code IS 'For programs';
COMMENT ON COLUMN work.import_issues.message IS 'For people';
COMMENT ON COLUMN work.import_issues.allowed IS 'What would have been right';
COMMENT ON COLUMN work.import_issues.is_rejected IS 'Was the row left out? Else it was only remarked on';

CREATE TABLE work.planned_events (
    application_import_id uuid NOT NULL,
    last_change bigint NOT NULL,
    changes bigint NOT NULL,
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    payload text NOT NULL,
    PRIMARY KEY (application_import_id, last_change)
);
COMMENT ON TABLE work.planned_events IS 'Events that imports would have appended: previews, and those held back by the removal limit';
COMMENT ON COLUMN work.planned_events.application_import_id IS 'The import';
COMMENT ON COLUMN work.planned_events.last_change IS 'Ordinal of the event''s last change, counted from 1 over the import';
COMMENT ON COLUMN work.planned_events.changes IS 'How many changes the event holds';
COMMENT ON COLUMN work.planned_events.aggregate_type IS 'Of the stream';
COMMENT ON COLUMN work.planned_events.aggregate_id IS 'The stream';
COMMENT ON COLUMN work.planned_events.payload IS 'As it would have been in the log';

CREATE SCHEMA evidence;
CREATE TABLE evidence.blobs (
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    part int NOT NULL,
    bytes bytea NOT NULL,
    encoding text NOT NULL,
    PRIMARY KEY (sha256, part)
);
-- Feeds repeat themselves: LZ4 leaves a third of them, in less time than the rest would take to store. Pglz would cost more than it
-- saves.
DO $$ BEGIN
    ALTER TABLE evidence.blobs ALTER COLUMN bytes SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    ALTER TABLE evidence.blobs ALTER COLUMN bytes SET STORAGE EXTERNAL;
END $$;
COMMENT ON TABLE evidence.blobs IS 'The very bytes of every file that was imported, in parts of 256 KiB';
COMMENT ON COLUMN evidence.blobs.sha256 IS 'Of the whole file';
COMMENT ON COLUMN evidence.blobs.part IS '0, 1, 2, ...';
COMMENT ON COLUMN evidence.blobs.bytes IS 'The part';
COMMENT ON COLUMN evidence.blobs.encoding IS 'How the whole file is encoded, if it is text, as its bytes tell';

CREATE TABLE work.config_secrets (
    owner_id uuid NOT NULL,
    job_id uuid NOT NULL,
    pointer text NOT NULL,
    value text NOT NULL,
    brought_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (owner_id, job_id, pointer)
);
CREATE INDEX ON work.config_secrets (job_id);
COMMENT ON TABLE work.config_secrets IS 'Passwords and tokens of configuration objects: in no event and in no file';
COMMENT ON COLUMN work.config_secrets.owner_id IS 'The object''s stream';
COMMENT ON COLUMN work.config_secrets.job_id IS 'The import that brings it; nil = it is the object''s';
COMMENT ON COLUMN work.config_secrets.pointer IS 'Where in the object (RFC 6901)';
COMMENT ON COLUMN work.config_secrets.value IS 'The secret';
COMMENT ON COLUMN work.config_secrets.brought_at IS 'When a file brought it, or its object took it';

CREATE TABLE work.webhook_cursors (
    subscription_id uuid PRIMARY KEY,
    version bigint NOT NULL,
    secrets_at timestamptz,
    position bigint NOT NULL,
    attempts bigint NOT NULL,
    failures int NOT NULL,
    attempted_at timestamptz,
    next_attempt_at timestamptz,
    reason text
);
COMMENT ON TABLE work.webhook_cursors IS 'How far each trigger subscription is';
COMMENT ON COLUMN work.webhook_cursors.subscription_id IS 'The object''s stream';
COMMENT ON COLUMN work.webhook_cursors.version IS 'Of the object at the last attempt';
COMMENT ON COLUMN work.webhook_cursors.secrets_at IS 'When the latest of its secrets came, as known at the last attempt';
COMMENT ON COLUMN work.webhook_cursors.position IS 'Up to here everything that it asks for is delivered';
COMMENT ON COLUMN work.webhook_cursors.attempts IS 'So many there were';
COMMENT ON COLUMN work.webhook_cursors.failures IS 'The last so many failed';
COMMENT ON COLUMN work.webhook_cursors.attempted_at IS 'When the last attempt was';
COMMENT ON COLUMN work.webhook_cursors.next_attempt_at IS 'Not before, unless the object or its secrets change; null = the last attempt didn''t fail';
COMMENT ON COLUMN work.webhook_cursors.reason IS 'Why the last attempt failed';

CREATE TABLE work.webhook_deliveries (
    subscription_id uuid NOT NULL,
    number bigint NOT NULL,
    position bigint NOT NULL,
    event_type text NOT NULL,
    message_id uuid NOT NULL,
    attempted_at timestamptz NOT NULL,
    outcome text NOT NULL,
    status smallint,
    reason text,
    PRIMARY KEY (subscription_id, number)
);
CREATE INDEX ON work.webhook_deliveries (attempted_at);
COMMENT ON TABLE work.webhook_deliveries IS 'Attempts to deliver events: the last thousand of each subscription, for 30 days';
COMMENT ON COLUMN work.webhook_deliveries.subscription_id IS 'The object''s stream';
COMMENT ON COLUMN work.webhook_deliveries.number IS '1, 2, 3, ... in the subscription';
COMMENT ON COLUMN work.webhook_deliveries.position IS 'The event''s place in the log';
COMMENT ON COLUMN work.webhook_deliveries.event_type IS 'What happened';
COMMENT ON COLUMN work.webhook_deliveries.message_id IS 'The webhook-id that was, or would have been, sent';
COMMENT ON COLUMN work.webhook_deliveries.attempted_at IS 'When';
COMMENT ON COLUMN work.webhook_deliveries.outcome IS 'delivered, failed or refused';
COMMENT ON COLUMN work.webhook_deliveries.status IS 'What the receiver answered; null = nothing';
COMMENT ON COLUMN work.webhook_deliveries.reason IS 'Why it wasn''t delivered';
