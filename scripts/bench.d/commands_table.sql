-- The events table of migrations/ without its neighbours: what one event costs PostgreSQL, and nothing else.
CREATE SEQUENCE event_position;
CREATE TABLE events
(
    position       bigint                       NOT NULL UNIQUE,
    aggregate_type text                         NOT NULL,
    aggregate_id   text                         NOT NULL,
    sequence       bigint CHECK (sequence >= 1) NOT NULL,
    event_type     text                         NOT NULL,
    event_version  text                         NOT NULL,
    payload        json                         NOT NULL,
    metadata       json                         NOT NULL,
    recorded_at    timestamptz                  NOT NULL,
    leaf_hash      bytea                        NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
);
