ALTER TABLE total ADD COLUMN last INTEGER NOT NULL DEFAULT 0; -- boards that failed it last
DELETE FROM total; -- and is made anew
ALTER TABLE measured ADD COLUMN of_boards TEXT NOT NULL DEFAULT ''; -- number and value of each, the smallest first; empty: an earlier hilrig's
