CREATE TABLE run (
	seq INTEGER PRIMARY KEY AUTOINCREMENT, -- without gaps: a row that is missing was taken out
	id TEXT NOT NULL UNIQUE,
	dir TEXT NOT NULL,
	host TEXT NOT NULL,
	rig TEXT NOT NULL,
	hilrig TEXT NOT NULL,
	started INTEGER NOT NULL, -- milliseconds since 1970
	ended INTEGER, -- NULL: it has no end
	verdict TEXT NOT NULL,
	version TEXT NOT NULL, -- of the firmware that it was to be of
	sha256 TEXT NOT NULL,
	hardware INTEGER NOT NULL, -- devices that are boards
	selftest INTEGER NOT NULL,
	told INTEGER NOT NULL, -- by its own supervisor, when it began
	passed INTEGER NOT NULL DEFAULT 0,
	warned INTEGER NOT NULL DEFAULT 0,
	failed INTEGER NOT NULL DEFAULT 0,
	errors INTEGER NOT NULL DEFAULT 0,
	without INTEGER NOT NULL DEFAULT 0, -- not run, not applicable
	files TEXT NOT NULL DEFAULT '' -- SHA-256 of each when the run ended, as JSON
);
CREATE INDEX run_started ON run (started);
CREATE TABLE board (id INTEGER PRIMARY KEY, serial TEXT NOT NULL, type TEXT NOT NULL, emulated INTEGER NOT NULL, UNIQUE (serial, type));
CREATE TABLE spec (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE firmware (id INTEGER PRIMARY KEY, version TEXT NOT NULL, sha256 TEXT NOT NULL, UNIQUE (version, sha256));
CREATE TABLE entry (
	id INTEGER PRIMARY KEY,
	run INTEGER NOT NULL REFERENCES run (seq),
	name TEXT NOT NULL,
	board INTEGER NOT NULL REFERENCES board (id),
	firmware INTEGER NOT NULL REFERENCES firmware (id),
	hub TEXT NOT NULL,
	known TEXT NOT NULL,
	verdict TEXT NOT NULL
);
CREATE INDEX entry_run ON entry (run);
CREATE INDEX entry_board ON entry (board, firmware);
CREATE TABLE result (
	entry INTEGER NOT NULL REFERENCES entry (id),
	spec INTEGER NOT NULL REFERENCES spec (id),
	verdict INTEGER NOT NULL,
	flaky INTEGER NOT NULL,
	message TEXT NOT NULL,
	PRIMARY KEY (entry, spec)
) WITHOUT ROWID;
CREATE TABLE summary ( -- of result, kept with it
	spec INTEGER NOT NULL,
	firmware INTEGER NOT NULL,
	board INTEGER NOT NULL,
	passed INTEGER NOT NULL,
	warned INTEGER NOT NULL,
	failed INTEGER NOT NULL,
	errors INTEGER NOT NULL,
	without INTEGER NOT NULL,
	changes INTEGER NOT NULL, -- between pass and fail
	last INTEGER NOT NULL, -- the last that passed (1) or failed (2); 0: none has
	first INTEGER NOT NULL, -- started, of the first run
	PRIMARY KEY (spec, firmware, board)
) WITHOUT ROWID;
CREATE INDEX summary_board ON summary (board, spec, firmware);
