-- Contacts with a rare outcome, or whose call broke, are found without a look at every call of a long list.
CREATE INDEX calls_outcomes_idx ON calls (campaign_id, outcome) WHERE outcome IS NOT NULL;
CREATE INDEX calls_broken_idx ON calls (campaign_id, status) WHERE status IN ('FAILED', 'CANCELED', 'TIMEOUT');
