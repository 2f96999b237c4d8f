-- The audit log says from where, and history can be rewritten by one function only: the trigger looks who calls.

ALTER TABLE audit_log ADD COLUMN origin text;    -- a client's address, or console, cron, tick; null: before it was kept
CREATE INDEX audit_log_action_idx ON audit_log (action, id);

-- What the append-only tables allow, and nothing else: old entries go, the words of a person's events go.
-- `before` bounds what goes by age, `calls` what is made anonymous; at most `most` rows at once.
CREATE FUNCTION rewrite_history(what text, before timestamptz, calls uuid[], most integer) RETURNS bigint
LANGUAGE plpgsql SET autolynx.retention = 'on' AS $$
DECLARE changed bigint;
BEGIN
    IF what = 'old events' THEN
        DELETE FROM call_events WHERE id IN (SELECT o.id FROM
            (SELECT id, created_at FROM call_events ORDER BY id LIMIT most) o WHERE o.created_at < before);
    ELSIF what = 'old audit' THEN
        DELETE FROM audit_log WHERE id IN (SELECT o.id FROM
            (SELECT id, at FROM audit_log ORDER BY id LIMIT most) o WHERE o.at < before);
    ELSIF what = 'events of erased calls' THEN
        UPDATE call_events SET payload = payload - 'reason' WHERE call_id = ANY (calls) AND payload ? 'reason';
    ELSE
        RAISE EXCEPTION 'rewrite_history: nothing is known of %', what;
    END IF;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;

CREATE OR REPLACE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE callers text;
BEGIN
    GET DIAGNOSTICS callers = PG_CONTEXT;
    IF coalesce(current_setting('autolynx.retention', true), '') = 'on'
            AND TG_LEVEL = 'ROW' AND callers LIKE '%rewrite_history(text,timestamp with time zone,uuid[],integer)%' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

REVOKE ALL ON FUNCTION rewrite_history(text, timestamptz, uuid[], integer) FROM PUBLIC;
DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT rolname AS name FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION rewrite_history(text, timestamptz, uuid[], integer) FROM %I', item.name);
    END LOOP;
END $$;
