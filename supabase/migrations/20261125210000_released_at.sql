-- When a person last released dialling: a late answer to a request from before holds nothing again.
ALTER TABLE gate ADD COLUMN released_at timestamptz;
