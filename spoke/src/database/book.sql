-- What the exchange keeps beside the centre's own tables. Any program may read it; only the daemon writes it.
-- Everything parses under SQLite 3.26. WITHOUT ROWID and no UNIQUE beside the key, but where the guards let no INSERT
-- through: a REPLACE by another path than the key would remove a row that no trigger sees.

-- Each row of a domain table: whose it is, its key in the exchange, and what stands behind a locked one.
-- state: own, provisional (the centre's) · locked, alias, withdrawn (the hub's publication is shown).
-- Of the centre's rows: version, sha256 and packet of the claim last sent. Of the hub's: of the publication.
CREATE TABLE svod_record (
  kind TEXT NOT NULL,            -- the table
  id TEXT NOT NULL,              -- the row
  key TEXT NOT NULL,             -- the record's id in the exchange, for ever: the claim's, or the uid
  state TEXT NOT NULL CHECK (state IN ('own', 'provisional', 'locked', 'alias', 'withdrawn')),
  alias_of TEXT,                 -- alias: the row to look at instead
  uid TEXT,                      -- the published record that the row shows
  version INTEGER,
  form TEXT,
  sha256 TEXT,
  hub_bytes BLOB,                -- the publication's body as received
  hub_signature BLOB,            -- the hub's signature over (to, kind, key, version, form, sha256)
  packet TEXT,
  epoch INTEGER,                 -- of the publication; older than the stream's: an orphan
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;
-- Unique, else SQLite prefers to walk the table by kind. Its guards see to it that no REPLACE goes this way.
CREATE UNIQUE INDEX svod_record_key ON svod_record (kind, key);
CREATE INDEX svod_record_uid ON svod_record (uid) WHERE uid IS NOT NULL;

-- Where a REPLACE is putting a row, until it is there: the key of that place.
CREATE TABLE svod_replaced (
  kind TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (kind, id)
) WITHOUT ROWID;

-- Records that have changed since they were last sealed; `problem` says why one cannot be sent yet.
CREATE TABLE svod_change (
  kind TEXT NOT NULL, key TEXT NOT NULL, problem TEXT,
  at REAL, -- of a kind with lines: the Julian day of the last change; the daemon waits until nothing more comes,
  since REAL, -- but not for ever: that of the first
  confirmed INTEGER NOT NULL DEFAULT 0, -- 1: a person has said that it may go, though many went with it
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;

-- What this centre has sent of each record of its own, and what became of it. With a rowid, because bodies are long and
-- SQLite keeps long rows of a WITHOUT ROWID table in pages of their own; its guards let no statement in by any key.
-- What a snapshot carried stands in its lot, as packed for the packet: many times less to write than every body by itself.
CREATE TABLE svod_sent (
  n INTEGER PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,            -- the kind on the wire
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  form TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  epoch INTEGER NOT NULL,        -- of the packet that carried it
  seq INTEGER NOT NULL,
  outcome TEXT,                  -- of this version, once its PR is here
  rule TEXT,
  reason TEXT,
  words TEXT,                    -- why the hub's staff have declined it, in their words
  lot INTEGER,                   -- where the body is packed, or
  body BLOB                      -- the body; of a tombstone empty
);
CREATE UNIQUE INDEX svod_sent_key ON svod_sent (kind, key);

-- Lines of a snapshot as they were sent, packed (RFC 1951) a lot at a time. Goes when a newer snapshot carries all of it.
CREATE TABLE svod_lot (
  n INTEGER PRIMARY KEY NOT NULL,
  packed BLOB NOT NULL
);

-- Everything the hub has published to this centre, each record in its last version, as received.
-- The rows of the domain tables and what svod_record says of them can be made again from here.
CREATE TABLE svod_publication (
  kind TEXT NOT NULL,            -- the kind on the wire
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  form TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes BLOB NOT NULL,
  signature BLOB,
  packet TEXT NOT NULL,
  epoch INTEGER NOT NULL,        -- older than the stream's: an orphan
  outcome TEXT NOT NULL,         -- new · changed · unchanged · held · refused
  rule TEXT,
  reason TEXT,
  pending INTEGER NOT NULL,      -- 1: the rows have not been made to show it yet
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX svod_publication_pending ON svod_publication (kind, key) WHERE pending = 1;
CREATE INDEX svod_publication_held ON svod_publication (kind, key) WHERE outcome = 'held';

-- Claim → published record, as the hub's links say; read from svod_publication.
CREATE TABLE svod_link (
  claim TEXT PRIMARY KEY NOT NULL,
  claim_kind TEXT NOT NULL,
  target TEXT NOT NULL,
  is_primary INTEGER NOT NULL,
  based_on INTEGER NOT NULL,
  as_typed TEXT                  -- columns that the row goes on showing as the claim says, separated by spaces
) WITHOUT ROWID;
CREATE INDEX svod_link_target ON svod_link (target);

-- Wishes that a locked value be changed; the automatic ones are edits that raced a lock.
CREATE TABLE svod_proposal (
  key TEXT PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL,            -- the table
  id TEXT NOT NULL,              -- the row
  target_kind TEXT NOT NULL,     -- the publication that it is about
  target TEXT NOT NULL,
  seen_version INTEGER NOT NULL, -- its version when the proposal was made, and what it said then
  seen BLOB NOT NULL,
  claim TEXT,                    -- automatic: the claim whose unsent edit it was
  claim_version INTEGER,
  at TEXT NOT NULL,
  body BLOB NOT NULL,
  problem TEXT,                  -- unfit: why it cannot be sent
  state TEXT NOT NULL,           -- unfit · open · sent · accepted · declined · refused
  packet TEXT,                   -- that took it
  decided_by TEXT,               -- the packet that brought the decision
  words TEXT                     -- why it was declined, in the words of the hub's staff
) WITHOUT ROWID;
CREATE INDEX svod_proposal_undecided ON svod_proposal (target) WHERE state IN ('open', 'sent', 'declined');

-- Rows that the hub's packets have changed, and which packet did it last: what export --changed-since gives. A row that
-- is gone stays here. epoch and seq are set at the end of the load; until then what changed is newer than any packet.
CREATE TABLE svod_shown (
  kind TEXT NOT NULL,            -- the table
  id TEXT NOT NULL,              -- the row
  uid TEXT NOT NULL,             -- the published record that it shows, or showed last
  epoch INTEGER,
  seq INTEGER,
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE INDEX svod_shown_now ON svod_shown (kind, id) WHERE epoch IS NULL;

-- Packets of both directions, our answers, and files in quarantine: kept for ever.
CREATE TABLE svod_packet (
  name TEXT PRIMARY KEY NOT NULL, -- in/NAME: a file that came and bears the name of a packet of ours
  direction TEXT NOT NULL,       -- out · in
  peer TEXT NOT NULL,
  kind TEXT NOT NULL,            -- DT SN KY KV PR RQ
  epoch INTEGER,
  seq INTEGER,
  digest TEXT,                   -- of the manifest
  state TEXT NOT NULL,           -- out: SEALED PLACED RECEIVED APPLIED … · in: HELD APPLIED REFUSED QUARANTINED ANSWER
  reason TEXT,
  at TEXT NOT NULL,              -- sealed, or first seen
  part INTEGER,
  parts INTEGER,
  previous TEXT,
  answers TEXT,                  -- of our KV and PR: the digest of what they answer
  unconfirmed INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at TEXT,                  -- out: when it is placed (again)
  revision INTEGER,              -- out: of the PR that counts
  records INTEGER NOT NULL DEFAULT 0,
  placed_at TEXT,
  received_at TEXT,              -- its KV
  answered_at TEXT,              -- its PR
  ack_epoch INTEGER,             -- in: the last packet of ours that its sender had applied
  ack_seq INTEGER,
  file TEXT,                     -- in spool/, archive/ or quarantine/
  sha256 TEXT,                   -- out: of the file as it was written
  body BLOB,                     -- of our KV and PR: what it says, to be sealed again if its file is lost
  replay INTEGER NOT NULL DEFAULT 0 -- 1: of a file in quarantine, it is to be judged again
) WITHOUT ROWID;
CREATE INDEX svod_packet_replay ON svod_packet (name) WHERE replay = 1;
CREATE INDEX svod_packet_position ON svod_packet (direction, peer, epoch, seq);
CREATE INDEX svod_packet_answers ON svod_packet (answers) WHERE answers IS NOT NULL;
CREATE INDEX svod_packet_due ON svod_packet (next_at) WHERE next_at IS NOT NULL;

-- One row a direction: the last packet sealed, or consumed, and what else the machine knows.
CREATE TABLE svod_stream (
  peer TEXT NOT NULL,
  direction TEXT NOT NULL,       -- out · in
  epoch INTEGER,
  seq INTEGER,
  digest TEXT,
  state_digest TEXT NOT NULL,    -- of what this epoch of the stream has carried
  sealed_at TEXT,
  highest_epoch INTEGER,
  echo_epoch INTEGER,
  echo_seq INTEGER,
  echo_digest TEXT,
  stop TEXT,
  stopped_epoch INTEGER,
  closed_epoch INTEGER,
  told_digest TEXT,              -- in: the state digest of the last manifest that bore one
  kept_digest TEXT,              -- out: of all that was ever sent, tombstones too
  PRIMARY KEY (peer, direction)
) WITHOUT ROWID;

-- Single facts: who this centre is, the version of these tables.
CREATE TABLE svod_meta (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;

-- What the daemon has found wrong and what was done.
CREATE TABLE svod_incident (
  n INTEGER PRIMARY KEY NOT NULL,
  at TEXT NOT NULL,
  code TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL,
  closed_at TEXT,
  closed_how TEXT
);

CREATE INDEX svod_sent_listed ON svod_sent (epoch, seq) WHERE outcome IS NOT NULL;

CREATE VIEW recipient_resolved (id, resolved_id) AS
  SELECT id, coalesce(alias_of, id) FROM svod_record WHERE kind = 'recipient';

-- The centre's rows that wait to be sent. The triggers of the domain tables insert here what they note, and one trigger
-- takes it into svod_change (super::triggers).
CREATE VIEW svod_queue (kind, id) AS
  SELECT r.kind, r.id FROM svod_change c JOIN svod_record r ON r.kind = c.kind AND r.key = c.key;
