-- What a claim, a tick and a webhook touch stays the same however much of a long list is done, vacuumed or not.

-- Claims that nobody has marked: there are never many, and they are looked for at every tick.
CREATE INDEX calls_unsent_idx ON calls (lease_until)
    WHERE holds_line AND status = 'QUEUED' AND dial_started_at IS NULL AND provider_call_id IS NULL;

-- A contact is written three times in its life. While its state is named by an index, each time writes every index anew.
ALTER TABLE contacts ADD COLUMN is_unsure boolean GENERATED ALWAYS AS (CASE WHEN state = 'unsure' THEN true END) STORED;
CREATE INDEX contacts_is_unsure_idx ON contacts (campaign_id) WHERE is_unsure;
DROP INDEX contacts_unsure_idx;

-- The defaults wait until a fifth of a table has changed: a long time for a table of a million rows.
ALTER TABLE contacts SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE calls SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE webhook_inbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
