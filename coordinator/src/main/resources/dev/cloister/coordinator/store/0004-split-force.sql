-- Whether a model is split though it is not proved that its stages compute what the whole does.

ALTER TABLE models ADD COLUMN split_force INTEGER NOT NULL DEFAULT 0;
