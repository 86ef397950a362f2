CREATE TABLE entitlements (
    id uuid NOT NULL,
    application_id uuid NOT NULL,
    key text NOT NULL,
    name text,
    type text,
    description text,
    owner text,
    is_privileged boolean,
    attributes jsonb NOT NULL,
    first_seen_at timestamptz NOT NULL,
    valid_from bigint NOT NULL,
    valid_to bigint,
    valid_from_at timestamptz NOT NULL,
    valid_to_at timestamptz,
    PRIMARY KEY (id, valid_from)
);
-- Says to the planner, too, that an id has one current version.
CREATE UNIQUE INDEX ON entitlements (id) WHERE valid_to IS NULL;
CREATE INDEX ON entitlements (application_id, key, id) WHERE valid_to IS NULL;
CREATE INDEX ON entitlements (application_id) WHERE valid_to IS NOT NULL;
COMMENT ON TABLE entitlements IS 'What applications can grant, as versions; current = valid_to is null';
COMMENT ON COLUMN entitlements.id IS 'The entitlement';
COMMENT ON COLUMN entitlements.application_id IS 'Whose it is';
COMMENT ON COLUMN entitlements.key IS 'Native key';
COMMENT ON COLUMN entitlements.name IS 'Name in the feed';
COMMENT ON COLUMN entitlements.type IS 'Type in the feed';
COMMENT ON COLUMN entitlements.description IS 'Description in the feed';
COMMENT ON COLUMN entitlements.owner IS 'Owner in the feed';
COMMENT ON COLUMN entitlements.is_privileged IS 'Does it give special power?';
COMMENT ON COLUMN entitlements.attributes IS 'Custom attributes';
COMMENT ON COLUMN entitlements.first_seen_at IS 'When a feed first named it';
COMMENT ON COLUMN entitlements.valid_from IS 'Position of the event that made this version';
COMMENT ON COLUMN entitlements.valid_to IS 'Position of the event that ended it; null = current';
COMMENT ON COLUMN entitlements.valid_from_at IS 'Time of valid_from';
COMMENT ON COLUMN entitlements.valid_to_at IS 'Time of valid_to';
