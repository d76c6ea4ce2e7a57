-- Over how many nodes a model's layers are spread; 1 for never, NULL only when it fits no single one.

ALTER TABLE models ADD COLUMN split INTEGER;
