-- From schema 14 to 15: on which day something about a person may be published otherwise. What days have changed so far, nobody
-- has published: everybody is looked at once.
CREATE TABLE day_ahead(uid TEXT PRIMARY KEY, day TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX day_ahead_day ON day_ahead(day);
INSERT INTO day_ahead SELECT uid, '' FROM person WHERE merged_into IS NULL;
PRAGMA user_version = 15;
