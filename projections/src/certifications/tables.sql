CREATE TABLE certifications (
    id uuid PRIMARY KEY,
    number bigint NOT NULL UNIQUE,
    workflow_id uuid NOT NULL,
    state text NOT NULL,
    definition jsonb NOT NULL,
    created_position bigint NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    created_by_id text NOT NULL,
    searched_at timestamptz,
    due_at timestamptz,
    ended_at timestamptz,
    ended_position bigint,
    ended_by text,
    ended_by_id text,
    completeness jsonb,
    total_count bigint NOT NULL,
    accepted_count bigint NOT NULL,
    rejected_count bigint NOT NULL,
    fixed_count bigint NOT NULL,
    signed_off_count bigint NOT NULL,
    results_updated_at timestamptz,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX ON certifications (workflow_id, number);
CREATE INDEX ON certifications (due_at) WHERE state = 'CERT_STATE_IN_PROGRESS' AND due_at IS NOT NULL;
COMMENT ON TABLE certifications IS 'Reviews of access, each made from a workflow';
COMMENT ON COLUMN certifications.id IS 'The certification';
COMMENT ON COLUMN certifications.number IS '1, 2, 3, ... in the order of creation';
COMMENT ON COLUMN certifications.workflow_id IS 'From which workflow';
COMMENT ON COLUMN certifications.state IS 'CERT_STATE_SEARCHING, _IN_PROGRESS, _COMPLETED or _EXPIRED';
COMMENT ON COLUMN certifications.definition IS 'What the workflow was when it was made, and what was said then';
COMMENT ON COLUMN certifications.created_position IS 'Position of the event that made it: access is reviewed as it was then';
COMMENT ON COLUMN certifications.created_at IS 'When it was made';
COMMENT ON COLUMN certifications.created_by IS 'Name of who made it, as it was then';
COMMENT ON COLUMN certifications.created_by_id IS 'Identity of who made it, else the token';
COMMENT ON COLUMN certifications.searched_at IS 'When all rows were recorded';
COMMENT ON COLUMN certifications.due_at IS 'When it expires';
COMMENT ON COLUMN certifications.ended_at IS 'When it was completed or has expired';
COMMENT ON COLUMN certifications.ended_position IS 'Position of that event';
COMMENT ON COLUMN certifications.ended_by IS 'Name of who ended it, as it was then';
COMMENT ON COLUMN certifications.ended_by_id IS 'Identity of who ended it, else the token';
COMMENT ON COLUMN certifications.completeness IS 'Rows in the feeds = in scope + out of scope by filter + uncorrelated';
COMMENT ON COLUMN certifications.total_count IS 'Rows recorded';
COMMENT ON COLUMN certifications.accepted_count IS 'Rows that stand accepted';
COMMENT ON COLUMN certifications.rejected_count IS 'Rows that stand rejected';
COMMENT ON COLUMN certifications.fixed_count IS 'Rows that stand fixed';
COMMENT ON COLUMN certifications.signed_off_count IS 'Rows that are signed off';
COMMENT ON COLUMN certifications.results_updated_at IS 'When a row changed last';
COMMENT ON COLUMN certifications.updated_at IS 'When it moved on last';
COMMENT ON COLUMN certifications.version IS 'Of its stream';

-- Not compressed: filters read them again and again.
CREATE TABLE certification_sources (
    certification_id uuid NOT NULL,
    number int NOT NULL,
    account_id uuid NOT NULL,
    identity_id uuid NOT NULL,
    source jsonb NOT NULL,
    folded jsonb NOT NULL,
    PRIMARY KEY (certification_id, number)
) WITH (toast_tuple_target = 8160);
COMMENT ON TABLE certification_sources IS 'Accounts with their people as certifications recorded them';
COMMENT ON COLUMN certification_sources.certification_id IS 'Of which certification';
COMMENT ON COLUMN certification_sources.number IS '0, 1, 2, ... in it';
COMMENT ON COLUMN certification_sources.account_id IS 'The account';
COMMENT ON COLUMN certification_sources.identity_id IS 'Whose it was';
COMMENT ON COLUMN certification_sources.source IS 'As it was';
COMMENT ON COLUMN certification_sources.folded IS 'The same for filters: by their names, case folded';

CREATE TABLE certification_destinations (
    certification_id uuid NOT NULL,
    number int NOT NULL,
    entitlement_id uuid NOT NULL,
    destination jsonb NOT NULL,
    folded jsonb NOT NULL,
    PRIMARY KEY (certification_id, number)
) WITH (toast_tuple_target = 8160);
COMMENT ON TABLE certification_destinations IS 'Entitlements as certifications recorded them';
COMMENT ON COLUMN certification_destinations.certification_id IS 'Of which certification';
COMMENT ON COLUMN certification_destinations.number IS '0, 1, 2, ... in it';
COMMENT ON COLUMN certification_destinations.entitlement_id IS 'The entitlement';
COMMENT ON COLUMN certification_destinations.destination IS 'As it was';
COMMENT ON COLUMN certification_destinations.folded IS 'The same for filters: by their names, case folded';

-- Room for one more version of each row on its page: a decision then touches no index.
CREATE TABLE certification_rows (
    certification_id uuid NOT NULL,
    result_id int NOT NULL,
    source_number int NOT NULL,
    destination_number int NOT NULL,
    previous_result_id int,
    is_unchanged boolean NOT NULL,
    is_signed_off boolean NOT NULL,
    granted_at timestamptz NOT NULL,
    updated_position bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    signed_off_at timestamptz,
    version bigint NOT NULL,
    run_id uuid,
    access_request_id uuid,
    decision text NOT NULL,
    notes text NOT NULL,
    notes_folded text NOT NULL,
    updated_by text,
    updated_by_id text,
    signed_off_by text,
    signed_off_by_id text,
    notification_status text NOT NULL,
    reviewers uuid[] NOT NULL,
    attributes jsonb,
    attributes_folded jsonb,
    PRIMARY KEY (certification_id, result_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE certification_rows IS 'Rows of certifications: grants, and what is decided about them';
COMMENT ON COLUMN certification_rows.certification_id IS 'Of which certification';
COMMENT ON COLUMN certification_rows.result_id IS '0, 1, 2, ... in it';
COMMENT ON COLUMN certification_rows.source_number IS 'The account, in certification_sources';
COMMENT ON COLUMN certification_rows.destination_number IS 'The entitlement, in certification_destinations';
COMMENT ON COLUMN certification_rows.previous_result_id IS 'The same row in the workflow''s certification before (definition.historyId)';
COMMENT ON COLUMN certification_rows.is_unchanged IS 'Nothing about it but times has changed since';
COMMENT ON COLUMN certification_rows.is_signed_off IS 'Nothing replaces the decision any more';
COMMENT ON COLUMN certification_rows.granted_at IS 'When the grant was first seen';
COMMENT ON COLUMN certification_rows.updated_position IS 'Position of the event that recorded or changed it last';
COMMENT ON COLUMN certification_rows.updated_at IS 'Time of that event';
COMMENT ON COLUMN certification_rows.signed_off_at IS 'When it was signed off';
COMMENT ON COLUMN certification_rows.version IS 'Of its stream; 0 = nobody has touched it';
COMMENT ON COLUMN certification_rows.run_id IS 'The run that decided last; null = no run';
COMMENT ON COLUMN certification_rows.access_request_id IS 'The access request that its rejection opened';
COMMENT ON COLUMN certification_rows.decision IS 'NONE, ACCEPTED, REJECTED or FIXED';
COMMENT ON COLUMN certification_rows.notes IS 'The last remark; empty = none';
COMMENT ON COLUMN certification_rows.notes_folded IS 'The same for filters';
COMMENT ON COLUMN certification_rows.updated_by IS 'Name of who changed it last, as it was then';
COMMENT ON COLUMN certification_rows.updated_by_id IS 'Identity of who changed it last, else the token';
COMMENT ON COLUMN certification_rows.signed_off_by IS 'Name of who signed it off, as it was then';
COMMENT ON COLUMN certification_rows.signed_off_by_id IS 'Identity of who signed it off, else the token';
COMMENT ON COLUMN certification_rows.notification_status IS 'UNKNOWN, PENDING, SUCCEED or FAILED: whether somebody was told';
COMMENT ON COLUMN certification_rows.reviewers IS 'Identities who review it';
COMMENT ON COLUMN certification_rows.attributes IS 'Custom attributes of the grant; null = none';
COMMENT ON COLUMN certification_rows.attributes_folded IS 'The same for filters';
