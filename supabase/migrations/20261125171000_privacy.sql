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

-- Who asked never to be called again: a keyed hash of the number, and nothing by which to read it back. The key is of
-- this database alone: it guards against a look at the table, not against whoever has the whole of the database.
CREATE TABLE suppression_key (
    id smallint CONSTRAINT suppression_key_pkey PRIMARY KEY DEFAULT 1
        CONSTRAINT suppression_key_one_row_check CHECK (id = 1),
    key bytea NOT NULL
);
INSERT INTO suppression_key (key)
    VALUES (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'));
CREATE TABLE suppressions (
    number_hash bytea CONSTRAINT suppressions_pkey PRIMARY KEY,
    created_at timestamptz NOT NULL
);
CREATE FUNCTION suppression_hash(phone text) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(k.key || sha256(k.key || convert_to(phone, 'UTF8'))) FROM suppression_key k WHERE k.id = 1
$$;

-- Whoever adds contacts, by whatever way, and whoever adds a suppression wait for each other: none slips between.
CREATE FUNCTION await_suppressions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(hashtextextended('suppressions', 0));
    RETURN NULL;
END $$;
CREATE TRIGGER contacts_await_suppressions BEFORE INSERT ON contacts
    FOR EACH STATEMENT EXECUTE FUNCTION await_suppressions();
CREATE FUNCTION leave_suppressed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM suppressions) THEN
        UPDATE contacts t SET state = 'excluded', due_at = NULL, reason = 'This person asked not to be called.'
        FROM added_rows a WHERE t.id = a.id AND a.state = 'due'
            AND EXISTS (SELECT FROM suppressions s WHERE s.number_hash = suppression_hash(a.phone));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER contacts_leave_suppressed AFTER INSERT ON contacts
    REFERENCING NEW TABLE AS added_rows FOR EACH STATEMENT EXECUTE FUNCTION leave_suppressed();

ALTER TABLE suppressions ENABLE ROW LEVEL SECURITY;
ALTER TABLE suppression_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE removals ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON TABLE removals, retention, suppressions, suppression_key FROM PUBLIC;
REVOKE ALL ON FUNCTION stay_erased(), keep_no_erased_body(), suppression_hash(text), await_suppressions(),
    leave_suppressed() FROM PUBLIC;
DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT rolname AS name FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON TABLE removals, retention, suppressions, suppression_key FROM %I', item.name);
        EXECUTE format('REVOKE ALL ON FUNCTION stay_erased(), keep_no_erased_body(), suppression_hash(text), '
            'await_suppressions(), leave_suppressed() FROM %I', item.name);
    END LOOP;
END $$;
