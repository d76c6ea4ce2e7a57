-- The share of a key's requests where callers have to wait, in relation to others'.

ALTER TABLE api_keys ADD COLUMN weight REAL NOT NULL DEFAULT 1;
