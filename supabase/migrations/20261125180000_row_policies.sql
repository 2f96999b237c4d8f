-- What a person reads who comes straight to the database with the JWT of Supabase Auth, past the application: the rows
-- that the application would show them, and nothing is ever written. Who they are says the allow-list, by the `sub` that
-- an entry was bound to; a JWT alone opens nothing. The application's own connection owns the tables, and is unaffected.

-- The person behind the claims of this request, as PostgREST sets them; NULL for anybody who is not on the list.
CREATE FUNCTION claimed_person() RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT id FROM user_profiles
    WHERE allowlisted AND identity = 'supabase'
        AND sub = nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
$$;

CREATE FUNCTION claims_admin() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT coalesce((SELECT role = 'admin' FROM user_profiles WHERE id = claimed_person()), false)
$$;

-- Subqueries, so that they are asked once for a statement and not for each row.
CREATE POLICY user_profiles_read ON user_profiles FOR SELECT
    USING (id = (SELECT claimed_person()) OR (SELECT claims_admin()));
CREATE POLICY campaigns_read ON campaigns FOR SELECT
    USING (deleted_at IS NULL AND (owner_id = (SELECT claimed_person()) OR (SELECT claims_admin())));
CREATE POLICY campaign_counters_read ON campaign_counters FOR SELECT
    USING (campaign_id IN (SELECT id FROM campaigns));
CREATE POLICY call_figures_read ON call_figures FOR SELECT
    USING (campaign_id IN (SELECT id FROM campaigns));
CREATE POLICY contacts_read ON contacts FOR SELECT
    USING (campaign_id IN (SELECT id FROM campaigns));
CREATE POLICY calls_read ON calls FOR SELECT
    USING (campaign_id IN (SELECT id FROM campaigns));
CREATE POLICY incidents_read ON incidents FOR SELECT
    USING ((SELECT claims_admin()) OR campaign_id IN (SELECT id FROM campaigns));
CREATE POLICY assistants_read ON assistants FOR SELECT
    USING (deleted_at IS NULL AND (SELECT claimed_person()) IS NOT NULL);
CREATE POLICY assistant_versions_read ON assistant_versions FOR SELECT
    USING (assistant_id IN (SELECT id FROM assistants));
CREATE POLICY phone_numbers_read ON phone_numbers FOR SELECT
    USING ((SELECT claimed_person()) IS NOT NULL);
CREATE POLICY call_events_read ON call_events FOR SELECT USING ((SELECT claims_admin()));
CREATE POLICY audit_log_read ON audit_log FOR SELECT USING ((SELECT claims_admin()));

REVOKE ALL ON FUNCTION claimed_person(), claims_admin() FROM PUBLIC;
-- `control_url` steers a live call: it is in no grant. Nor is any table of secrets, tokens, files or raw bodies.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'anon') THEN
        REVOKE ALL ON FUNCTION claimed_person(), claims_admin() FROM anon;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        RETURN;
    END IF;
    GRANT EXECUTE ON FUNCTION claimed_person(), claims_admin() TO authenticated;
    GRANT SELECT ON campaigns, campaign_counters, call_figures, contacts, incidents, assistants, assistant_versions,
        phone_numbers, call_events, audit_log TO authenticated;
    GRANT SELECT (id, email, name, role, created_at, last_seen_at) ON user_profiles TO authenticated;
    GRANT SELECT (id, campaign_id, contact_id, attempt, counts_as_attempt, provider_call_id, status, outcome, reason,
        claimed_at, dial_started_at, started_at, ended_at, ended_reason, cost_usd, recording_url, transcript_json, summary,
        success_raw, success_evaluation, unsure_at) ON calls TO authenticated;
END $$;
