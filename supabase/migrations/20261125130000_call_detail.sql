-- What a call is made of: the parts of its bill, and our own copy of its recording.

ALTER TABLE calls ADD COLUMN cost_breakdown jsonb;

-- A rare outcome is found without a look at every call of a long list.
CREATE INDEX calls_ends_idx ON calls (campaign_id, outcome, status, success_evaluation) WHERE outcome IS NOT NULL;

-- In a long history looks and decisions are few among what the provider told.
CREATE INDEX call_events_unprompted_idx ON call_events (campaign_id, id) WHERE source NOT IN ('webhook', 'dial');

-- One row for every recording that the provider told us of. It expires there; a tick copies it before that.
CREATE TABLE call_recordings (
    call_id uuid CONSTRAINT call_recordings_pkey PRIMARY KEY
        CONSTRAINT call_recordings_call_id_fkey REFERENCES calls (id) ON DELETE CASCADE,
    state text NOT NULL DEFAULT 'due'
        CONSTRAINT call_recordings_state_check CHECK (state IN ('due', 'kept', 'given_up')),
    due_at timestamptz,                      -- when it is tried (again)
    tries integer NOT NULL DEFAULT 0,
    last_error text,
    content_type text,
    size_bytes bigint CONSTRAINT call_recordings_size_bytes_check CHECK (size_bytes > 0),
    kept_at timestamptz,
    CONSTRAINT call_recordings_due_check CHECK ((state = 'due') = (due_at IS NOT NULL)),
    CONSTRAINT call_recordings_kept_check CHECK
        ((state = 'kept') = (num_nulls(content_type, size_bytes, kept_at) = 0))
);
CREATE INDEX call_recordings_due_idx ON call_recordings (due_at) WHERE state = 'due';
ALTER TABLE call_recordings ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON TABLE call_recordings FROM PUBLIC;

-- In the very statement that stores the address: no news of a recording is ever lost between two.
CREATE FUNCTION await_recording() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO call_recordings (call_id, due_at) VALUES (NEW.id, coalesce(NEW.last_status_at, NEW.claimed_at))
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER calls_await_recording AFTER UPDATE ON calls FOR EACH ROW
    WHEN (OLD.recording_url IS NULL AND NEW.recording_url IS NOT NULL AND NEW.provider_call_id IS NOT NULL)
    EXECUTE FUNCTION await_recording();

-- Calls of the last two weeks: older recordings are gone at the provider.
INSERT INTO call_recordings (call_id, due_at)
SELECT id, coalesce(ended_at, claimed_at) FROM calls
WHERE recording_url IS NOT NULL AND provider_call_id IS NOT NULL
    AND claimed_at > (SELECT max(claimed_at) FROM calls) - interval '14 days';

DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT rolname AS name FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON TABLE call_recordings FROM %I', item.name);
        EXECUTE format('REVOKE ALL ON FUNCTION await_recording() FROM %I', item.name);
    END LOOP;
    REVOKE ALL ON FUNCTION await_recording() FROM PUBLIC;
END $$;
