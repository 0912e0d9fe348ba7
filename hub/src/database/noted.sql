-- Of a received record what became of it, where that does not follow from the record: it is new or changed, and the hub
-- goes by it, unless it has ended or waits for the merge.
CREATE TRIGGER received_added AFTER INSERT ON received
WHEN NEW.outcome <> 'new' OR NEW.rule IS NOT NULL OR NEW.basis_version IS NOT NULL
  OR CASE NEW.form WHEN 'tombstone' THEN NEW.state <> 'gone' ELSE NEW.state NOT IN ('applied', 'waiting') END
BEGIN
  INSERT INTO change(entry) VALUES(json_object('t', 'received', 'is', json_object('origin', NEW.origin, 'kind', NEW.kind,
    'key', NEW.key, 'version', NEW.version, 'sha256', NEW.sha256, 'outcome', NEW.outcome, 'rule', NEW.rule,
    'state', NEW.state, 'basis_version', NEW.basis_version)));
END;
CREATE TRIGGER received_changed AFTER UPDATE OF outcome ON received
WHEN CASE WHEN NEW.version = OLD.version AND NEW.sha256 = OLD.sha256 AND NEW.form = OLD.form
  THEN NEW.outcome <> OLD.outcome OR NEW.rule IS NOT OLD.rule OR NEW.state <> OLD.state
    OR NEW.basis_version IS NOT OLD.basis_version
  ELSE NEW.outcome <> 'changed' OR NEW.rule IS NOT NULL OR NEW.basis_version IS NOT NULL
    OR CASE NEW.form WHEN 'tombstone' THEN NEW.state <> 'gone' ELSE NEW.state NOT IN ('applied', 'waiting') END END
BEGIN
  INSERT INTO change(entry) VALUES(json_object('t', 'received', 'is', json_object('origin', NEW.origin, 'kind', NEW.kind,
    'key', NEW.key, 'version', NEW.version, 'sha256', NEW.sha256, 'outcome', NEW.outcome, 'rule', NEW.rule,
    'state', NEW.state, 'basis_version', NEW.basis_version)));
END;

-- Which packets of centres were applied or refused, and which were sealed for them, in the order in which that happened. Of
-- those that bear no record, as a heartbeat, nothing follows: the chain says where they were.
CREATE TRIGGER packet_added AFTER INSERT ON packet
WHEN NEW.kind IN ('DT', 'SN', 'KY') AND NEW.digest IS NOT NULL AND (NEW.kind <> 'DT' OR NEW.records > 0 OR NEW.state = 'REFUSED')
  AND (NEW.direction = 'out' AND NEW.state = 'SEALED' OR NEW.direction = 'in' AND NEW.state = 'REFUSED')
BEGIN
  INSERT INTO change(entry) VALUES(json_object('t', 'packet', 'is', json_object('name', NEW.name, 'direction', NEW.direction,
    'peer', NEW.peer, 'state', NEW.state, 'reason', NEW.reason, 'digest', NEW.digest, 'at', NEW.at)));
END;
CREATE TRIGGER packet_changed AFTER UPDATE OF state ON packet
WHEN NEW.kind IN ('DT', 'SN', 'KY') AND NEW.direction = 'in' AND NEW.state IN ('APPLIED', 'REFUSED')
  AND NEW.state <> OLD.state AND (NEW.kind <> 'DT' OR NEW.records > 0 OR NEW.state = 'REFUSED')
BEGIN
  INSERT INTO change(entry) VALUES(json_object('t', 'packet', 'is', json_object('name', NEW.name, 'direction', NEW.direction,
    'peer', NEW.peer, 'state', NEW.state, 'reason', NEW.reason, 'digest', NEW.digest, 'at', NEW.at)));
END;

-- Of a stream with a centre where it stands, when something happened to it besides that it went on.
CREATE TRIGGER stream_put BEFORE INSERT ON stream
WHEN EXISTS (SELECT 1 FROM centre WHERE code = NEW.peer) AND NOT EXISTS (SELECT 1 FROM stream WHERE peer = NEW.peer
  AND stop IS NEW.stop AND stopped_epoch IS NEW.stopped_epoch AND closed_epoch IS NEW.closed_epoch
  AND highest_epoch IS NEW.highest_epoch AND (in_epoch IS NULL) = (NEW.in_epoch IS NULL)
  AND (out_epoch IS NULL) = (NEW.out_epoch IS NULL))
BEGIN
  INSERT INTO change(entry) VALUES(json_object('t', 'stream', 'is', json_object('peer', NEW.peer, 'stop', NEW.stop,
    'stopped_epoch', NEW.stopped_epoch, 'closed_epoch', NEW.closed_epoch, 'highest_epoch', NEW.highest_epoch,
    'in_epoch', NEW.in_epoch, 'in_seq', NEW.in_seq, 'in_digest', NEW.in_digest,
    'out_epoch', NEW.out_epoch, 'out_seq', NEW.out_seq, 'out_digest', NEW.out_digest)));
END;
