ALTER TABLE run ADD COLUMN asked TEXT NOT NULL DEFAULT ''; -- of the catalogue, in words
CREATE INDEX entry_last ON entry (board, run);
CREATE TABLE total ( -- of summary, kept with it: over the boards of a type
	spec INTEGER NOT NULL,
	firmware INTEGER NOT NULL,
	type TEXT NOT NULL, -- of board, and whether it is emulated
	boards INTEGER NOT NULL,
	passing INTEGER NOT NULL, -- boards that passed it and never failed it
	failing INTEGER NOT NULL, -- boards that failed it
	passed INTEGER NOT NULL,
	warned INTEGER NOT NULL,
	failed INTEGER NOT NULL,
	errors INTEGER NOT NULL,
	without INTEGER NOT NULL,
	changes INTEGER NOT NULL,
	pairs INTEGER NOT NULL, -- of results one after another
	first INTEGER NOT NULL,
	PRIMARY KEY (spec, firmware, type)
) WITHOUT ROWID;
CREATE INDEX total_firmware ON total (firmware, first);
CREATE INDEX total_alone ON total (first) WHERE failing > 0 AND passing > 0 AND (failing = 1 OR passing >= 4 * failing);
DROP INDEX summary_board; -- total leads to the rows of a board
CREATE TABLE rig (id INTEGER PRIMARY KEY, host TEXT NOT NULL, name TEXT NOT NULL, UNIQUE (host, name));
CREATE TABLE at_rig ( -- of result, kept with it
	firmware INTEGER NOT NULL,
	spec INTEGER NOT NULL,
	rig INTEGER NOT NULL REFERENCES rig (id),
	fine INTEGER NOT NULL, -- passed, warned
	red INTEGER NOT NULL, -- failed, errors
	PRIMARY KEY (firmware, spec, rig)
) WITHOUT ROWID;
CREATE TABLE measurement (id INTEGER PRIMARY KEY, spec TEXT NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL, type TEXT NOT NULL, UNIQUE (spec, name, unit, type));
CREATE TABLE measured ( -- over the boards of a run
	measurement INTEGER NOT NULL REFERENCES measurement (id),
	run INTEGER NOT NULL REFERENCES run (seq),
	boards INTEGER NOT NULL,
	low REAL NOT NULL,
	middle REAL NOT NULL,
	high REAL NOT NULL,
	least REAL, -- the limits that it had
	most REAL,
	outside INTEGER NOT NULL, -- boards beyond a limit
	PRIMARY KEY (measurement, run)
) WITHOUT ROWID;
CREATE INDEX measured_run ON measured (run);
INSERT INTO rig (host, name) SELECT DISTINCT host, rig FROM run;
