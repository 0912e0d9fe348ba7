-- From schema 14 to 15: on which day something about a person may be published otherwise. What days have changed so far, nobody
-- has published: everybody is looked at once.
CREATE TABLE day_ahead(uid TEXT PRIMARY KEY, day TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX day_ahead_day ON day_ahead(day);
INSERT INTO day_ahead SELECT uid, '' FROM person WHERE merged_into IS NULL;
CREATE TABLE judged_by(one INTEGER PRIMARY KEY CHECK (one = 1), lists TEXT NOT NULL, day TEXT);
-- What claims were read to say follows from them: whoever is not here is read, until the next merge.
CREATE TABLE claim_reading(claim INTEGER PRIMARY KEY, origin TEXT NOT NULL, key TEXT NOT NULL, reading BLOB NOT NULL);
PRAGMA user_version = 15;
