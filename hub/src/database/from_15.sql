-- From schema 15 to 16: what this program's own connections have written is counted.
CREATE TABLE written(one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL);
PRAGMA user_version = 16;
