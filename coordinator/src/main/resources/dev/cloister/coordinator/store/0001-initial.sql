-- Times are milliseconds since 1970. Secrets are stored as SHA-256 hashes only.

CREATE TABLE members (
  id        TEXT PRIMARY KEY,
  role      TEXT NOT NULL,
  name      TEXT NOT NULL,
  joined_at INTEGER NOT NULL,
  UNIQUE (role, name)
) STRICT;

CREATE TABLE join_tokens (
  id          TEXT PRIMARY KEY,
  secret_hash BLOB NOT NULL,
  role        TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  uses_left   INTEGER NOT NULL CHECK (uses_left >= 0),
  revoked     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE api_keys (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  hash       BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  revoked    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX api_keys_by_name ON api_keys (name) WHERE revoked = 0;

CREATE TABLE models (
  name        TEXT PRIMARY KEY,
  sha256      TEXT NOT NULL,
  size_bytes  INTEGER NOT NULL,
  file        TEXT NOT NULL,
  modified_at INTEGER NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT;
