-- People, and what they sign in with. Who may come in stands in user_profiles; whoever is not allow-listed there stays
-- outside, whatever an identity provider says.

ALTER TABLE user_profiles
    ADD COLUMN name text NOT NULL DEFAULT '' CONSTRAINT user_profiles_name_check CHECK (length(name) <= 100),
    -- Which identity an entry was bound to at its first sign-in, and by which provider: nobody else comes in by its email.
    ADD COLUMN identity text CONSTRAINT user_profiles_identity_check CHECK (identity IN ('local', 'supabase')),
    ADD COLUMN sub text,
    ADD COLUMN added_by text NOT NULL DEFAULT 'console',
    ADD COLUMN removed_at timestamptz,
    ADD CONSTRAINT user_profiles_sub_check CHECK ((sub IS NULL) = (identity IS NULL)),
    ADD CONSTRAINT user_profiles_email_check CHECK (length(email) BETWEEN 3 AND 254 AND email LIKE '%_@_%');
CREATE UNIQUE INDEX user_profiles_sub_key ON user_profiles (identity, sub) WHERE sub IS NOT NULL;

CREATE TABLE passwords (
    user_id uuid CONSTRAINT passwords_pkey PRIMARY KEY
        CONSTRAINT passwords_user_id_fkey REFERENCES user_profiles (id) ON DELETE CASCADE,
    password_hash text NOT NULL,
    changed_at timestamptz NOT NULL
);

-- How often somebody failed to sign in, under the hash of an email or of an address: names are not kept here.
CREATE TABLE sign_in_failures (
    subject bytea CONSTRAINT sign_in_failures_pkey PRIMARY KEY,
    failures integer NOT NULL,
    last_at timestamptz NOT NULL,
    blocked_until timestamptz
);
CREATE INDEX sign_in_failures_last_at_idx ON sign_in_failures (last_at);

-- A token, ticket or session belongs to a person; one without a person was made by the command line. A `reset` lets a
-- new password be set, once. What an identity provider gave for a session (encrypted) and until when it vouches for it.
ALTER TABLE api_tokens
    ADD COLUMN user_id uuid CONSTRAINT api_tokens_user_id_fkey REFERENCES user_profiles (id) ON DELETE CASCADE,
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{all}' CONSTRAINT api_tokens_scopes_check CHECK (cardinality(scopes) > 0),
    ADD COLUMN identity_grant bytea,
    ADD COLUMN identity_until timestamptz,
    DROP CONSTRAINT api_tokens_kind_check,
    ADD CONSTRAINT api_tokens_kind_check CHECK (kind IN ('api', 'ticket', 'session', 'reset'));
CREATE INDEX api_tokens_user_id_idx ON api_tokens (user_id) WHERE user_id IS NOT NULL;

ALTER TABLE passwords ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_in_failures ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON TABLE passwords, sign_in_failures FROM PUBLIC;
DO $$
DECLARE public_role record;
BEGIN
    FOR public_role IN SELECT rolname AS name FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
        EXECUTE format('REVOKE ALL ON TABLE passwords, sign_in_failures FROM %I', public_role.name);
    END LOOP;
END $$;
