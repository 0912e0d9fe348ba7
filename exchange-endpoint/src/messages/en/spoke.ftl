### What svod-spoke says.

spoke-init-done = The centre is ready to exchange. Settings: { $config }
    Card for the coordination centre: { $card }
    Its fingerprint (tell it by phone): { $fingerprint }
spoke-sync-done = Exchanged. Packets without an answer: { $n }
spoke-sync-in-part = Exchanged in part. Packets without an answer: { $n }
spoke-sync-stopped = No data of this centre go: the stream is stopped ({ $code }). See svod-spoke status and section 9 of OPERATING for what has happened and what to do. Packets without an answer: { $n }
spoke-sync-no-line = The mailbox does not answer. { $n ->
    [0] No packet waits for an answer
   *[other] Packets without an answer: { $n }; they are kept and go later
}

spoke-import-done = Imported: { $new } new, { $changed } changed, { $unchanged } unchanged, { $proposed } proposed, { $refused } lines refused
spoke-import-would = Would import: { $new } new, { $changed } changed, { $unchanged } unchanged, { $proposed } proposed, { $refused } lines refused
spoke-import-none = Imported nothing: { $refused } lines refused (--all-or-nothing); else { $new } new, { $changed } changed, { $unchanged } unchanged, { $proposed } proposed
spoke-import-passed-over = Columns that are not this file's to say were passed over: { $columns }
spoke-export-until = Exported up to protocol { $until }; next: --changed-since { $until }
spoke-export-nothing = The coordination centre has changed nothing since the last time (up to protocol { $until })

spoke-verify-whole = All that is published ({ $n }) is as the coordination centre signed it
spoke-verify-damaged = Differences: { $found } (publications checked: { $n }). To restore: svod-spoke verify --restore
spoke-verify-restored = Differences: { $found }; all put right (publications checked: { $n })
spoke-verify-left = Differences: { $found }, left: { $left } (publications checked: { $n }). Tell the coordination centre
spoke-fault-trigger-missing = a protecting trigger was dropped
spoke-fault-trigger-altered = a protecting trigger was altered
spoke-fault-publication-forged = a stored publication is not what the coordination centre signed
spoke-fault-row-missing = a published row was deleted
spoke-fault-row-altered = a published row or one of its lines was altered
spoke-fault-record-altered = what is kept about the row was altered
spoke-fault-record-forged = the row is passed off as published and never was
spoke-fault-not-captured = the row was put in past the capture of changes
spoke-fault-digest-differs = the sum of publications is not the one the coordination centre told: something is lost, or old again
spoke-fault-behind-watermark = the database is older than the watermark: it was probably put back from a copy
spoke-fault-evidence-missing = what was kept of what was sent or received is gone: the row goes again, packets come back only with a copy of the database
spoke-fault-sent-differs = what is kept of what was sent does not agree with the journal: if live records are missing, all goes again in a new epoch
spoke-fault-database-damaged = the database file is damaged: stop the program and put the database back from a copy
spoke-fault-journal-altered = the journal was altered
spoke-fault-journal-cut = the last entries of the journal are gone: it is shorter than the watermark says
spoke-fault-table-missing = the table is gone or has another name
spoke-fault-column-missing = the column is gone or has another name
spoke-fault-table-altered = the table was made anew by somebody: another key, another type or condition, or a rowid
spoke-fault-index-altered = the index or view is gone or another
spoke-fault-index-foreign = a unique index of somebody's: a REPLACE by it passes the locks
spoke-fault-index-unusable = an index by a collation or a function that only your program has: nobody else could write the table, so it is dropped
spoke-verify-digest-signed = The sum of publications agrees with the signed packet { $packet }
spoke-verify-digest-kept = The sum of publications was compared with the database's own note only, which nobody signed ({ $packet }: { $why }); each publication was checked by its own signature
spoke-verify-digest-none = The sum of publications was not compared: { $why }

spoke-status-heading = Centre { $code }, coordination centre { $hub }
spoke-status-position = epoch { $epoch }, no. { $seq }
spoke-status-out = Sending: last packet { $position }
spoke-status-in = Receiving: last packet { $position }
spoke-status-rows = Rows: { $rows }
spoke-status-waiting = Waiting to be sent: { $n }
spoke-status-unanswered = Packets without an answer: { $n }
spoke-status-records = Records that need attention: { $n }
spoke-status-proposals = Proposals: { $n }
spoke-status-incidents = Open incidents: { $n }
spoke-status-closed = Closed incidents, the last ones: { $n }

spoke-propose-nth = no. { $n } (its name has { $length } characters)
spoke-verify-owned = A running service puts the database right by itself. To do it by the command, stop the service and repeat; verify without --restore may be used beside it.
spoke-why-supersedes = A correction by the coordination centre: before it this row was taken for record { $uid }
spoke-why-lines = { " " }and its lines ({ $table })
spoke-gone-none = Table { $table }: no record is held, there is nothing to decide
spoke-gone-held = Table { $table }: { $held } records are held. Deleted on purpose: svod-spoke gone { $table } --confirm. Lost: put the rows back, or svod-spoke gone { $table } --restore
spoke-gone-confirmed = Table { $table }: the removal is confirmed and will be sent, { $done } records
spoke-gone-restored = Table { $table }: { $done } rows are back, { $held } are held still
spoke-propose-done = Proposal { $key } is kept and goes to the coordination centre. svod-spoke status shows the decision
spoke-propose-again = There is such a proposal already: { $key }. svod-spoke status shows the decision
spoke-propose-replaced = Proposal { $key } says the new wish now and is sent again. svod-spoke status shows the decision

spoke-check-refused = { $table } { $id }, { $place }: { $rule }{ $sentence } Not sent until it is mended.
spoke-check-warned = { $table } { $id }, { $place }: { $rule }{ $sentence }
spoke-check-type = The value is not of the field's type, or is missing.
spoke-check-sum = Rows checked: { $rows }; faults: { $n }

spoke-why-outcome = The coordination centre on what was last sent: { $outcome }
spoke-why-own = { $table } { $id }: your centre's row ({ $owner }), state { $state }, version { $version }
    Last sent in packet { $packet } ({ $since }). It may be changed.
spoke-why-locked = { $table } { $id }: the coordination centre's row ({ $owner }), state { $state }
    Record { $uid }, version { $version }, packet { $packet } ({ $since })
    All fields of the row{ $lines } are locked. If a value is wrong, propose the right one: svod-spoke propose { $table } { $id } COLUMN=VALUE
    The coordination centre can be asked: { $ask }
spoke-why-locked-only = { $table } { $id }: the coordination centre's row ({ $owner }), state { $state }
    Record { $uid }, version { $version }, packet { $packet } ({ $since })
    All fields of the row{ $lines } are locked. No proposal can be made about such a record: if a value is wrong, say so.
    The coordination centre can be asked: { $ask }
spoke-why-alias = { $table } { $id }: this is the same record as row { $alias }; work with that one
    Record { $uid }, version { $version }, packet { $packet } ({ $since })
    If it is not, tell the coordination centre: { $ask }

error-spoke-exists = { $file } exists already
    .next = Choose another directory: a centre is not made twice.
error-spoke-database-missing = There is no database { $file }
    .next = Check the key database in the settings; svod-spoke init makes a new one.
error-spoke-database-foreign = { $file } is not the database of a centre of this exchange
    .next = Check the key database in the settings: this is another program's database.
error-spoke-database-version = The database { $file } has another version: { $detail }
    .next = { $todo }
error-spoke-database-busy = Another program holds the database: { $detail }
    .next = Try again in a minute; close the program that holds it.
error-spoke-database-altered = Another program has altered the tables or the schema of the database: { $detail }
    .next = Run svod-spoke sync or verify --restore; if that does not help, put the database back from a copy.
error-spoke-database-damaged = The file of the database is damaged: { $detail }
    .next = Stop the service and the programs that work with the database, and keep centre.db as it is. Put a copy back: svod-spoke restore FILE --replace, then start the service and resync. Look at the disk (OPERATING, section 8).
error-spoke-database = The database did not do it: { $detail }
    .next = Check free space and write permission; then svod-spoke verify.
error-spoke-mailbox = Mailbox: { $detail }
    .next = { $todo }
error-spoke-file = File or directory: { $detail }
    .next = Check permissions and free space.
error-spoke-no-room = Not written: { $detail }
    .next = Make room on the disk and repeat: what had no room was not applied. The daemon goes on by itself once there is room.
error-spoke-packet = The packet could not be handled: { $detail }
    .next = Nothing was applied; try again. If it recurs, tell the developers.
error-spoke-stream = Sending is stopped: { $detail }
    .next = Look at the incidents: svod-spoke status
error-spoke-no-hub-card = There is no card of the coordination centre { $code } in trust
    .next = Put it back from a copy, or get it from the coordination centre and compare the fingerprint by phone.
error-spoke-card-no-hub = The card of participant { $code } is no hub's: it names no certificate authority
    .next = Have the card from the coordination centre: svod-hub centre card.
error-spoke-no-table = There is no table of that name (of { $length } characters)
    .next = Tables known: { $known }
error-spoke-no-row = Table { $table } has no row with that id (of { $length } characters)
    .next = Check the id.
error-spoke-csv-unreadable = File { $file }: { $detail }
    .next = If it cannot be read or written, check path, permissions and disk space; if its content is at fault, correct that in the file and repeat.
error-spoke-csv-column = { $file }, heading line: the table does not know column { $n } (of { $length } characters)
    .next = The first line must have the headings. Name the column in the --columns file or rename it. Known: { $known }
error-spoke-csv-key = { $file }: there is no column as named by --key (of { $length } characters)
    .next = Give --key one of the columns: { $known }
error-spoke-propose-own = Row { $table } { $id } is your centre's
    .next = Change it in your own program: no proposal is needed.
error-spoke-propose-table = Row { $table } { $id } is the coordination centre's alone: no change of it can be proposed
    .next = Tell the centre what is wrong in it; whom to ask, svod-spoke why { $table } { $id } says.
error-spoke-propose-column = Nothing can be proposed for column { $column } of table { $table }
    .next = Proposals are about the locked fields of a row except numbers and references: svod-spoke why.
error-spoke-propose-value = Column { $column } of table { $table }: { $detail }
    .next = Correct the value: a date is YYYY-MM-DD or DD.MM.YYYY, an СНИЛС 11 digits, a sex М or Ж.
error-spoke-propose-rule = Column { $column } of table { $table }: rule { $rule }
    .next = Correct the value; docs/RULES.md lists the rules
error-spoke-propose-stands = Row { $table } { $id } says so already
    .next = Nothing is to be done.

spoke-database-versions = table version { $found }; this program writes version { $expected }
spoke-database-newer = A newer program made the database: update the exchange program.
spoke-database-older = The database is older than the program: put back the version of the program that worked with it, or make the centre anew (svod-spoke init) and import its data. There is no conversion.
spoke-database-stored = the stored body of { $kind } { $key } cannot be read
spoke-database-corrupt = { $table } holds a value that this program did not write
spoke-database-of = { $file } is the database of { $code }

row-state-own = own
row-state-provisional = provisional
row-state-locked = locked
row-state-alias = alias
row-state-withdrawn = withdrawn
row-is-own = own
row-is-provisional = provisional
row-is-locked = locked
row-is-alias = alias
row-is-withdrawn = withdrawn
stream-stop-restored = stopped: the database was put back from a copy
stream-stop-clone = stopped: a second copy of the database is at work
proposal-state-unfit = unfit
proposal-state-open = open
proposal-state-sent = sent
proposal-state-accepted = accepted
proposal-state-declined = declined
proposal-state-refused = refused
incident-tampered = The database was altered past the exchange.
incident-diverged = What is kept of the exchange here is not what was exchanged: rows were lost or altered, here or at the other side. It is put right by itself, where needed by a snapshot that is asked for. If it comes again, look at the disk and at who writes in the database.
incident-restored = The database was put back from a copy, the stream stands still. Delete nothing; the command resync shows what was lost and how to go on. If nobody has put it back, the same centre runs on another machine too: stop one of them first.
incident-journal-altered = The journal was altered, or its last entries were deleted: put the database back from a copy, or find out who changed it and why.
incident-many-gone = Most rows of the table, or their lines, are gone, or rows went past the exchange and could not be put back. Nothing of it was sent to the coordination centre. Put the rows back; if they were deleted on purpose: svod-spoke gone TABLE --confirm; to have them as they were sent: svod-spoke gone TABLE --restore.
incident-row-taken = A row of your centre's has the number of a publication, which waits. Give the row another id.
incident-rows-beside = Rows stand in this table and found no place in their own. Look at them, put what is missing into the right table, then drop this one (DROP TABLE).
incident-archive-lost = The file of a packet of ours is gone from the archive, or damaged there, before it was answered. A packet was said again; put an answer (KV, PR) back from a copy of archive, and look at the disk.
incident-unsealed = Rows of the database from which this centre is told something are damaged, and are not signed: as long as they are to go out, nothing goes out to it; the others get theirs. The hub puts them right, or asks for the centre's copy. If this still stands when that copy has come, put the database back from a copy, and look at the disk.
incident-misplaced = A row of the database said that this centre is told of somebody of whom it was never told: the row is damaged and was dropped, and nothing of it went out. Look at the disk and at who writes in the database; then incident close.
incident-spool-lost = A packet is gone from the spool, or damaged there, before it was answered: sent again.
outcome-unsendable = not sent
    .one = not sent
spoke-status-more = and { $n } more: --format json lists all
spoke-status-no-rows = No rows yet
spoke-status-unsendable = Table { $table }, row { $id }, field { $field }: { $problem } The row is not sent; correct it in your program.
spoke-status-deadline = an answer is due by { $at }
spoke-why-never-sent = { $table } { $id }: your centre's row ({ $owner }), state { $state }
    It was not sent yet. It may be changed.

digest-tables-are-missing-or-altered = tables are missing or altered
digest-nothing-has-come-from-the-hub = nothing has come from the hub
digest-no-packet-is-noted-as-applied = no packet is noted as applied
digest-the-keys-that-open-the-archived-packet-cannot-be-read = the keys that open the archived packet cannot be read
digest-the-packet-is-gone-from-the-archive = the packet is gone from the archive
digest-the-archived-file-is-not-the-packet-that-was-applied = the archived file is not the packet that was applied
digest-no-key-here-opens-the-archived-packet = the archived packet is sealed to other keys than those that are here (it is as it came; the older lines of keys/age.key open it)
digest-the-packet-states-no-sum = the packet states no sum
closed-agrees-again = agrees again
closed-restored = restored
closed-found-whole = found whole
closed-decided = the rows are back, or a person has decided
closed-shown = shown
closed-by-staff = looked into
closed-taken = taken after all
closed-told-anew = told anew in another epoch
error-spoke-map-unreadable = The map of columns { $file } (--columns) cannot be read: { $detail }
    .next = It has a section [columns] and lines "Heading in the file" = "column of the table".
error-spoke-map-column = { $file } (--columns): line { $line }: names a column that the table does not have (of { $length } characters)
    .next = Correct the name of the column in that file. Known: { $known }

spoke-resync-asked = The database was restored from a copy. The coordination centre's snapshot, which the daemon asks for, has not come yet
spoke-resync-unreadable = The snapshot that came cannot be opened with the keys that are here, or is damaged: the daemon asks for another. What was decided of it does not count; run resync again when it has come
spoke-resync-ready = The database was restored from a copy. The coordination centre's snapshot has come; this is how it differs from the database:
spoke-resync-confirmed = Decided: the daemon takes back what was lost and goes on. Start it, if it does not run
spoke-resync-differences = Record by record (here: in this database; there: at the coordination centre):
spoke-resync-value = { $field }: here «{ $here }», there «{ $there }»
spoke-resync-file = All of them stand in { $file } (personal data)
spoke-resync-more = … and { $n } more: all of them are written by svod-spoke resync --out FILE.csv (personal data)
spoke-resync-line = Row { $id }: as the coordination centre has it. Otherwise were: { $fields }
spoke-resync-line-next = The values that stood here are in { $file }, beside the database.
spoke-resync-unknown = Packets that the lost database has sent, known now neither here nor at the coordination centre ({ $n }); they lie in spool/, svod-packet unpack opens them with archive.key. Ask whoever entered their records (a packet may have none):
spoke-resync-next = Take back what was lost and go on: svod-spoke resync --yes
spoke-resync-choose-next = Take back what was lost and go on: svod-spoke resync --yes --keep mine (what the database says stands) or --keep theirs (what the coordination centre has; the values in the database are gone)
resync-what-back = rows come back
resync-what-changed = rows become as the coordination centre has them (whatever --keep says: nothing was changed here since)
resync-what-ended = rows are deleted: this centre deleted them and said so
resync-what-noted = no row changes, it is known again that it was sent
resync-what-moved = to be chosen
resync-what-sent-again = sent again
closed-resynced = what was lost was taken back
