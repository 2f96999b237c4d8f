-- AutoLynx: the first schema. Every invariant that a row can state is stated here.
-- Row-level security is enabled on every table and nothing is granted to the public roles: see the end.

CREATE TYPE call_status AS ENUM ('QUEUED', 'RINGING', 'IN_PROGRESS', 'ENDED', 'FAILED', 'CANCELED', 'TIMEOUT');
CREATE TYPE campaign_mode AS ENUM ('continuous', 'batch');
CREATE TYPE campaign_status AS ENUM
    ('CREATED', 'QUEUED', 'DIALING', 'RUNNING', 'COMPLETED', 'PAUSED', 'CANCELED', 'FAILED');
CREATE TYPE assistant_source AS ENUM ('local', 'imported', 'template');

-- People -------------------------------------------------------------------------------------------------------

CREATE TABLE user_profiles (
    id uuid CONSTRAINT user_profiles_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    email text NOT NULL,
    role text NOT NULL DEFAULT 'operator' CONSTRAINT user_profiles_role_check CHECK (role IN ('admin', 'operator')),
    allowlisted boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    last_seen_at timestamptz
);
CREATE UNIQUE INDEX user_profiles_email_key ON user_profiles (lower(email));

-- A token is shown once; only its hash is kept. A `ticket` opens one browser session and is spent by it.
CREATE TABLE api_tokens (
    id uuid CONSTRAINT api_tokens_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CONSTRAINT api_tokens_name_check CHECK (length(name) BETWEEN 1 AND 100),
    kind text NOT NULL CONSTRAINT api_tokens_kind_check CHECK (kind IN ('api', 'ticket', 'session')),
    token_hash bytea NOT NULL CONSTRAINT api_tokens_token_hash_key UNIQUE,
    csrf_hash bytea,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz
);

CREATE TABLE system_config (
    key text CONSTRAINT system_config_pkey PRIMARY KEY,
    value jsonb NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_log_pkey PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_at_idx ON audit_log (at);

CREATE TABLE idempotency_keys (
    actor text NOT NULL,
    key text NOT NULL CONSTRAINT idempotency_keys_key_check CHECK (length(key) BETWEEN 1 AND 255),
    request_hash bytea NOT NULL,
    status smallint,
    body jsonb,
    created_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (actor, key)
);

-- Assistants ---------------------------------------------------------------------------------------------------

CREATE TABLE assistants (
    id uuid CONSTRAINT assistants_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CONSTRAINT assistants_name_check CHECK (length(name) BETWEEN 1 AND 40),
    source assistant_source NOT NULL,
    provider text NOT NULL DEFAULT 'vapi',
    provider_assistant_id text CONSTRAINT assistants_provider_assistant_id_key UNIQUE,
    config_json jsonb NOT NULL,
    active boolean NOT NULL DEFAULT true,
    ephemeral boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CONSTRAINT assistants_template_check CHECK ((source = 'template') = (provider_assistant_id IS NULL))
);
CREATE UNIQUE INDEX assistants_name_key ON assistants (lower(name)) WHERE deleted_at IS NULL;

-- The gate: one row for the account. Whoever places a call locks it first. --------------------------------------

CREATE TABLE gate (
    id smallint CONSTRAINT gate_pkey PRIMARY KEY DEFAULT 1 CONSTRAINT gate_one_row_check CHECK (id = 1),
    held_at timestamptz,                     -- the red button
    hold_reason text,
    trouble text,                            -- the provider refuses the whole account: key, credit, freeze
    trouble_at timestamptz,
    not_before timestamptz,                  -- the account rests until then
    rest_reason text,
    lowered_cap integer CONSTRAINT gate_lowered_cap_check CHECK (lowered_cap >= 1),
    lowered_at timestamptz,
    failures integer NOT NULL DEFAULT 0 CONSTRAINT gate_failures_check CHECK (failures >= 0),
    echo_seen_at timestamptz,                -- the account was seen to echo our ids in a list
    swept_until timestamptz,                 -- the reconcile sweep has covered everything up to then
    last_tick_at timestamptz,
    next_tick_at timestamptz
);
INSERT INTO gate (id) VALUES (1);

CREATE TABLE phone_numbers (
    id text CONSTRAINT phone_numbers_pkey PRIMARY KEY,   -- the provider's id
    label text,
    provider text NOT NULL,
    daily_limit integer,
    day date,
    launched_today integer NOT NULL DEFAULT 0,
    next_launch_at timestamptz,
    hold_reason text,
    held_until timestamptz,                  -- null with a reason: until a person releases it
    seen_at timestamptz NOT NULL
);

-- Campaigns ----------------------------------------------------------------------------------------------------

CREATE TABLE campaigns (
    id uuid CONSTRAINT campaigns_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL CONSTRAINT campaigns_name_check CHECK (length(name) BETWEEN 1 AND 100),
    status campaign_status NOT NULL DEFAULT 'CREATED',
    status_reason text,
    mode campaign_mode NOT NULL,
    cap smallint NOT NULL CONSTRAINT campaigns_cap_check CHECK (cap BETWEEN 1 AND 50),
    batch_size smallint CONSTRAINT campaigns_batch_size_check CHECK (batch_size BETWEEN 1 AND 50),
    open_batch integer NOT NULL DEFAULT 0,
    assistant_id uuid NOT NULL CONSTRAINT campaigns_assistant_id_fkey REFERENCES assistants (id),
    phone_number_id text NOT NULL,
    options_json jsonb NOT NULL DEFAULT '{}',
    assistant_snapshot jsonb,                -- the configuration it started with
    owner_id uuid CONSTRAINT campaigns_owner_id_fkey REFERENCES user_profiles (id),
    next_position integer NOT NULL DEFAULT 0,
    total_contacts integer NOT NULL DEFAULT 0,
    stats_json jsonb NOT NULL DEFAULT '{}',  -- the import report
    quiet_at timestamptz,                    -- the line was last seen quiet (line-quiet gating)
    last_served_at timestamptz,
    created_at timestamptz NOT NULL,
    queued_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    deleted_at timestamptz,
    CONSTRAINT campaigns_batch_size_mode_check CHECK
        (mode = 'continuous' OR status IN ('CREATED', 'CANCELED') OR batch_size IS NOT NULL)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX campaigns_name_key ON campaigns (lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX campaigns_created_at_idx ON campaigns (created_at);
CREATE INDEX campaigns_running_idx ON campaigns (id) WHERE status IN ('QUEUED', 'DIALING', 'RUNNING') AND deleted_at IS NULL;
CREATE INDEX campaigns_assistant_id_idx ON campaigns (assistant_id);
CREATE INDEX campaigns_owner_id_idx ON campaigns (owner_id);

CREATE TABLE contacts (
    id uuid CONSTRAINT contacts_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    campaign_id uuid NOT NULL CONSTRAINT contacts_campaign_id_fkey REFERENCES campaigns (id),
    name text NOT NULL CONSTRAINT contacts_name_check CHECK (length(name) BETWEEN 1 AND 100),
    business_name text NOT NULL CONSTRAINT contacts_business_name_check CHECK (length(business_name) BETWEEN 1 AND 200),
    phone text NOT NULL CONSTRAINT contacts_phone_check CHECK (phone ~ '^\+[1-9][0-9]{1,14}$'),
    phone_raw text NOT NULL,
    extension text CONSTRAINT contacts_extension_check CHECK (length(extension) <= 10),
    variables jsonb NOT NULL DEFAULT '{}',
    position integer NOT NULL CONSTRAINT contacts_position_check CHECK (position >= 0),
    batch_index integer,
    state text NOT NULL DEFAULT 'due'
        CONSTRAINT contacts_state_check CHECK (state IN ('due', 'calling', 'done', 'unsure', 'excluded')),
    reason text,                             -- why excluded or unsure
    extra_attempts smallint NOT NULL DEFAULT 0,  -- granted by a person's decision to dial again
    due_at timestamptz,                      -- set: due again, from then on; null: its first turn comes by position
    CONSTRAINT contacts_due_at_check CHECK (due_at IS NULL OR state = 'due'),
    CONSTRAINT contacts_campaign_id_phone_key UNIQUE (campaign_id, phone),
    CONSTRAINT contacts_campaign_id_position_key UNIQUE (campaign_id, position)
) WITH (fillfactor = 80);
CREATE INDEX contacts_due_again_idx ON contacts (campaign_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX contacts_unsure_idx ON contacts (campaign_id) WHERE state = 'unsure';
CREATE INDEX contacts_phone_idx ON contacts (phone);

-- Calls --------------------------------------------------------------------------------------------------------

CREATE TABLE calls (
    id uuid CONSTRAINT calls_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    campaign_id uuid NOT NULL CONSTRAINT calls_campaign_id_fkey REFERENCES campaigns (id),
    contact_id uuid NOT NULL CONSTRAINT calls_contact_id_fkey REFERENCES contacts (id),
    attempt integer NOT NULL CONSTRAINT calls_attempt_check CHECK (attempt >= 1),
    counts_as_attempt boolean NOT NULL DEFAULT true,
    provider_call_id text CONSTRAINT calls_provider_call_id_key UNIQUE,
    status call_status NOT NULL DEFAULT 'QUEUED',
    outcome text CONSTRAINT calls_outcome_check CHECK (outcome IN ('answered', 'voicemail', 'no_answer', 'busy',
        'silence', 'bad_number', 'refused', 'provider_error', 'config_error', 'canceled', 'not_dialled', 'unsure',
        'unknown')),
    holds_line boolean NOT NULL DEFAULT true,    -- counts against every cap: from the claim until it is surely over
    is_final boolean NOT NULL DEFAULT false,     -- the provider itself said that it is over
    is_blocked boolean NOT NULL DEFAULT false,   -- accepted above the provider's limit: will end without a start
    was_live boolean NOT NULL DEFAULT false,     -- it was seen ringing through to somebody
    reason text,
    claimed_at timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    dial_started_at timestamptz,
    not_before timestamptz,
    next_check_at timestamptz,
    checks integer NOT NULL DEFAULT 0,
    missing_since timestamptz,
    cancel_requested_at timestamptz,
    hangs_up boolean NOT NULL DEFAULT false,     -- an operator wants it hung up as soon as it can be
    unsure_at timestamptz,
    started_at timestamptz,
    ended_at timestamptz,
    ended_reason text,
    cost_usd numeric(10, 4) CONSTRAINT calls_cost_usd_check CHECK (cost_usd >= 0),
    recording_url text,
    transcript_json jsonb,
    transcript_rank text NOT NULL DEFAULT '',
    summary text,
    success_raw text,
    success_evaluation boolean,
    max_duration_seconds integer NOT NULL DEFAULT 600,
    control_url text,
    last_status_at timestamptz,
    version integer NOT NULL DEFAULT 0,
    CONSTRAINT calls_contact_id_attempt_key UNIQUE (contact_id, attempt),
    CONSTRAINT calls_active_holds_line_check CHECK (holds_line OR status NOT IN ('QUEUED', 'RINGING', 'IN_PROGRESS')),
    CONSTRAINT calls_final_frees_line_check CHECK (NOT (is_final AND holds_line)),
    CONSTRAINT calls_terminal_outcome_check CHECK
        ((outcome IS NULL) = (status IN ('QUEUED', 'RINGING', 'IN_PROGRESS'))),
    CONSTRAINT calls_not_dialled_check CHECK (outcome IS DISTINCT FROM 'not_dialled' OR NOT counts_as_attempt)
) WITH (fillfactor = 70);
-- Nobody is on two calls at once.
CREATE UNIQUE INDEX calls_one_active_per_contact_key ON calls (contact_id)
    WHERE status IN ('QUEUED', 'RINGING', 'IN_PROGRESS');
CREATE INDEX calls_lines_idx ON calls (campaign_id) WHERE holds_line;
CREATE INDEX calls_checks_idx ON calls (next_check_at) WHERE next_check_at IS NOT NULL;
CREATE INDEX calls_campaign_id_idx ON calls (campaign_id, claimed_at);
CREATE INDEX calls_dial_started_at_idx ON calls (dial_started_at) WHERE counts_as_attempt;

CREATE TABLE call_aliases (
    provider_call_id text CONSTRAINT call_aliases_pkey PRIMARY KEY,
    call_id uuid NOT NULL CONSTRAINT call_aliases_call_id_fkey REFERENCES calls (id),
    created_at timestamptz NOT NULL
);
CREATE INDEX call_aliases_call_id_idx ON call_aliases (call_id);

CREATE TABLE webhook_inbox (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT webhook_inbox_pkey PRIMARY KEY,
    provider_call_id text NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    our_call_id uuid,
    state text NOT NULL DEFAULT 'received'
        CONSTRAINT webhook_inbox_state_check CHECK (state IN ('received', 'settled', 'parked', 'ignored', 'dead')),
    body jsonb NOT NULL,
    deliveries integer NOT NULL DEFAULT 1,
    failures integer NOT NULL DEFAULT 0,
    last_error text,
    retry_at timestamptz,
    received_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT webhook_inbox_delivery_key UNIQUE (provider_call_id, type, status)
);
CREATE INDEX webhook_inbox_open_idx ON webhook_inbox (retry_at) WHERE state IN ('received', 'parked');
CREATE INDEX webhook_inbox_our_call_id_idx ON webhook_inbox (our_call_id) WHERE state = 'parked';

CREATE TABLE call_events (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT call_events_pkey PRIMARY KEY,
    campaign_id uuid NOT NULL,
    call_id uuid NOT NULL,
    status call_status NOT NULL,             -- what the call was after the news
    source text NOT NULL CONSTRAINT call_events_source_check
        CHECK (source IN ('dial', 'webhook', 'poll', 'sweep', 'tick', 'operator')),
    inbox_id bigint,
    payload jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL
);
CREATE INDEX call_events_campaign_id_idx ON call_events (campaign_id, id);
CREATE INDEX call_events_call_id_idx ON call_events (call_id, id);

CREATE TABLE incidents (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT incidents_pkey PRIMARY KEY,
    kind text NOT NULL CONSTRAINT incidents_kind_check
        CHECK (kind IN ('double_dial', 'cap_overrun', 'second_provider_id', 'unsure', 'illegal_events', 'dead_letter')),
    campaign_id uuid,
    call_id uuid,
    sentence text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX incidents_created_at_idx ON incidents (created_at);
CREATE UNIQUE INDEX incidents_once_key ON incidents (kind, call_id) WHERE call_id IS NOT NULL;

-- Counters: kept by triggers in the very statement that changes a row, so that they cannot drift. ---------------

CREATE TABLE campaign_counters (
    campaign_id uuid CONSTRAINT campaign_counters_pkey PRIMARY KEY
        CONSTRAINT campaign_counters_campaign_id_fkey REFERENCES campaigns (id),
    due integer NOT NULL DEFAULT 0,
    calling integer NOT NULL DEFAULT 0,
    done integer NOT NULL DEFAULT 0,
    unsure integer NOT NULL DEFAULT 0,
    excluded integer NOT NULL DEFAULT 0,
    queued integer NOT NULL DEFAULT 0,
    ringing integer NOT NULL DEFAULT 0,
    in_progress integer NOT NULL DEFAULT 0,
    ended integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    canceled integer NOT NULL DEFAULT 0,
    timeout integer NOT NULL DEFAULT 0,
    answered integer NOT NULL DEFAULT 0,
    voicemail integer NOT NULL DEFAULT 0,
    no_answer integer NOT NULL DEFAULT 0,
    busy integer NOT NULL DEFAULT 0,
    silence integer NOT NULL DEFAULT 0,
    bad_number integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0,
    provider_error integer NOT NULL DEFAULT 0,
    config_error integer NOT NULL DEFAULT 0,
    canceled_outcome integer NOT NULL DEFAULT 0,
    unsure_outcome integer NOT NULL DEFAULT 0,
    unknown_outcome integer NOT NULL DEFAULT 0,
    success_true integer NOT NULL DEFAULT 0,
    success_false integer NOT NULL DEFAULT 0,
    cost_usd numeric(14, 4) NOT NULL DEFAULT 0,
    talk_seconds numeric(14, 3) NOT NULL DEFAULT 0,
    talks integer NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Released claims are left out of every figure.
CREATE FUNCTION count_call() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counts_now boolean := TG_OP <> 'DELETE' AND NEW.outcome IS DISTINCT FROM 'not_dialled';
    counted_before boolean := TG_OP <> 'INSERT' AND OLD.outcome IS DISTINCT FROM 'not_dialled';
    talked_now boolean := counts_now AND coalesce(NEW.outcome = 'answered' AND NEW.ended_at >= NEW.started_at, false);
    talked_before boolean :=
        counted_before AND coalesce(OLD.outcome = 'answered' AND OLD.ended_at >= OLD.started_at, false);
    talk_now numeric := CASE WHEN talked_now THEN extract(epoch FROM NEW.ended_at - NEW.started_at) ELSE 0 END;
    talk_before numeric := CASE WHEN talked_before THEN extract(epoch FROM OLD.ended_at - OLD.started_at) ELSE 0 END;
BEGIN
    UPDATE campaign_counters SET
        queued = queued + (counts_now AND NEW.status = 'QUEUED')::int - (counted_before AND OLD.status = 'QUEUED')::int,
        ringing = ringing + (counts_now AND NEW.status = 'RINGING')::int - (counted_before AND OLD.status = 'RINGING')::int,
        in_progress = in_progress + (counts_now AND NEW.status = 'IN_PROGRESS')::int - (counted_before AND OLD.status = 'IN_PROGRESS')::int,
        ended = ended + (counts_now AND NEW.status = 'ENDED')::int - (counted_before AND OLD.status = 'ENDED')::int,
        failed = failed + (counts_now AND NEW.status = 'FAILED')::int - (counted_before AND OLD.status = 'FAILED')::int,
        canceled = canceled + (counts_now AND NEW.status = 'CANCELED')::int - (counted_before AND OLD.status = 'CANCELED')::int,
        timeout = timeout + (counts_now AND NEW.status = 'TIMEOUT')::int - (counted_before AND OLD.status = 'TIMEOUT')::int,
        answered = answered + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'answered')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'answered')::int,
        voicemail = voicemail + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'voicemail')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'voicemail')::int,
        no_answer = no_answer + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'no_answer')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'no_answer')::int,
        busy = busy + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'busy')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'busy')::int,
        silence = silence + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'silence')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'silence')::int,
        bad_number = bad_number + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'bad_number')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'bad_number')::int,
        refused = refused + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'refused')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'refused')::int,
        provider_error = provider_error + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'provider_error')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'provider_error')::int,
        config_error = config_error + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'config_error')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'config_error')::int,
        canceled_outcome = canceled_outcome + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'canceled')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'canceled')::int,
        unsure_outcome = unsure_outcome + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'unsure')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'unsure')::int,
        unknown_outcome = unknown_outcome + (counts_now AND NEW.outcome IS NOT DISTINCT FROM 'unknown')::int - (counted_before AND OLD.outcome IS NOT DISTINCT FROM 'unknown')::int,
        success_true = success_true + (counts_now AND NEW.success_evaluation IS TRUE)::int - (counted_before AND OLD.success_evaluation IS TRUE)::int,
        success_false = success_false + (counts_now AND NEW.success_evaluation IS FALSE)::int - (counted_before AND OLD.success_evaluation IS FALSE)::int,
        cost_usd = cost_usd + CASE WHEN counts_now THEN coalesce(NEW.cost_usd, 0) ELSE 0 END
            - CASE WHEN counted_before THEN coalesce(OLD.cost_usd, 0) ELSE 0 END,
        talk_seconds = talk_seconds + talk_now - talk_before,
        talks = talks + (talked_now)::int - (talked_before)::int,
        version = version + 1
    WHERE campaign_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.campaign_id ELSE NEW.campaign_id END;
    RETURN NULL;
END $$;

CREATE TRIGGER calls_count_insert AFTER INSERT ON calls FOR EACH ROW EXECUTE FUNCTION count_call();
CREATE TRIGGER calls_count_delete AFTER DELETE ON calls FOR EACH ROW EXECUTE FUNCTION count_call();
CREATE TRIGGER calls_count_update AFTER UPDATE ON calls FOR EACH ROW
    WHEN ((OLD.status, OLD.outcome, OLD.success_evaluation, OLD.cost_usd, OLD.started_at, OLD.ended_at)
        IS DISTINCT FROM (NEW.status, NEW.outcome, NEW.success_evaluation, NEW.cost_usd, NEW.started_at, NEW.ended_at))
    EXECUTE FUNCTION count_call();

CREATE FUNCTION count_contact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaign_counters SET
        due = due + (NEW.state = 'due')::int - (OLD.state = 'due')::int,
        calling = calling + (NEW.state = 'calling')::int - (OLD.state = 'calling')::int,
        done = done + (NEW.state = 'done')::int - (OLD.state = 'done')::int,
        unsure = unsure + (NEW.state = 'unsure')::int - (OLD.state = 'unsure')::int,
        excluded = excluded + (NEW.state = 'excluded')::int - (OLD.state = 'excluded')::int,
        version = version + 1
    WHERE campaign_id = NEW.campaign_id;
    RETURN NULL;
END $$;
CREATE TRIGGER contacts_count_update AFTER UPDATE ON contacts FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION count_contact();

-- Lists arrive by the hundred thousand: one statement, one count.
CREATE FUNCTION count_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE campaign_counters c SET
        due = c.due + n.sign * n.due, calling = c.calling + n.sign * n.calling, done = c.done + n.sign * n.done,
        unsure = c.unsure + n.sign * n.unsure, excluded = c.excluded + n.sign * n.excluded, version = c.version + 1
    FROM (SELECT campaign_id, CASE WHEN TG_OP = 'DELETE' THEN -1 ELSE 1 END AS sign,
            count(*) FILTER (WHERE state = 'due') AS due, count(*) FILTER (WHERE state = 'calling') AS calling,
            count(*) FILTER (WHERE state = 'done') AS done, count(*) FILTER (WHERE state = 'unsure') AS unsure,
            count(*) FILTER (WHERE state = 'excluded') AS excluded
        FROM changed_rows GROUP BY campaign_id) n
    WHERE c.campaign_id = n.campaign_id;
    RETURN NULL;
END $$;
CREATE TRIGGER contacts_count_insert AFTER INSERT ON contacts
    REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION count_contacts();
CREATE TRIGGER contacts_count_delete AFTER DELETE ON contacts
    REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION count_contacts();

CREATE FUNCTION open_counters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO campaign_counters (campaign_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER campaigns_open_counters AFTER INSERT ON campaigns FOR EACH ROW EXECUTE FUNCTION open_counters();

-- Append-only: history is never rewritten. Retention sets autolynx.retention for its own transaction. ------------

CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('autolynx.retention', true), '') = 'on' THEN
        RETURN CASE WHEN TG_LEVEL = 'ROW' THEN coalesce(NEW, OLD) END;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER call_events_append_only BEFORE UPDATE OR DELETE ON call_events
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER call_events_no_truncate BEFORE TRUNCATE ON call_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- Uploads ------------------------------------------------------------------------------------------------------
-- A file waits here, judged row by row, until a campaign takes it or a day has passed. Its bytes stay only until
-- all rows are judged.

CREATE TABLE uploads (
    id uuid CONSTRAINT uploads_pkey PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_id uuid CONSTRAINT uploads_owner_id_fkey REFERENCES user_profiles (id),
    file_name text NOT NULL CONSTRAINT uploads_file_name_check CHECK (length(file_name) BETWEEN 1 AND 255),
    region text NOT NULL CONSTRAINT uploads_region_check CHECK (region ~ '^[A-Z]{2}$'),
    status text NOT NULL DEFAULT 'receiving'
        CONSTRAINT uploads_status_check CHECK (status IN ('receiving', 'judging', 'ready')),
    size_bytes bigint CONSTRAINT uploads_size_bytes_check CHECK (size_bytes > 0),
    fingerprint text CONSTRAINT uploads_fingerprint_check CHECK (fingerprint ~ '^[0-9a-f]{64}$'),
    encoding text,
    delimiter text,
    headers text[],
    next_offset bigint NOT NULL DEFAULT 0,       -- judging goes on at this byte of the inflated file,
    next_row integer NOT NULL DEFAULT 1,         -- which begins this row of the spreadsheet
    total_rows integer NOT NULL DEFAULT 0,
    accepted integer NOT NULL DEFAULT 0,
    duplicates integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT uploads_counts_check CHECK (total_rows = accepted + duplicates + skipped),
    CONSTRAINT uploads_opened_check CHECK (status = 'receiving' OR num_nulls(size_bytes, fingerprint, encoding, delimiter, headers) = 0),
    CONSTRAINT uploads_offset_check CHECK (next_offset <= size_bytes),
    CONSTRAINT uploads_ready_check CHECK (status <> 'ready' OR next_offset = size_bytes)
);
CREATE INDEX uploads_expires_at_idx ON uploads (expires_at);
CREATE INDEX uploads_owner_id_idx ON uploads (owner_id);

-- Parts of a body as they were sent, possibly gzip, for those who cannot send it in one request.
CREATE TABLE upload_parts (
    upload_id uuid NOT NULL CONSTRAINT upload_parts_upload_id_fkey REFERENCES uploads (id) ON DELETE CASCADE,
    number integer NOT NULL CONSTRAINT upload_parts_number_check CHECK (number BETWEEN 1 AND 10000),
    size_bytes integer NOT NULL,
    sha256 text NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT upload_parts_pkey PRIMARY KEY (upload_id, number)
);
ALTER TABLE upload_parts ALTER COLUMN body SET STORAGE EXTERNAL;

-- The inflated file in blocks of one size, so that any offset can be read at once.
CREATE TABLE upload_blocks (
    upload_id uuid NOT NULL CONSTRAINT upload_blocks_upload_id_fkey REFERENCES uploads (id) ON DELETE CASCADE,
    number integer NOT NULL CONSTRAINT upload_blocks_number_check CHECK (number >= 0),
    body bytea NOT NULL,
    CONSTRAINT upload_blocks_pkey PRIMARY KEY (upload_id, number)
);
ALTER TABLE upload_blocks ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE upload_rows (
    upload_id uuid NOT NULL CONSTRAINT upload_rows_upload_id_fkey REFERENCES uploads (id) ON DELETE CASCADE,
    row_number integer NOT NULL,
    name text NOT NULL,
    business_name text NOT NULL,
    phone text NOT NULL,
    phone_raw text NOT NULL,
    extension text,
    variables jsonb NOT NULL,
    CONSTRAINT upload_rows_pkey PRIMARY KEY (upload_id, row_number)
);

CREATE TABLE upload_problems (
    upload_id uuid NOT NULL CONSTRAINT upload_problems_upload_id_fkey REFERENCES uploads (id) ON DELETE CASCADE,
    row_number integer NOT NULL,
    first_row integer,                           -- set: a duplicate of that row; null: a skipped row
    field text,
    reason text NOT NULL,
    value text NOT NULL,
    cells text[] NOT NULL,
    CONSTRAINT upload_problems_first_row_check CHECK (first_row < row_number),
    CONSTRAINT upload_problems_pkey PRIMARY KEY (upload_id, row_number)
);

-- Which file went into which campaign. It outlives the upload: the same list twice is the commonest double call.
CREATE TABLE campaign_files (
    campaign_id uuid NOT NULL CONSTRAINT campaign_files_campaign_id_fkey REFERENCES campaigns (id) ON DELETE CASCADE,
    fingerprint text NOT NULL,
    file_name text NOT NULL,
    loaded_at timestamptz NOT NULL,
    CONSTRAINT campaign_files_pkey PRIMARY KEY (campaign_id, fingerprint)
);
CREATE INDEX campaign_files_fingerprint_idx ON campaign_files (fingerprint);

-- Nobody reads or writes a table but the application: row-level security on, public roles without grants. -------

DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', item.name);
        EXECUTE format('REVOKE ALL ON TABLE %s FROM PUBLIC', item.name);
    END LOOP;
    FOR item IN SELECT rolname AS name FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %I', current_schema(), item.name);
        EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM %I', current_schema(), item.name);
        EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM %I', current_schema(), item.name);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE ALL ON TABLES FROM %I', current_schema(), item.name);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %I REVOKE ALL ON SEQUENCES FROM %I', current_schema(), item.name);
    END LOOP;
    EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM PUBLIC', current_schema());
END $$;
