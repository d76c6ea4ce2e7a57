-- What is remembered of agents beside that they joined.

CREATE TABLE nodes (
  id             TEXT PRIMARY KEY REFERENCES members (id) ON DELETE CASCADE,
  -- NULL unless an administrator drained it.
  drain_deadline INTEGER
) STRICT;
