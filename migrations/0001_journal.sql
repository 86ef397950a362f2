-- The log and what the writer needs beside it. Tables that follow from the log are made by the projections, not here.
CREATE SCHEMA journal;

CREATE TABLE journal.events (
    -- names and types of postgres-es, so that its event store reads this table unchanged
    aggregate_type text COLLATE "C" NOT NULL,
    aggregate_id text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL CHECK (sequence >= 1),
    event_type text NOT NULL,
    event_version text NOT NULL,
    payload json NOT NULL,
    metadata json NOT NULL,
    -- ours
    position bigint NOT NULL CHECK (position >= 1),
    recorded_at timestamptz NOT NULL,
    actor_id text COLLATE "C" NOT NULL,
    leaf_hash bytea NOT NULL CHECK (length(leaf_hash) = 32),
    PRIMARY KEY (aggregate_type, aggregate_id, sequence),
    UNIQUE (position)
);
CREATE INDEX ON journal.events (actor_id, position);
COMMENT ON TABLE journal.events IS 'Every change, in order; never updated, never deleted';
COMMENT ON COLUMN journal.events.aggregate_type IS 'Type of the stream';
COMMENT ON COLUMN journal.events.aggregate_id IS 'Id of the stream';
COMMENT ON COLUMN journal.events.sequence IS 'Place in the stream: 1, 2, 3, ...';
COMMENT ON COLUMN journal.events.event_type IS 'What happened, past tense';
COMMENT ON COLUMN journal.events.event_version IS 'Version of the payload''s shape';
COMMENT ON COLUMN journal.events.payload IS 'What happened in detail, externally tagged; the very bytes are hashed';
COMMENT ON COLUMN journal.events.metadata IS 'Actor, correlation, causation, source address; the very bytes are hashed';
COMMENT ON COLUMN journal.events.position IS 'Place in the log: 1, 2, 3, ... without a gap, in commit order';
COMMENT ON COLUMN journal.events.recorded_at IS 'When the writer took it; never before an earlier position''s';
COMMENT ON COLUMN journal.events.actor_id IS 'The actor''s id, for search; the metadata says it too';
COMMENT ON COLUMN journal.events.leaf_hash IS 'SHA-256 of the canonical leaf (docs/EVENTS.md)';

CREATE FUNCTION journal.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'journal.events is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal.events
    FOR EACH STATEMENT EXECUTE FUNCTION journal.refuse_change();

-- Whoever appends locks this empty table first. A counter row would bloat under a long snapshot, and advisory locks can be
-- taken by anyone.
CREATE TABLE journal.append_lock ();
COMMENT ON TABLE journal.append_lock IS 'Empty; locked in EXCLUSIVE MODE by whoever appends';

CREATE TABLE journal.claims (
    claim text COLLATE "C" PRIMARY KEY,
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL
);
COMMENT ON TABLE journal.claims IS 'Texts of which one stream may hold each: names, the right to run';
COMMENT ON COLUMN journal.claims.claim IS 'Kind and value';
COMMENT ON COLUMN journal.claims.aggregate_type IS 'Type of the stream that holds it';
COMMENT ON COLUMN journal.claims.aggregate_id IS 'Id of the stream that holds it';

CREATE TABLE journal.schema_version (
    migration bigint NOT NULL,
    projections text NOT NULL
);
COMMENT ON TABLE journal.schema_version IS 'One row; a writer that expects another stops';
COMMENT ON COLUMN journal.schema_version.migration IS 'The last migration applied';
COMMENT ON COLUMN journal.schema_version.projections IS 'Names and versions of the projections whose tables are live';
