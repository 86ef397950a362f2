-- One creation of an application, by pgbench. Ids ascend as version 7 does, which is the cheap case for the index.
INSERT INTO events
SELECT p, 'application', '019342d5-7c1a-7000-8000-' || lpad(to_hex(p), 12, '0'), 1, 'ApplicationCreated', '1', :payload, :metadata, now(), :leaf_hash
  FROM nextval('event_position') AS p;
