-- NULL leaves it to the node and the engine.

ALTER TABLE models ADD COLUMN context_tokens  INTEGER;
ALTER TABLE models ADD COLUMN slots           INTEGER;
ALTER TABLE models ADD COLUMN threads         INTEGER;
ALTER TABLE models ADD COLUMN batch_threads   INTEGER;
ALTER TABLE models ADD COLUMN batch_tokens    INTEGER;
ALTER TABLE models ADD COLUMN gpu_layers      INTEGER;
ALTER TABLE models ADD COLUMN main_gpu        INTEGER;
ALTER TABLE models ADD COLUMN kv_type         TEXT;
ALTER TABLE models ADD COLUMN kv_place        TEXT;
ALTER TABLE models ADD COLUMN flash_attention TEXT;
