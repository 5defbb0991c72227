-- The store's first shape: sealed pages under one packed number, and sealed acts. Nothing here
-- is readable without the keeper's keys; see daemon/vault/store/store.h for the numbers.
CREATE TABLE pages (id INTEGER PRIMARY KEY, page BLOB NOT NULL);
CREATE TABLE acts (
	sequence INTEGER PRIMARY KEY,
	prepared INTEGER NOT NULL CHECK (prepared IN (0, 1)),
	entry INTEGER,
	sealed BLOB NOT NULL
);
