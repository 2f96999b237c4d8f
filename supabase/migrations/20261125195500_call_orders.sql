-- Contacts of a long list are sorted by outcome, cost and talk from an index: a page is read, not the list. Outcomes take
-- the index that finds them already, which now has the latest call of each first.
DROP INDEX calls_outcomes_idx;
CREATE INDEX calls_outcomes_idx ON calls (campaign_id, outcome, claimed_at DESC) WHERE outcome IS NOT NULL;
CREATE INDEX calls_costs_idx ON calls (campaign_id, cost_usd, claimed_at) WHERE cost_usd IS NOT NULL;
CREATE INDEX calls_talks_idx ON calls (campaign_id, (ended_at - started_at), claimed_at)
    WHERE outcome = 'answered' AND ended_at >= started_at;
