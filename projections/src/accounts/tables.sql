CREATE TABLE accounts (
    id uuid NOT NULL,
    application_id uuid NOT NULL,
    key text NOT NULL,
    name text,
    identity text,
    email text,
    employee_id text,
    is_active boolean,
    last_login_at timestamptz,
    type text,
    attributes jsonb NOT NULL,
    identity_id uuid,
    correlation jsonb,
    first_seen_at timestamptz NOT NULL,
    valid_from bigint NOT NULL,
    valid_to bigint,
    valid_from_at timestamptz NOT NULL,
    valid_to_at timestamptz
);
-- Two halves of one key: a first import, which writes current accounts only, pays for one. The first says to the planner, too, that
-- an id has one current version.
CREATE UNIQUE INDEX ON accounts (id) WHERE valid_to IS NULL;
CREATE UNIQUE INDEX ON accounts (id, valid_from) WHERE valid_to IS NOT NULL;
-- Again two halves: those without an identity are asked for alone, and both together are merged.
CREATE INDEX ON accounts (application_id, key, id) WHERE valid_to IS NULL AND identity_id IS NULL;
CREATE INDEX ON accounts (application_id, key, id) WHERE valid_to IS NULL AND identity_id IS NOT NULL;
CREATE INDEX ON accounts (identity_id) WHERE valid_to IS NULL AND identity_id IS NOT NULL;
CREATE INDEX ON accounts (application_id) WHERE valid_to IS NOT NULL;
COMMENT ON TABLE accounts IS 'Log-ins of applications, as versions; current = valid_to is null';
COMMENT ON COLUMN accounts.id IS 'The account';
COMMENT ON COLUMN accounts.application_id IS 'Whose log-in it is';
COMMENT ON COLUMN accounts.key IS 'Native key';
COMMENT ON COLUMN accounts.name IS 'Name in the feed';
COMMENT ON COLUMN accounts.identity IS 'What the feed calls the person';
COMMENT ON COLUMN accounts.email IS 'E-mail address in the feed';
COMMENT ON COLUMN accounts.employee_id IS 'Employee number in the feed';
COMMENT ON COLUMN accounts.is_active IS 'Can it be used? null = the feed doesn''t say';
COMMENT ON COLUMN accounts.last_login_at IS 'Last log-in, as the feed says';
COMMENT ON COLUMN accounts.type IS 'Type in the feed';
COMMENT ON COLUMN accounts.attributes IS 'Custom attributes';
COMMENT ON COLUMN accounts.identity_id IS 'The identity it belongs to; null = uncorrelated';
COMMENT ON COLUMN accounts.correlation IS 'Why: kind is rule (accountField = identityField), namedRule (rule is its name) or manual (by whom, at what time, with what comment)';
COMMENT ON COLUMN accounts.first_seen_at IS 'When a feed first named it';
COMMENT ON COLUMN accounts.valid_from IS 'Position of the event that made this version';
COMMENT ON COLUMN accounts.valid_to IS 'Position of the event that ended it; null = current';
COMMENT ON COLUMN accounts.valid_from_at IS 'Time of valid_from';
COMMENT ON COLUMN accounts.valid_to_at IS 'Time of valid_to';
