-- Every change of an assistant's name or configuration leaves a version that can be looked at and restored.

CREATE TABLE assistant_versions (
    assistant_id uuid NOT NULL CONSTRAINT assistant_versions_assistant_id_fkey REFERENCES assistants (id),
    number integer NOT NULL CONSTRAINT assistant_versions_number_check CHECK (number >= 1),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL CONSTRAINT assistant_versions_action_check
        CHECK (action IN ('created', 'imported', 'cloned', 'edited', 'restored', 'synced', 'found')),
    restored_number integer,                 -- the version that was restored by it
    name text NOT NULL,
    config_json jsonb NOT NULL,
    CONSTRAINT assistant_versions_pkey PRIMARY KEY (assistant_id, number)
);
CREATE TRIGGER assistant_versions_append_only BEFORE UPDATE OR DELETE ON assistant_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_rewriting();
CREATE TRIGGER assistant_versions_no_truncate BEFORE TRUNCATE ON assistant_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();

-- What stands in the directory already is its own first version.
INSERT INTO assistant_versions (assistant_id, number, at, actor, action, name, config_json)
SELECT id, 1, updated_at, '', 'found', name, config_json FROM assistants WHERE source <> 'template';

-- A test call is a campaign of one contact, which lists and figures leave out.
ALTER TABLE campaigns ADD COLUMN is_test boolean NOT NULL
    GENERATED ALWAYS AS (coalesce(options_json ->> 'testCall', '') = 'true') STORED;

-- Nobody reads or writes a table but the application.
ALTER TABLE assistant_versions ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON TABLE assistant_versions FROM PUBLIC;
DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT rolname AS name FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON TABLE assistant_versions FROM %I', item.name);
    END LOOP;
END $$;
