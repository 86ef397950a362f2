CREATE TABLE identities (
    id uuid NOT NULL,
    first_name text,
    last_name text,
    display_name text,
    email text,
    employee_id text,
    type text NOT NULL,
    title text,
    company text,
    division text,
    department text,
    office text,
    supervisor text,
    supervisor_id uuid,
    status text NOT NULL,
    created_date timestamptz,
    updated_date timestamptz,
    inactivated_date timestamptz,
    attributes jsonb NOT NULL,
    first_seen_at timestamptz NOT NULL,
    valid_from bigint NOT NULL,
    valid_to bigint,
    valid_from_at timestamptz NOT NULL,
    valid_to_at timestamptz,
    PRIMARY KEY (id, valid_from)
);
CREATE UNIQUE INDEX ON identities (id) WHERE valid_to IS NULL;
CREATE INDEX ON identities (coalesce(last_name, display_name, ''), coalesce(first_name, ''), id) WHERE valid_to IS NULL;
CREATE INDEX ON identities (department, title) WHERE valid_to IS NULL;
CREATE INDEX ON identities (lower(email)) WHERE valid_to IS NULL AND email IS NOT NULL;
COMMENT ON TABLE identities IS 'People across all applications, merged from their sources, as versions; current = valid_to is null';
COMMENT ON COLUMN identities.id IS 'The identity';
COMMENT ON COLUMN identities.first_name IS 'First name';
COMMENT ON COLUMN identities.last_name IS 'Last name';
COMMENT ON COLUMN identities.display_name IS 'Name as shown';
COMMENT ON COLUMN identities.email IS 'E-mail address';
COMMENT ON COLUMN identities.employee_id IS 'Employee number';
COMMENT ON COLUMN identities.type IS 'Employee, Service Account, Vendor, Shared, Mailbox, Client, Temporary, Administrator, Auditor or Unknown';
COMMENT ON COLUMN identities.title IS 'Job title';
COMMENT ON COLUMN identities.company IS 'Company';
COMMENT ON COLUMN identities.division IS 'Division';
COMMENT ON COLUMN identities.department IS 'Department';
COMMENT ON COLUMN identities.office IS 'Office';
COMMENT ON COLUMN identities.supervisor IS 'As the feed writes it: a key or a display name';
COMMENT ON COLUMN identities.supervisor_id IS 'The identity that supervisor means, when exactly one does';
COMMENT ON COLUMN identities.status IS 'Active, Disabled or Removed (left all its full feeds)';
COMMENT ON COLUMN identities.created_date IS 'Created in the source system';
COMMENT ON COLUMN identities.updated_date IS 'Updated in the source system';
COMMENT ON COLUMN identities.inactivated_date IS 'Inactivated in the source system';
COMMENT ON COLUMN identities.attributes IS 'Custom attributes';
COMMENT ON COLUMN identities.first_seen_at IS 'When a feed or an onboarding first named it';
COMMENT ON COLUMN identities.valid_from IS 'Position of the event that made this version';
COMMENT ON COLUMN identities.valid_to IS 'Position of the event that ended it; null = current';
COMMENT ON COLUMN identities.valid_from_at IS 'Time of valid_from';
COMMENT ON COLUMN identities.valid_to_at IS 'Time of valid_to';

CREATE TABLE identity_records (
    application_id uuid NOT NULL,
    key text NOT NULL,
    identity_id uuid NOT NULL,
    record jsonb NOT NULL,
    is_present boolean NOT NULL,
    matched_by text,
    PRIMARY KEY (application_id, key)
);
CREATE INDEX ON identity_records (identity_id);
COMMENT ON TABLE identity_records IS 'What each source says of each identity now: the links (source, key) to identity';
COMMENT ON COLUMN identity_records.application_id IS 'The source; ffffffff-... = an onboarding, 00000000-... = a role transition';
COMMENT ON COLUMN identity_records.key IS 'What the source calls it; the personnel event''s id';
COMMENT ON COLUMN identity_records.identity_id IS 'The identity';
COMMENT ON COLUMN identity_records.record IS 'What it said last';
COMMENT ON COLUMN identity_records.is_present IS 'Does it name the identity still?';
COMMENT ON COLUMN identity_records.matched_by IS 'The field by which the key was found to mean this identity; null = it made it';

CREATE TABLE identity_sources (
    application_id uuid NOT NULL PRIMARY KEY,
    rank bigint NOT NULL
);
COMMENT ON TABLE identity_sources IS 'Identity sources that the settings put first where sources disagree; the others follow by creation';
COMMENT ON COLUMN identity_sources.application_id IS 'The source';
COMMENT ON COLUMN identity_sources.rank IS '1 = decides first';
