CREATE TABLE grants (
    application_id uuid NOT NULL,
    account_id uuid NOT NULL,
    entitlement_id uuid NOT NULL,
    attributes jsonb,
    granted_at timestamptz NOT NULL,
    granted_position bigint NOT NULL,
    granted_import_id uuid NOT NULL,
    valid_from bigint NOT NULL,
    valid_to bigint,
    valid_from_at timestamptz NOT NULL,
    valid_to_at timestamptz
);
-- Two halves of one key: a first import, which writes current grants only, pays for one.
CREATE UNIQUE INDEX ON grants (application_id, account_id, entitlement_id) WHERE valid_to IS NULL;
CREATE UNIQUE INDEX ON grants (application_id, account_id, entitlement_id, valid_from) WHERE valid_to IS NOT NULL;
COMMENT ON TABLE grants IS 'Who may do what, as versions; current = valid_to is null';
COMMENT ON COLUMN grants.application_id IS 'Where';
COMMENT ON COLUMN grants.account_id IS 'Which account';
COMMENT ON COLUMN grants.entitlement_id IS 'May do what';
COMMENT ON COLUMN grants.attributes IS 'Custom attributes of the grant; null = none';
COMMENT ON COLUMN grants.granted_at IS 'When it was first seen; a change of attributes leaves it';
COMMENT ON COLUMN grants.granted_position IS 'Position of the event that granted it';
COMMENT ON COLUMN grants.granted_import_id IS 'The import that granted it';
COMMENT ON COLUMN grants.valid_from IS 'Position of the event that made this version';
COMMENT ON COLUMN grants.valid_to IS 'Position of the event that ended it; null = current';
COMMENT ON COLUMN grants.valid_from_at IS 'Time of valid_from';
COMMENT ON COLUMN grants.valid_to_at IS 'Time of valid_to';
