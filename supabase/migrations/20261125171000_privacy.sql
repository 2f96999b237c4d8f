-- A person's data can be erased: what stands there instead is nobody's, and later news never brings it back.
-- Old things go in small bites. An older release that still runs beside this one knows of none of it and breaks nothing.

-- The tombstone: a contact whose number no telephone can have (there is no country 999), so that counts, costs and
-- durations stay true. Nobody calls it.
ALTER TABLE contacts ADD COLUMN erased_at timestamptz;
ALTER TABLE contacts ADD CONSTRAINT contacts_erased_check
    CHECK (erased_at IS NULL OR (state <> 'due' AND phone ~ '^\+999')) NOT VALID;
ALTER TABLE calls ADD COLUMN erased_at timestamptz;
CREATE INDEX calls_erased_idx ON calls (id) WHERE erased_at IS NOT NULL;
CREATE INDEX calls_erased_provider_call_id_idx ON calls (provider_call_id) WHERE erased_at IS NOT NULL;

-- Where anonymising has come in a campaign that is over, and when it was through.
ALTER TABLE campaigns ADD COLUMN anonymised_to integer NOT NULL DEFAULT 0, ADD COLUMN anonymised_at timestamptz;

CREATE FUNCTION stay_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.transcript_json := NULL;
    NEW.transcript_rank := '';
    NEW.summary := NULL;
    NEW.success_raw := NULL;
    NEW.recording_url := NULL;
    NEW.control_url := NULL;
    NEW.reason := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER calls_stay_erased BEFORE UPDATE ON calls FOR EACH ROW
    WHEN (NEW.erased_at IS NOT NULL) EXECUTE FUNCTION stay_erased();

-- A body about an erased call is kept as nothing but the fact that it came.
CREATE FUNCTION keep_no_erased_body() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM calls WHERE id = NEW.our_call_id AND erased_at IS NOT NULL)
        OR EXISTS (SELECT FROM calls WHERE provider_call_id = NEW.provider_call_id AND erased_at IS NOT NULL)
        OR EXISTS (SELECT FROM call_aliases a JOIN calls k ON k.id = a.call_id
            WHERE a.provider_call_id = NEW.provider_call_id AND k.erased_at IS NOT NULL)
    THEN
        NEW.body := '{"erased": true}';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER webhook_inbox_keep_no_erased_body BEFORE INSERT ON webhook_inbox
    FOR EACH ROW EXECUTE FUNCTION keep_no_erased_body();

-- What is to be deleted outside of the database: in our archive of recordings, and at the provider.
CREATE TABLE removals (
    place text NOT NULL CONSTRAINT removals_place_check CHECK (place IN ('archive', 'provider')),
    name text NOT NULL,                      -- our id of the call; the provider's
    due_at timestamptz,                      -- when it is tried (again); null: given up
    tries integer NOT NULL DEFAULT 0,
    last_error text,
    created_at timestamptz NOT NULL,
    CONSTRAINT removals_pkey PRIMARY KEY (place, name)
);
CREATE INDEX removals_due_idx ON removals (due_at) WHERE due_at IS NOT NULL;

-- When somebody looks again whether anything is old enough: one row.
CREATE TABLE retention (
    id smallint CONSTRAINT retention_pkey PRIMARY KEY DEFAULT 1 CONSTRAINT retention_one_row_check CHECK (id = 1),
    due_at timestamptz NOT NULL
);
INSERT INTO retention (due_at) VALUES ('epoch');

ALTER TABLE removals ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON TABLE removals, retention FROM PUBLIC;
REVOKE ALL ON FUNCTION stay_erased(), keep_no_erased_body() FROM PUBLIC;
DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT rolname AS name FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON TABLE removals, retention FROM %I', item.name);
        EXECUTE format('REVOKE ALL ON FUNCTION stay_erased(), keep_no_erased_body() FROM %I', item.name);
    END LOOP;
END $$;
