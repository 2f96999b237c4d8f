-- A campaign that pauses by itself: after its first contacts (a canary), and when most of its first calls come to nothing.
-- An older release that still runs beside this one ignores both; nothing else changes for it.

ALTER TABLE campaigns
    ADD COLUMN hold_position integer             -- no contact from this place on is called until a person has looked
        CONSTRAINT campaigns_hold_position_check CHECK (hold_position >= 1),
    ADD COLUMN watched_calls smallint,           -- its first calls, as far as their end is known; null: nobody counts
    ADD COLUMN watched_failures smallint;        -- how many of them came to nothing
ALTER TABLE campaigns
    ADD CONSTRAINT campaigns_watched_check CHECK (watched_failures BETWEEN 0 AND watched_calls),
    ADD CONSTRAINT campaigns_watched_both_check CHECK ((watched_calls IS NULL) = (watched_failures IS NULL));
