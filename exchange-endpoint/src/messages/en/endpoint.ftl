### What both daemons say.

label-error = Error
error-bug = A bug of the program: { $detail }
    .next = The data are unharmed: what was not finished was not applied. Send the developers this line and the log.
error-usage = The command was not understood: { $detail }
    .next = { $call }More: --help
error-same-file = { $file } is one of the files that are read, or named twice: the result would take its place
    .next = Nothing was done. Name another file for the result.
error-output = The result could not be written: { $detail }
    .next = See whether the disk that takes the output is full, and run the command again.

error-config-not-named = No configuration file is named
    .next = Add --config FILE
error-config-unreadable = Configuration file { $file } cannot be read: { $detail }
    .next = Check the path and the permissions.
error-config-syntax = { $file }:{ $line }: column { $column }: not TOML: { $detail }
    .next = Correct this line.
error-config-mistyped-key = { $file }:{ $line }: key { $key }: there is no such key
    .next = Probably “{ $detail }” was meant.
error-config-unknown-key = { $file }:{ $line }: key { $key }: there is no such key
    .next = Remove it or choose one that is known: { $detail }
error-config-missing-key = { $file }:{ $line }: key { $key }: not set
    .next = Add key { $key } and its value.
error-config-value = { $file }:{ $line }: key { $key }: { $detail }
    .next = Correct the value of key { $key }.

error-instance-owned = Database { $database } is in use by another process (number { $pid })
    .next = { $todo }
instance-next = Wait until it ends, or stop it. Two programs never work on one database.
error-instance-lock = The database could not be taken: { $file }: { $detail }
    .next = Check that the directory of the database exists and can be written to.
error-log-file = Log file { $file } cannot be opened: { $detail }
    .next = Check the path and the permission to write.
error-log-filter = Log filter “{ $filter }” was not understood: { $detail }
    .next = Say, for example, info or info,svod_hub=debug

error-watermark-file = Watermark file { $file }: { $detail }
    .next = Check that it lies beside the keys and can be read. If it is lost, do not create an empty one: the database may have been restored from a copy; tell the coordination centre.
error-watermark-damaged = Watermark file { $file } is damaged, line { $line }: { $detail }
    .next = Neither mend it by hand nor put back a copy: it shows whether the database was restored. Tell the coordination centre.

error-keys-exist = File { $file } is already there: keys are never overwritten
    .next = A participant is already set up in this directory. Choose another one for new keys.
error-keys-file = Key file { $file }: { $detail }
    .next = Check the path and the permissions. Keys do not come back with a database: lost keys are replaced by a new card.
error-keys-exposed = Key file { $file } is open to others than its owner (mode { $mode })
    .next = Run chmod 600 on this file; if somebody may have read it, replace the keys.
error-keys-malformed = File { $file } is damaged: { $detail }
    .next = Put the file back from the protected copy of the keys, or replace keys and card.
error-keys-other = File { $file } belongs to participant { $found }, not { $expected }
    .next = Check the participant code and the key directory in the configuration.
error-card-fingerprint = The card's fingerprint { $found } is not the one told (of { $length } characters)
    .next = Compare the fingerprint with the card's owner by phone; if it differs, do not load the card.
error-card-not-valid = The card is valid from { $from } to { $until }, not on { $on }
    .next = Ask the participant for a new card; check this computer's clock.
error-card-malformed = Not a participant card, or a damaged one: { $detail }
    .next = Ask for the card file again.
error-root-over-other = The database { $file } belongs to the account { $owner }, and this command runs as root: the daemon could not read the files that it would make
    .next = Run it as the owner: sudo -u { $owner } and the same command.
error-trust-file = Card directory, { $file }: { $detail }
    .next = Check the path and the permissions.
error-trust-two-hubs = Among the cards are those of several hubs: { $codes }
    .next = Name in --trust the cards of one hub and its centres: somebody's card passes itself off as a hub's.
error-trust-successions = The file { $file } is damaged: it says from which packet on each card counts
    .next = Put it back from a copy of the directory of cards. If there is none, delete it: then only the last card counts.
error-keys-changing = The keys are changing already: not every participant has taken the new ones
    .next = keys list says who has not. When all have, they can be changed again.
error-quarantine-unknown = There is no such file in quarantine
    .next = quarantine list says the names.
error-quarantine-final = The file { $file } is not judged again
    .next = quarantine show says why.
error-trust-misplaced = File { $file } holds the card of participant { $found }
    .next = Remove the file and load the card by the command, after comparing the fingerprint.


io-not-found = no such file or directory
io-permission = permission denied
io-exists = exists already
io-not-a-directory = not a directory
io-is-a-directory = is a directory
io-not-empty = the directory is not empty
io-full = no space left on the disk
io-too-large = the file is too large
io-read-only = read only
io-address-in-use = the address is in use by another program
io-address-not-here = this computer has no such address
io-connection-refused = connection refused
io-connection-lost = the connection was lost
io-unreachable = the network or host cannot be reached
io-timed-out = timed out
io-cut-off = the data end too early
io-invalid-data = the data are of another form
io-memory = out of memory
io-device = the disk cannot be read or written
io-too-many-files = too many open files
sqlite-cannot-open = the database file cannot be opened
sqlite-busy = another program holds the database
sqlite-damaged = the database file is damaged
sqlite-said = { $said }
exchange-not-written = { $said }
exchange-no-answer = { $said }
exchange-other-file = { $file } is already there with other bytes
seal-not-begun = the stream has not begun: its first packet is a snapshot
seal-restored = the stream is stopped: the database was put back from a copy
seal-clone = the stream is stopped: a second copy of the database is at work
seal-no-parts = a snapshot has at least one part
seal-used-up = the numbers of packets are used up
journal-entry = { $said }
journal-altered = journal entry { $n } was altered
journal-missing = journal entry { $n } is missing
sqlite-altered = a table or column is missing or renamed
card-no-card = not a signed text of at most 64 KiB
card-line = line { $line } must begin with “{ $expected }”
card-code = code: { $why }
card-key = signing_key: { $why }
card-other-key = the card is of { $code }, its signing key of { $key }
card-value = { $field }: { $problem }
card-signature = its signature: { $why }
card-of-other-keys = it names other keys than the key files beside it
key-form = not a key of the form { $form }
key-name = the key's name: { $why }
key-number = the key's number { $found } should be { $expected }: a character was mistyped or lost
key-unusable = not a usable Ed25519 key
key-age = not an age key
key-too-large = too large for a key file
signature-none = not a signed note with exactly one signature
signature-other-text = it signs another text (line { $line } differs)
signature-other-key = made by key { $found }, known is { $expected }
signature-wrong = the signature does not hold
pem-none = no certificate and no key in PEM
pem-damaged = its content is damaged
certificate-expired = the certificate has expired
certificate-not-yet = the certificate is not valid yet
certificate-purpose = the certificate is for another purpose
certificate-issuer = the certificate is of an unknown authority
certificate-revoked = the certificate is revoked
certificate-name = the certificate is for another name
certificate-key = the private key is not of this certificate
certificate-unfit = certificate or key unfit: { $said }
json-place = line { $line }, column { $column }: not of the form expected
participant-digits = a participant code is 7 digits
name-characters = a packet's name has only A-Z, 0-9, _ and the ending .zip or .zip.age, at most 80 characters
name-ending = a packet's name ends in .zip or .zip.age
name-parts = a packet's name has 8 parts between underscores, this has { $n }
name-prefix = the name begins with "{ $said }", not SVOD1: no packet of this exchange, or of a newer format
name-kind = "{ $said }" is no kind of packet (DT SN KY KV PR RQ)
name-number = { $part }: "{ $said }" is not { $width } digits from 1
name-date = "{ $said }" is not a date YYYYMMDD
name-digest = "{ $said }" is not 16 upper-case hexadecimal digits
participant-check = participant code { $code }: the check digit should be { $expected }; it was probably mistyped

config-range = must be within { $from }–{ $to }
config-list-twice = another list of this model is named already
config-ports = must be the first and the last port, the first not above the last
config-oktmo = an ОКТМО has 8 digits
config-region = a region has 2 digits
config-variant = no such value; known: { $known }
toml-syntax = line { $line }, column { $column }: not TOML: { $said }
toml-not-this = line { $line }, column { $column }: another name or value is needed here
config-type-number = must be a whole number
config-type-boolean = must be true or false
config-type-text = must be a text in quotation marks
config-type-other = of another type

usage-unknown = an unknown or superfluous argument ({ $argument }){ $near }
usage-no-command = unknown command ({ $argument }){ $near }
usage-word = { $n ->
    [0] characters: { $length }
   *[other] word { $n }, characters: { $length }
}
usage-twice = { $argument } stands twice
usage-near = { "" }; perhaps { $near }?
usage-command-missing = no command is named
usage-missing = missing: { $argument }
usage-conflict = { $argument } and { $other } exclude each other
usage-no-value = { $argument } needs a value
usage-value = the value of { $argument } is not possible
usage-not-among = the value of { $argument } is not possible; known: { $known }{ $near }
usage-value-why = the value of { $argument } is not possible: { $why }
usage-values = { $argument } takes another number of values
usage-utf8 = an argument is not UTF-8
usage-range = a whole number from { $from } to { $to } is needed
usage-number = a whole number within its limits is needed
usage-claim = a claim is named CENTRE:KEY, as in person show
usage-reason = 1 to 1000 characters in one line
usage-wish = COLUMN=VALUE is needed
usage-call = It is called so: { $call }.{ " " }

mailbox-temporary = { $action }: { $place } does not answer as it should now: { $reason }
mailbox-refused = { $action }: { $place } refuses { $name }: { $reason }
mailbox-unusable = mailbox { $place }: { $reason }
mailbox-listing = listing out
mailbox-fetching = fetching
mailbox-placing = placing
mailbox-waiting = waiting
mailbox-no-folder = there is no folder { $folder }
mailbox-no-name = not a plain file name
mailbox-no-file = there is no such file in out
mailbox-taken = another file of { $there } bytes has this name, ours has { $ours }
mailbox-damaged-there = the uploaded part came out with { $seen }; it was removed
mailbox-damaged-here = the fetched part is not the file offered; it was removed
mailbox-ca = CA file: { $detail }
mailbox-ca-empty = the CA file holds no certificate
mailbox-client = client certificate or key: { $detail }
mailbox-client-half = certificate_file and key_file go together
mailbox-tls = no secure connection: { $said }
mailbox-server-said = the server said: { $said }
mailbox-silent = no answer for { $seconds } s
mailbox-login = the login was refused: { $said }
mailbox-local = a file here: { $detail }
mailbox-next-line = Check the line and the section [mailbox] of the settings.
mailbox-next-folder = Correct path under [mailbox], or let the hub make the folder (centre add).
mailbox-next-file = Put the file there or correct its path under [mailbox].
mailbox-next-client = Give both under [mailbox], or neither.
mailbox-next-pem = Give the PEM files that the hub's administrator handed out.
mailbox-next-login = Check user, password_file and the client certificate under [mailbox].
mailbox-next-ca = The server shows another certificate: check ca_file and server_name under [mailbox].

quarantine-count = Files: { $n }.
quarantine-count-hidden = Files: { $n }; { $hidden } more whose packets were taken later are shown by --all.
quarantine-none = There is nothing in quarantine.
quarantine-file = { $file }
    { "" }    from { $peer }, since { $since }: { $what } ({ $reason })
    { "" }    → { $next }
quarantine-again = It came { $n ->
    [one] { $n } time
   *[other] { $n } times
}, last at { $last }.
quarantine-then = When the cause is mended: quarantine replay { $file }
quarantine-taken = Nothing is to be done: a packet of that name was taken later.
quarantine-answered = Its sender has the answer, it is not judged again; the file is kept for the auditors.
quarantine-replays = Nothing is to be done: the daemon judges it again.
quarantine-replayed = { $n ->
    [0] There is nothing to judge again.
    [one] { $n } file is judged again. When the daemon has done it, quarantine list says what became of it.
   *[other] { $n } files are judged again. When the daemon has done it, quarantine list says what became of them.
}

keys-own = Own cards:
keys-telling = The new keys, as told to the participants:
keys-peers = Cards of the others:
keys-card = { "" }  { $code }  { $state }, valid until { $until }
    { "" }    { $fingerprint }
keys-rotated = New keys are made; their card is valid until { $until }, its fingerprint is { $fingerprint }. The daemon tells them to the participants; the old ones are in force until all have taken them. keys list says how far that is.
keys-told-again = The new keys are told again to those who have refused them. The card's fingerprint is { $fingerprint }, it is valid until { $until }.
card-state-current = in force
card-state-next = to come
card-state-former = former
ky-state-untold = not told yet
ky-state-open = told, no answer
ky-state-taken = taken
ky-state-refused = refused; keys rotate tells them again

request-packet = { "" }  { $peer }: packet { $epoch }/{ $first }, { $minutes } min (since { $since }); asked again { $next }
request-packets = { "" }  { $peer }: packets { $epoch }/{ $first }–{ $last }, { $minutes } min (since { $since }); asked again { $next }
request-snapshot = { "" }  { $peer }: a whole snapshot, { $minutes } min (since { $since }); asked again { $next }
request-ranges = { "" }  { $peer }: which records differ, { $minutes } min (since { $since })
request-heading = Asked for and not here yet:
difference-heading = Records that differ ({ $n }); a whole snapshot is asked for, which mends it:
difference-line = { "" }  { $kind } { $key }: here { $here }, at the other end { $there }
difference-none = none

resync-none = There is nothing to recover: no stream is stopped
error-resync-not-yet = The other side's snapshot has not come yet
    .next = The daemon asks for it. See that it runs and that the line works, and try again later.
error-resync-choose = Records changed both here and in what was lost: { $n }
    .next = Look at them (svod-spoke resync) and choose: --keep mine or --keep theirs.
incident-peer-restored = The other side's database was restored from a copy; it recovers what it has lost. New data from it are taken when its staff have done resync.

backup-done = Copy of the database: { $file }. The participant's key or the archive key opens it
restore-done = The database was put back from the copy of { $at }
restore-before = The database that stood there: { $file }
restore-stopped = Packets were sent or taken since (or nobody can tell: there is no watermark). Start the daemon, it asks for what was lost; resync shows what that is and how to go on
restore-goes-on = No packet was sent or taken since: start the daemon
error-backup-file = File { $file }: { $detail }
    .next = Check the path, the permissions and the free space: two copies of the database need room.
error-backup-exists = { $file } is already there
    .next = Name a new file: a copy overwrites nothing.
service-stopped = The service does not run now (as it should be where sync exchanges by a schedule)
service-hindered = The service is hindered since { $since }: { $what }
service-ended = The service ended at { $since }: { $what }
error-backup-another = { $file } is being copied or put back already
    .next = Wait for that command to end, and try again.
error-restore-in-use = { $file } is open in another program: what it writes would be lost
    .next = Close the programs that work with the database, and try again.
error-backup-database = The database could not be copied: { $detail }
    .next = Check the path of the database in the configuration; if it is busy, try again.
error-backup-damaged = The database or its copy is damaged: { $detail }
    .next = Take an earlier copy. Keep the damaged database for the developers.
error-backup-other-key = { $file }: none of the keys here opens it
    .next = Name the key: --key archive.key.
error-backup-not-one = { $file }: no copy of a database, or a damaged one
    .next = Take another copy.
error-backup-other = This is a copy of participant { $found }, here is { $expected }
    .next = Check whether it is the right copy and the right configuration.
error-backup-unsigned = The copy is signed by no key of this participant
    .next = Take another copy; former cards of the participant must lie in trust/.
error-restore-exists = There is a database { $file }
    .next = To put the copy in its place, add --replace: the database that stands there stays beside it.

overdue-heading = These wait for too long:
overdue-placing = Packets for { $peer } cannot be placed ({ $n }, since { $since }).
    .next = Check the line and the disk; the program's log says why.
overdue-receipt = { $peer } does not fetch its packets ({ $n }, since { $since }).
    .next = Ask there whether the daemon runs and the line works.
overdue-protocol = { $peer } has received packets and says nothing of them ({ $n }, since { $since }).
    .next = Ask there what status shows: the stream may be stopped, or the disk full.
overdue-held = Packets of { $peer } wait for earlier ones ({ $n }, since { $since }).
    .next = What is missing is asked for; ask there whether the daemon runs.
overdue-asked = { $peer } does not send what it was asked for ({ $n }, since { $since }).
    .next = Ask there whether the daemon runs, and what status shows.
overdue-silence = Nothing has come from { $peer } since { $since }.
    .next = Check the line, and ask there whether the daemon runs.
overdue-comparison = The database was put back from a copy, and the snapshot of { $peer } has not come since { $since }.
    .next = Check the line, and ask there whether the daemon runs.
overdue-recovery = The database was put back from a copy, the stream with { $peer } stands still since { $since }.
    .next = Run resync: it shows what was lost and how to go on.
overdue-decided = The database was put back from a copy, the stream with { $peer } stands still since { $since }; what is taken back is decided, and the daemon has not done it.
    .next = Start the daemon, if it does not run; else its log says what hinders it.
overdue-peer-recovery = The database of { $peer } was put back from a copy, and since { $since } the exchange does not go on there.
    .next = Ask there that resync be run.
overdue-signature = Decisions of staff wait for a second signature ({ $n }, since { $since }).
    .next = A colleague signs or does not: review list, review show, review sign.
