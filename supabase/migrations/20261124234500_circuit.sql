-- When the circuit opened: calls claimed since then are probes, and only they make the distance between probes grow.

ALTER TABLE gate ADD COLUMN opened_at timestamptz;
