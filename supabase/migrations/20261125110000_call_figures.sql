-- What analytics shows: the calls that are over, by campaign and by the quarter of an hour in which they were claimed.
-- By quarters, because in every time zone of today days and hours begin with one. A trigger keeps them in the very
-- statement that changes a call, so that none can differ from a recount. Calls that go on are few: they are counted
-- when somebody asks. Released claims are no calls. Whoever changes what is counted here holds the call's campaign.

CREATE TABLE call_figures (
    campaign_id uuid NOT NULL CONSTRAINT call_figures_campaign_id_fkey REFERENCES campaigns (id),
    begins_at timestamptz NOT NULL,
    completed integer NOT NULL,
    answered integer NOT NULL,
    voicemail integer NOT NULL,
    no_answer integer NOT NULL,
    busy integer NOT NULL,
    silence integer NOT NULL,
    bad_number integer NOT NULL,
    refused integer NOT NULL,
    provider_error integer NOT NULL,
    config_error integer NOT NULL,
    canceled_outcome integer NOT NULL,
    unsure_outcome integer NOT NULL,
    unknown_outcome integer NOT NULL,
    success_true integer NOT NULL,
    success_false integer NOT NULL,
    cost_usd numeric(14, 4) NOT NULL,
    talks integer NOT NULL,                  -- answered calls of known length, the sum of it, and how many of them were
    talk_seconds numeric(14, 3) NOT NULL,
    talks_to_10 integer NOT NULL,            -- shorter than 10 seconds,
    talks_to_30 integer NOT NULL,            -- at least that and shorter than 30, and so on
    talks_to_60 integer NOT NULL,
    talks_to_120 integer NOT NULL,
    talks_to_300 integer NOT NULL,
    talks_to_600 integer NOT NULL,
    talks_beyond integer NOT NULL,
    CONSTRAINT call_figures_pkey PRIMARY KEY (campaign_id, begins_at)
) WITH (fillfactor = 50);
CREATE INDEX call_figures_begins_at_idx ON call_figures (begins_at);

-- All of them anew: for the calls that are there already, and after rows were loaded past the triggers.
CREATE FUNCTION recount_figures() RETURNS SETOF call_figures LANGUAGE sql STABLE AS $$
    SELECT campaign_id, begins_at,
        count(*), count(*) FILTER (WHERE outcome = 'answered'), count(*) FILTER (WHERE outcome = 'voicemail'),
        count(*) FILTER (WHERE outcome = 'no_answer'), count(*) FILTER (WHERE outcome = 'busy'),
        count(*) FILTER (WHERE outcome = 'silence'), count(*) FILTER (WHERE outcome = 'bad_number'),
        count(*) FILTER (WHERE outcome = 'refused'), count(*) FILTER (WHERE outcome = 'provider_error'),
        count(*) FILTER (WHERE outcome = 'config_error'), count(*) FILTER (WHERE outcome = 'canceled'),
        count(*) FILTER (WHERE outcome = 'unsure'), count(*) FILTER (WHERE outcome = 'unknown'),
        count(*) FILTER (WHERE success_evaluation), count(*) FILTER (WHERE NOT success_evaluation),
        coalesce(sum(cost_usd), 0), count(*) FILTER (WHERE talk IS NOT NULL), coalesce(sum(talk), 0),
        count(*) FILTER (WHERE talk < 10), count(*) FILTER (WHERE talk >= 10 AND talk < 30),
        count(*) FILTER (WHERE talk >= 30 AND talk < 60), count(*) FILTER (WHERE talk >= 60 AND talk < 120),
        count(*) FILTER (WHERE talk >= 120 AND talk < 300), count(*) FILTER (WHERE talk >= 300 AND talk < 600),
        count(*) FILTER (WHERE talk >= 600)
    FROM calls CROSS JOIN LATERAL (SELECT date_bin('15 minutes', claimed_at, 'epoch') AS begins_at,
        CASE WHEN outcome = 'answered' AND ended_at >= started_at
            THEN round(extract(epoch FROM ended_at - started_at), 3) END AS talk) t
    WHERE outcome <> 'not_dialled' GROUP BY campaign_id, begins_at
$$;

CREATE FUNCTION count_figures() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    is_over boolean := TG_OP <> 'DELETE' AND coalesce(NEW.outcome <> 'not_dialled', false);
    was_over boolean := TG_OP <> 'INSERT' AND coalesce(OLD.outcome <> 'not_dialled', false);
    talk_now numeric := CASE WHEN is_over AND NEW.outcome = 'answered' AND NEW.ended_at >= NEW.started_at
        THEN round(extract(epoch FROM NEW.ended_at - NEW.started_at), 3) ELSE -1 END;
    talk_before numeric := CASE WHEN was_over AND OLD.outcome = 'answered' AND OLD.ended_at >= OLD.started_at
        THEN round(extract(epoch FROM OLD.ended_at - OLD.started_at), 3) ELSE -1 END;
BEGIN
    INSERT INTO call_figures AS f VALUES (
        coalesce(NEW.campaign_id, OLD.campaign_id),
        date_bin('15 minutes', coalesce(NEW.claimed_at, OLD.claimed_at), 'epoch'),
        is_over::int - was_over::int,
        (is_over AND NEW.outcome = 'answered')::int - (was_over AND OLD.outcome = 'answered')::int,
        (is_over AND NEW.outcome = 'voicemail')::int - (was_over AND OLD.outcome = 'voicemail')::int,
        (is_over AND NEW.outcome = 'no_answer')::int - (was_over AND OLD.outcome = 'no_answer')::int,
        (is_over AND NEW.outcome = 'busy')::int - (was_over AND OLD.outcome = 'busy')::int,
        (is_over AND NEW.outcome = 'silence')::int - (was_over AND OLD.outcome = 'silence')::int,
        (is_over AND NEW.outcome = 'bad_number')::int - (was_over AND OLD.outcome = 'bad_number')::int,
        (is_over AND NEW.outcome = 'refused')::int - (was_over AND OLD.outcome = 'refused')::int,
        (is_over AND NEW.outcome = 'provider_error')::int - (was_over AND OLD.outcome = 'provider_error')::int,
        (is_over AND NEW.outcome = 'config_error')::int - (was_over AND OLD.outcome = 'config_error')::int,
        (is_over AND NEW.outcome = 'canceled')::int - (was_over AND OLD.outcome = 'canceled')::int,
        (is_over AND NEW.outcome = 'unsure')::int - (was_over AND OLD.outcome = 'unsure')::int,
        (is_over AND NEW.outcome = 'unknown')::int - (was_over AND OLD.outcome = 'unknown')::int,
        (is_over AND NEW.success_evaluation IS TRUE)::int - (was_over AND OLD.success_evaluation IS TRUE)::int,
        (is_over AND NEW.success_evaluation IS FALSE)::int - (was_over AND OLD.success_evaluation IS FALSE)::int,
        CASE WHEN is_over THEN coalesce(NEW.cost_usd, 0) ELSE 0 END
            - CASE WHEN was_over THEN coalesce(OLD.cost_usd, 0) ELSE 0 END,
        (talk_now >= 0)::int - (talk_before >= 0)::int,
        greatest(talk_now, 0) - greatest(talk_before, 0),
        (talk_now >= 0 AND talk_now < 10)::int - (talk_before >= 0 AND talk_before < 10)::int,
        (talk_now >= 10 AND talk_now < 30)::int - (talk_before >= 10 AND talk_before < 30)::int,
        (talk_now >= 30 AND talk_now < 60)::int - (talk_before >= 30 AND talk_before < 60)::int,
        (talk_now >= 60 AND talk_now < 120)::int - (talk_before >= 60 AND talk_before < 120)::int,
        (talk_now >= 120 AND talk_now < 300)::int - (talk_before >= 120 AND talk_before < 300)::int,
        (talk_now >= 300 AND talk_now < 600)::int - (talk_before >= 300 AND talk_before < 600)::int,
        (talk_now >= 600)::int - (talk_before >= 600)::int
    ) ON CONFLICT (campaign_id, begins_at) DO UPDATE SET
        completed = f.completed + excluded.completed, answered = f.answered + excluded.answered,
        voicemail = f.voicemail + excluded.voicemail, no_answer = f.no_answer + excluded.no_answer,
        busy = f.busy + excluded.busy, silence = f.silence + excluded.silence,
        bad_number = f.bad_number + excluded.bad_number, refused = f.refused + excluded.refused,
        provider_error = f.provider_error + excluded.provider_error,
        config_error = f.config_error + excluded.config_error,
        canceled_outcome = f.canceled_outcome + excluded.canceled_outcome,
        unsure_outcome = f.unsure_outcome + excluded.unsure_outcome,
        unknown_outcome = f.unknown_outcome + excluded.unknown_outcome,
        success_true = f.success_true + excluded.success_true,
        success_false = f.success_false + excluded.success_false, cost_usd = f.cost_usd + excluded.cost_usd,
        talks = f.talks + excluded.talks, talk_seconds = f.talk_seconds + excluded.talk_seconds,
        talks_to_10 = f.talks_to_10 + excluded.talks_to_10, talks_to_30 = f.talks_to_30 + excluded.talks_to_30,
        talks_to_60 = f.talks_to_60 + excluded.talks_to_60, talks_to_120 = f.talks_to_120 + excluded.talks_to_120,
        talks_to_300 = f.talks_to_300 + excluded.talks_to_300, talks_to_600 = f.talks_to_600 + excluded.talks_to_600,
        talks_beyond = f.talks_beyond + excluded.talks_beyond;
    RETURN NULL;
END $$;

CREATE TRIGGER calls_figures_insert AFTER INSERT ON calls FOR EACH ROW
    WHEN (NEW.outcome <> 'not_dialled') EXECUTE FUNCTION count_figures();
CREATE TRIGGER calls_figures_delete AFTER DELETE ON calls FOR EACH ROW
    WHEN (OLD.outcome <> 'not_dialled') EXECUTE FUNCTION count_figures();
CREATE TRIGGER calls_figures_change AFTER UPDATE ON calls FOR EACH ROW
    WHEN ((OLD.outcome <> 'not_dialled' OR NEW.outcome <> 'not_dialled')
        AND (OLD.outcome, OLD.success_evaluation, OLD.cost_usd, OLD.started_at, OLD.ended_at)
        IS DISTINCT FROM (NEW.outcome, NEW.success_evaluation, NEW.cost_usd, NEW.started_at, NEW.ended_at))
    EXECUTE FUNCTION count_figures();

-- A call stays where it was claimed. Where somebody moves one all the same, both places are counted anew.
CREATE FUNCTION move_figures() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    campaigns uuid[] := ARRAY[OLD.campaign_id, NEW.campaign_id];
    quarters timestamptz[] :=
        ARRAY[date_bin('15 minutes', OLD.claimed_at, 'epoch'), date_bin('15 minutes', NEW.claimed_at, 'epoch')];
BEGIN
    DELETE FROM call_figures WHERE campaign_id = ANY (campaigns) AND begins_at = ANY (quarters);
    INSERT INTO call_figures
        SELECT * FROM recount_figures() WHERE campaign_id = ANY (campaigns) AND begins_at = ANY (quarters);
    RETURN NULL;
END $$;
CREATE TRIGGER calls_figures_move AFTER UPDATE OF claimed_at, campaign_id ON calls FOR EACH ROW
    WHEN ((OLD.claimed_at, OLD.campaign_id) IS DISTINCT FROM (NEW.claimed_at, NEW.campaign_id))
    EXECUTE FUNCTION move_figures();

-- The triggers stand, so that nobody writes a call until this is committed.
INSERT INTO call_figures SELECT * FROM recount_figures();

ALTER TABLE call_figures ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON TABLE call_figures FROM PUBLIC;
REVOKE ALL ON FUNCTION recount_figures(), count_figures(), move_figures() FROM PUBLIC;
DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT rolname AS name FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON TABLE call_figures FROM %I', item.name);
        EXECUTE format('REVOKE ALL ON FUNCTION recount_figures(), count_figures(), move_figures() FROM %I', item.name);
    END LOOP;
END $$;
