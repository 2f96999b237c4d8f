-- A name tells campaigns apart among those of one owner. Were it unique among all, whoever tried names would learn from
-- the refusals what the campaigns of others are called. The index keeps its name: a taken name is recognised by it.
DROP INDEX campaigns_name_key;
CREATE UNIQUE INDEX campaigns_name_key ON campaigns (lower(name), owner_id) NULLS NOT DISTINCT WHERE deleted_at IS NULL;
