-- What administrators said of when machines work; NULL where they said nothing.

CREATE TABLE policies (
  -- A member's id; empty for all nodes.
  node               TEXT PRIMARY KEY,
  not_on_battery     INTEGER,
  foreign_cpu        REAL,
  foreign_gpu        REAL,
  while_user_present TEXT,
  -- 18:00-08:00
  hours              TEXT,
  memory_bytes       INTEGER,
  disk_bytes         INTEGER
) STRICT;
