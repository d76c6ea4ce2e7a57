-- 00:1b:44:11:3a:b7@192.168.1.255,...: by what a node is woken when it sleeps.

ALTER TABLE nodes ADD COLUMN wake TEXT NOT NULL DEFAULT '';
