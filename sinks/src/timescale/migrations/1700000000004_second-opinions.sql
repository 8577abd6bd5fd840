-- Up Migration
-- What the classifier says of a defect: {"label", "defect_type", "probability", "disagrees"}; null: nobody was asked.
ALTER TABLE predictions ADD COLUMN second_opinion JSONB;
ALTER TABLE defects ADD COLUMN second_opinion JSONB;

-- Down Migration
ALTER TABLE defects DROP COLUMN second_opinion;
ALTER TABLE predictions DROP COLUMN second_opinion;
