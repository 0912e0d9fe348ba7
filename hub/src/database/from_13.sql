-- From schema 13 to 14: publications with a rowid, sources of a person in one row, indexes that answer by themselves.
CREATE TABLE publication_14(
  centre TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 0, sha256 TEXT NOT NULL, packet TEXT,
  state TEXT NOT NULL,
  form TEXT NOT NULL, body BLOB NOT NULL, sealed_form TEXT, sealed_sha256 TEXT,
  person TEXT NOT NULL,
  PRIMARY KEY(centre, kind, key));
INSERT INTO publication_14 SELECT centre, kind, key, version, sha256, packet, state, form, body, sealed_form, sealed_sha256, person
  FROM publication;
DROP TABLE publication;
ALTER TABLE publication_14 RENAME TO publication;
CREATE INDEX publication_pending ON publication(centre, kind, key) WHERE state = 'pending';
CREATE INDEX publication_person ON publication(person, form, centre, kind, key);

CREATE TABLE person_source(uid TEXT PRIMARY KEY, sources TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO person_source
  SELECT uid, json_group_array(json_object('fields', json(fields), 'key', key, 'origin', origin))
  FROM (SELECT uid, origin, key, json_group_array(field) AS fields
        FROM (SELECT uid, origin, key, field FROM field_source ORDER BY uid, origin, key, field)
        GROUP BY uid, origin, key)
  GROUP BY uid;
DROP TABLE field_source;
CREATE VIEW field_source AS
  SELECT p.uid AS uid, f.value AS field, s.value ->> 'origin' AS origin, s.value ->> 'key' AS key
  FROM person_source p, json_each(p.sources) s, json_each(s.value, '$.fields') f;

DROP INDEX person_record_uid;
DROP INDEX person_record_claim;
CREATE INDEX person_record_uid ON person_record(uid, claim);
CREATE INDEX person_record_claim ON person_record(claim, uid, home);
PRAGMA user_version = 14;
