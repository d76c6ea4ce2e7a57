-- site=hq,class=server: what a node has, and what a model or a key requires of nodes.

ALTER TABLE nodes    ADD COLUMN labels          TEXT NOT NULL DEFAULT '';
ALTER TABLE models   ADD COLUMN required_labels TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN required_labels TEXT NOT NULL DEFAULT '';
