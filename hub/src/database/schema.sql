-- hub.db. Columns named in docs/CLI_JSON.md are a contract; the others are the hub's own.

CREATE TABLE centre(
  code TEXT PRIMARY KEY, name TEXT NOT NULL, card TEXT NOT NULL, fingerprint TEXT NOT NULL,
  password TEXT NOT NULL,                       -- argon2id, PHC string
  state TEXT NOT NULL DEFAULT 'active',         -- active | disabled
  merged INTEGER NOT NULL DEFAULT 0,            -- 1 once its initial load was merged by a person's command
  added_at TEXT NOT NULL,
  certificate TEXT) WITHOUT ROWID;              -- SHA-256 of the client certificate that it must show, or 'revoked': none counts

-- What centres sent: the last version of each record, and what became of it.
CREATE TABLE received(
  id INTEGER PRIMARY KEY,                       -- names the record inside this database only
  origin TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
  version INTEGER NOT NULL, form TEXT NOT NULL, sha256 TEXT NOT NULL, body BLOB NOT NULL,
  outcome TEXT NOT NULL, rule TEXT, packet TEXT NOT NULL,
  in_digest INTEGER NOT NULL DEFAULT 1,         -- 0: an orphan of an older epoch, outside the state digest
  state TEXT NOT NULL DEFAULT 'applied',        -- applied | waiting (for merge) | held | refused | gone
  basis_version INTEGER, basis BLOB);           -- what the hub goes by, where that is not version, body
CREATE UNIQUE INDEX received_key ON received(origin, kind, key);
CREATE INDEX received_orphan ON received(origin) WHERE in_digest = 0;
CREATE INDEX received_held ON received(origin) WHERE outcome = 'held';
CREATE INDEX received_waiting ON received(state, kind, id) WHERE state = 'waiting' OR state = 'held';

-- Which records refer to which: programmes and contracts to their recipient, by the id on the wire.
CREATE TABLE reference(
  origin TEXT NOT NULL, referent TEXT NOT NULL, claim INTEGER NOT NULL,
  PRIMARY KEY(origin, referent, claim)) WITHOUT ROWID;
CREATE INDEX reference_claim ON reference(claim);

CREATE TABLE person(
  uid TEXT PRIMARY KEY, case_number TEXT NOT NULL, merged_into TEXT, serial INTEGER NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX person_case ON person(case_number);
CREATE INDEX person_serial ON person(serial);
CREATE INDEX person_merged ON person(merged_into) WHERE merged_into IS NOT NULL;
-- The cross-reference: which person (or programme, supplement) each claim is.
CREATE TABLE person_record(
  origin TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, uid TEXT NOT NULL, rule TEXT NOT NULL,
  claim INTEGER NOT NULL,
  home TEXT NOT NULL,                           -- the person that it was of before that one turned out to be uid
  PRIMARY KEY(origin, kind, key)) WITHOUT ROWID;
CREATE INDEX person_record_uid ON person_record(uid, claim);
CREATE INDEX person_record_claim ON person_record(claim, uid, home);
CREATE TABLE document(
  uid TEXT PRIMARY KEY, kind TEXT NOT NULL, person TEXT NOT NULL, number_date TEXT NOT NULL,
  joined_into TEXT) WITHOUT ROWID;              -- the document that staff say this one is
CREATE UNIQUE INDEX document_number ON document(person, kind, number_date);
-- Where the values of a person come from: of each source the fields, as JSON. One row a person, or it would be most of the
-- database; field_source has a row for each field.
CREATE TABLE person_source(uid TEXT PRIMARY KEY, sources TEXT NOT NULL) WITHOUT ROWID;
CREATE VIEW field_source AS
  SELECT p.uid AS uid, f.value AS field, s.value ->> 'origin' AS origin, s.value ->> 'key' AS key
  FROM person_source p, json_each(p.sources) s, json_each(s.value, '$.fields') f;
CREATE TABLE hub_entry(
  uid TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL,
  at TEXT NOT NULL, PRIMARY KEY(uid, field)) WITHOUT ROWID;
-- What the hub's staff draw up: services, providers, decisions, assessments, attachments, programmes, supplements.
CREATE TABLE drawn(
  key TEXT PRIMARY KEY, kind TEXT NOT NULL,
  id TEXT NOT NULL,                             -- what their files call it
  person TEXT,                                  -- whose it is, as it was said; none of the directory
  mark TEXT,                                    -- what no other of its kind may have: a service's code
  body BLOB NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX drawn_id ON drawn(kind, id);
CREATE INDEX drawn_person ON drawn(person) WHERE person IS NOT NULL;
CREATE INDEX drawn_mark ON drawn(kind, mark) WHERE mark IS NOT NULL;
-- Documents that are not published, or not as they are now, because they break a rule that refuses.
CREATE TABLE fault(
  person TEXT NOT NULL, key TEXT NOT NULL, rule TEXT NOT NULL, field TEXT NOT NULL, line INTEGER,
  PRIMARY KEY(person, key)) WITHOUT ROWID;
-- On which day something about a person may be published otherwise by the day alone: whoever publishes the person says so.
CREATE TABLE day_ahead(uid TEXT PRIMARY KEY, day TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX day_ahead_day ON day_ahead(day);
-- The region's lists by which the daemon last began to judge, as a sum.
CREATE TABLE judged_by(one INTEGER PRIMARY KEY CHECK (one = 1), lists TEXT NOT NULL, day TEXT);
-- Confirmed: this centre serves this person (a disclosure).
CREATE TABLE service(
  centre TEXT NOT NULL, uid TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL, at TEXT NOT NULL,
  PRIMARY KEY(centre, uid)) WITHOUT ROWID;
CREATE INDEX service_uid ON service(uid);

-- The models by which claims were linked; the last is in force.
CREATE TABLE model(
  n INTEGER PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL, reason TEXT NOT NULL, actor TEXT NOT NULL,
  at TEXT NOT NULL);
-- What was counted when a merge last weighed the whole register: values, under numbers that bear no text, and the
-- keys that too many claims shared.
CREATE TABLE counted(key INTEGER PRIMARY KEY, n INTEGER NOT NULL);
-- The linking index: as of the last merge that weighed the whole register, and what came later. Keys lie anywhere: what
-- writes few of them is to write to few pages, not to as many of a large table.
CREATE TABLE link_key(key INTEGER NOT NULL, claim INTEGER NOT NULL, PRIMARY KEY(key, claim)) WITHOUT ROWID;
CREATE TABLE link_key_late(key INTEGER NOT NULL, claim INTEGER NOT NULL, PRIMARY KEY(key, claim)) WITHOUT ROWID;
-- The same of both by claim: its keys in order, 8 bytes each, big-endian.
CREATE TABLE claim_keys(claim INTEGER PRIMARY KEY, keys BLOB NOT NULL);
-- What a claim was read to say when it was indexed (decisions/merge/packed.rs): who is compared with it needs no more. One that is
-- not here is read itself.
CREATE TABLE claim_reading(claim INTEGER PRIMARY KEY, origin TEXT NOT NULL, key TEXT NOT NULL, reading BLOB NOT NULL);
-- What pairs of claims are to each other (only links and likenesses are kept).
CREATE TABLE pair(
  a INTEGER NOT NULL, b INTEGER NOT NULL, link INTEGER NOT NULL, code TEXT NOT NULL,
  bits REAL NOT NULL,                           -- log2 of the odds that they are one person
  PRIMARY KEY(a, b)) WITHOUT ROWID;
CREATE INDEX pair_b ON pair(b);
CREATE TABLE staff_decision(
  n INTEGER PRIMARY KEY, kind TEXT NOT NULL, origin_1 TEXT NOT NULL, key_1 TEXT NOT NULL,
  origin_2 TEXT NOT NULL, key_2 TEXT NOT NULL, decision TEXT NOT NULL, reason TEXT NOT NULL,
  actor TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX staff_decision_1 ON staff_decision(key_1);
CREATE INDEX staff_decision_2 ON staff_decision(key_2);

CREATE TABLE review(
  n INTEGER PRIMARY KEY, kind TEXT NOT NULL,    -- pair | programme | held | proposal | value
  reason TEXT NOT NULL, origin_1 TEXT NOT NULL, key_1 TEXT NOT NULL, origin_2 TEXT NOT NULL,
  key_2 TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'open',  -- open | decided | gone
  decision TEXT, why TEXT, actor TEXT, opened_at TEXT NOT NULL, closed_at TEXT,
  assigned TEXT,                                -- who took it on
  put_off INTEGER NOT NULL DEFAULT 0);          -- 1: to be asked after all others
CREATE UNIQUE INDEX review_subject ON review(kind, origin_1, key_1, origin_2, key_2);
CREATE INDEX review_open ON review(state, n) WHERE state = 'open';
CREATE INDEX review_one ON review(key_1) WHERE state = 'open';
CREATE INDEX review_other ON review(key_2) WHERE state = 'open';
-- Who signed «один» about two persons that are published; without a second nothing is decided (docs/adr/0026).
CREATE TABLE signature(
  review INTEGER PRIMARY KEY, actor TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL,
  seen TEXT NOT NULL,                           -- what the first was given to: names and digests, as JSON
  second TEXT, second_reason TEXT, second_at TEXT);
CREATE INDEX signature_half ON signature(review) WHERE second IS NULL;

-- What each centre is told. version, sha256, packet: as last sealed; the rest: as it should be. With a rowid: bodies are long
-- (docs/adr/0009), and what is new stands together.
CREATE TABLE publication(
  centre TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 0, sha256 TEXT NOT NULL, packet TEXT,
  state TEXT NOT NULL,                          -- pending | sealed | applied | refused
  form TEXT NOT NULL, body BLOB NOT NULL, sealed_form TEXT, sealed_sha256 TEXT,
  person TEXT NOT NULL,                         -- whose file it belongs to
  PRIMARY KEY(centre, kind, key));
CREATE INDEX publication_pending ON publication(centre, kind, key) WHERE state = 'pending';
CREATE INDEX publication_person ON publication(person, form, centre, kind, key);

-- Both streams with a peer: the columns of exchange_format::stream::{Outgoing, Incoming} and state digests.
CREATE TABLE stream(
  peer TEXT PRIMARY KEY,
  out_epoch INTEGER, out_seq INTEGER, out_digest TEXT, sealed_at TEXT, highest_epoch INTEGER,
  echo_epoch INTEGER, echo_seq INTEGER, echo_digest TEXT, stop TEXT,
  in_epoch INTEGER, in_seq INTEGER, in_digest TEXT, stopped_epoch INTEGER, closed_epoch INTEGER,
  sent_digest TEXT NOT NULL, received_digest TEXT NOT NULL) WITHOUT ROWID;
-- Every packet and answer, both directions, for ever. answered: the digest that an answer names.
CREATE TABLE packet(
  name TEXT PRIMARY KEY, direction TEXT NOT NULL, peer TEXT NOT NULL, kind TEXT NOT NULL,
  epoch INTEGER, seq INTEGER, state TEXT NOT NULL, reason TEXT,
  digest TEXT, previous TEXT, part INTEGER, parts INTEGER, answered TEXT, revision INTEGER,
  unconfirmed INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, next_at TEXT,
  at TEXT NOT NULL, records INTEGER NOT NULL DEFAULT 0,
  sha256 TEXT,                                  -- of the sealed file, if it is ours
  replay INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;  -- 1: of a file in quarantine, it is to be judged again
CREATE INDEX packet_replay ON packet(name) WHERE replay = 1;
CREATE INDEX packet_place ON packet(direction, peer, epoch, seq);
CREATE INDEX packet_digest ON packet(digest);
CREATE INDEX packet_answers ON packet(answered) WHERE answered IS NOT NULL;
-- What our last PR of a centre's packet said, if a later revision may have to say otherwise of a record; new,
-- changed, unchanged: how many records besides those of answer_line.
CREATE TABLE answer(
  packet TEXT PRIMARY KEY, revision INTEGER NOT NULL,
  new INTEGER NOT NULL, changed INTEGER NOT NULL, unchanged INTEGER NOT NULL) WITHOUT ROWID;
-- The records that it lists or, refused later, may come to list.
CREATE TABLE answer_line(
  packet TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,
  outcome TEXT NOT NULL, rule TEXT NOT NULL, reason TEXT NOT NULL,
  words TEXT,                                   -- why, in the words of staff
  PRIMARY KEY(packet, kind, key)) WITHOUT ROWID;
CREATE INDEX answer_line_held ON answer_line(packet) WHERE outcome = 'held';
-- What a sealed packet carried, until its PR closes exactly these versions.
CREATE TABLE carried(
  packet TEXT NOT NULL, centre TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, version INTEGER NOT NULL,
  PRIMARY KEY(packet, kind, key)) WITHOUT ROWID;

-- A person has seen how this hub, put back from a copy, differs from the snapshot of a centre, and lets the exchange go on.
CREATE TABLE resync(
  centre TEXT PRIMARY KEY, snapshot TEXT NOT NULL, actor TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE hub_input(
  n INTEGER PRIMARY KEY,                        -- the order in which they were made: a rebuild follows it
  key TEXT NOT NULL, at TEXT NOT NULL, action TEXT NOT NULL, body BLOB NOT NULL, packet TEXT);
CREATE UNIQUE INDEX hub_input_key ON hub_input(key);
CREATE INDEX hub_input_unsealed ON hub_input(n) WHERE packet IS NULL;
-- What was written and is in no input yet, in order (noted.rs).
CREATE TABLE change(n INTEGER PRIMARY KEY, entry TEXT NOT NULL);
-- How often a connection of this program, besides the daemon's, has written (strangers.rs).
CREATE TABLE written(one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL);
CREATE TABLE content_told(one INTEGER PRIMARY KEY CHECK (one = 1), at TEXT NOT NULL);
CREATE TABLE incident(
  n INTEGER PRIMARY KEY, at TEXT NOT NULL, peer TEXT NOT NULL, code TEXT NOT NULL, packet TEXT,
  times INTEGER NOT NULL DEFAULT 1, last_at TEXT NOT NULL,  -- how often it happened, and when last
  closed_at TEXT);
