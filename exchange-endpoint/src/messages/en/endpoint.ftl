### What both daemons say.

label-error = Error
error-bug = A bug of the program: { $detail }
    .next = The data are unharmed: what was not finished was not applied. Send the developers this line and the log.
error-usage = The command was not understood: { $detail }
    .next = See how to call it: --help
error-output = The result could not be written: { $detail }
    .next = See whether the disk that takes the output is full, and run the command again.

error-config-not-named = No configuration file is named
    .next = Add --config FILE
error-config-unreadable = Configuration file { $file } cannot be read: { $detail }
    .next = Check the path and the permissions.
error-config-syntax = { $file }:{ $line }: key { $key }: not TOML: { $detail }
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
    .next = Wait until it ends, or stop it. Two programs never work on one database.
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
error-card-fingerprint = The card's fingerprint { $found } is not the one told, { $expected }
    .next = Compare the fingerprint with the card's owner by phone; if it differs, do not load the card.
error-card-not-valid = The card is valid from { $from } to { $until }, not on { $on }
    .next = Ask the participant for a new card; check this computer's clock.
error-card-malformed = Not a participant card, or a damaged one: { $detail }
    .next = Ask for the card file again.
error-trust-file = Card directory, { $file }: { $detail }
    .next = Check the path and the permissions.
error-trust-misplaced = File { $file } holds the card of participant { $found }
    .next = Remove the file and load the card by the command, after comparing the fingerprint.
