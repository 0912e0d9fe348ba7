### What svod-hub says.

hub-init-done = The hub is ready. Configuration: { $config }
    Card for the centres: { $card }
    Its fingerprint (tell it on another way, such as the telephone): { $fingerprint }
hub-own-card = Card of the hub: { $card }
    Fingerprint (tell it on another way): { $fingerprint }
    Valid until { $until }
hub-centre-new = Centre { $code } is enrolled
hub-centre-superseded = Centre { $code }: the new card is taken, the old one kept
hub-centre-password = Centre { $code }: the new password is taken
hub-centre-known = Centre { $code } is enrolled already with this card and this password
hub-centre-disabled = Centre { $code } is disabled; files removed from its out: { $removed }
hub-certificate-issued = Centre { $code }: the client certificate { $certificate } is issued, its key { $key }. Hand both to the centre on a safe way (certificate_file and key_file in [mailbox]) and remove the key here; without the certificate the centre can no longer log in.
hub-certificate-pinned = Centre { $code }: the login needs the client certificate with the fingerprint { $digest }
hub-certificate-revoked = Centre { $code }: there is no client certificate any more
hub-no-centres = There are no centres: add them with centre add
hub-card-until = card valid until { $until }
hub-state-active = may exchange
hub-state-disabled = disabled
hub-state-merged = initial load merged
hub-state-unmerged = initial load not merged

hub-merge-tried = Dry run of the merge: nothing has changed
hub-merge-done = Merged, protocol { $protocol }
hub-merge-counts = Recipient records: { $claims }, new persons: { $created }, persons in all: { $persons }, programmes and supplements: { $documents }, services confirmed: { $confirmed }
hub-merge-stage-index = comparing records of recipients: { $done } of { $all }
hub-merge-stage-settle = who is who: { $all } records
hub-merge-stage-documents = programmes and supplements: { $all }
hub-merge-stage-publish = what each centre is told: { $done } of { $all } people
hub-merge-stage-write = writing into the database
hub-reviews-would = Staff would be asked (after the merge: review list; to read now: merge --dry-run --out FILE.csv):
hub-reviews-open = Waiting for staff (review list):

hub-status = Hub { $code }: { $persons } persons, { $journal } journal entries
hub-status-merge-waits = Records of initial loads that wait for merge: { $n }
hub-status-centre = { $code }  { $name }: in { $in }, out { $out }; unanswered { $unanswered }, waiting for earlier ones { $held }, records not accepted { $refused }, in quarantine { $quarantined }, incidents { $incidents }
hub-status-late = no file for a long time
hub-status-stopped = stream stopped
hub-incidents = Incidents:

hub-person-asked = { $uid } turned out to be this person
hub-person-served = Served by: { $centres }
hub-entry = the hub's entry, { $actor }: { $reason }
hub-said = { $case }  { $uid }: taken; told to centres: { $centres }
hub-said-before = { $case }  { $uid }: as it was; served by: { $centres }

hub-no-reviews = No open questions
hub-review-file = Questions: { $count }; table: { $file }. Fill in the columns decision and reason and run review apply.
hub-review-applied = Decided: { $decided }, decided before: { $unchanged }, without a decision: { $left }, no longer asked: { $gone }; persons touched: { $persons }

table-too-large = the file is larger than 256 MiB
table-no-text = this is no text (a zero byte)
table-no-column = there is no column { $column }
table-cells = { $cells } cells, the heading has { $heading }
table-no-table = this is no table of separated values
table-twice = the same question as in line { $line }
table-decided-otherwise = decided otherwise before; to change a decision, add --revise
table-decision = column decision: must be one of один, разные, принять, отклонить (one, different, accept, decline)
table-decision-pair = column decision: of two records один (one) or разные (different)
table-decision-programme = column decision: of two programmes only разные (different), and both stand; else a centre ends one of them
table-decision-change = column decision: of a change or a proposal принять (accept) or отклонить (decline)
table-reason = column reason: a reason is required, of at most 1000 characters
table-review-number = column review: not a number
table-review-unknown = column review: there is no such question
table-other-record = column { $column }: not of this question
table-proposal-target = column decision: only a proposal about a person that the hub knows can be accepted here
table-proposal-value = column decision: the wished value of { $field } cannot be published

rule-staff = decided by staff
rule-snils-birth = СНИЛС, birth date and given name
rule-snils-names = СНИЛС and full name
rule-name-birth-document = full name, birth date and document
rule-name-birth-address = full name, birth date and address
rule-name-birth-phone = full name, birth date and phone
rule-single = the only claim of its person

review-snils-only = equal СНИЛС, names or dates differ
review-snils-conflict = all is equal, but the СНИЛС differ
review-name-birth-only = only full name and birth date are equal
review-surname = another surname, the rest equal
review-document = the same document, names or dates differ
review-birth-date = birth dates alike, not equal
review-name-variant = variants of the name, or no patronymic
review-names-swapped = surname and given name changed places
review-contested = linking would chain different people
review-overlap = active programmes overlap
review-identity-changed = another person under the same key
review-locked = the centre changed what is published
review-proposal = the centre's proposal
review-next = Run svod-hub review list, decide one or different, and load it: review apply.

error-hub-busy = The database is busy with another command
    .next = Repeat the command in a minute.
error-hub-no-database = There is no database { $file }
    .next = Check the configuration (database), or make a hub with init.
error-hub-database-foreign = { $file } is not the database of a hub
    .next = Check the key database of the configuration: this file is another program's.
error-hub-read-only = The database or its directory cannot be written
    .next = Run the command as the user of the service, or mend the permissions of the database's directory.
error-hub-damaged = The database holds a value that this program did not write: { $detail }
    .next = Stop the service, keep a copy of the database, and tell the developers.
error-hub-exists = { $file } exists already
    .next = Name another place: what exists is not overwritten.
error-hub-older = The database { $file } has not the schema that this program reads (schema { $detail })
    .next = Take the version of svod-hub that worked with it, or check that it is the right database.
error-hub-newer = The database { $file } was made by a newer program (schema { $detail })
    .next = Update svod-hub.
error-hub-file = File or directory { $file }: { $detail }
    .next = Check path, permissions and disk space, and repeat.
error-hub-step = Not done: { $detail }
    .next = Nothing was half applied; mend the cause and repeat.
error-hub-start = The service has not started: { $detail }
    .next = Mend the cause and start it again.
error-hub-case-numbers = Case numbers: { $detail }
    .next = Give an ОКТМО of 8 digits; if the numbers are used up, set another in the configuration.
error-hub-name-unfit = The name does not fit on a card
    .next = Give 1 to 200 characters in one line.
error-hub-certificates = Certificates of the FTPS server: { $detail }
    .next = Put the directory pki back from the backup.
error-hub-no-card = There is no card of participant { $code } in trust
    .next = Take the card again: centre add
error-centre-is-hub = { $file } is the card of the hub itself
    .next = Name the card of a centre.
error-centre-unknown = Centre { $code } is not enrolled
    .next = See who is: centre list
error-centre-revoked = Centre { $code } is disabled, and the card bears a key that it had
    .next = A centre returns only with new keys: make them anew (svod-spoke init) and take the new card.
error-centre-no-claim = Centre { $code } has said nothing of this person
    .next = Only a centre that sent the person can be confirmed: person show
error-client-certificate = The client certificate { $file } will not do: { $detail }
    .next = Name a client's certificate in PEM form that is valid today, not that of a CA.
error-client-certificate-what = It is not said what to do with the client certificate
    .next = Give one of the three: --out DIR, --cert FILE or --revoke.
error-oktmo-missing = The ОКТМО is missing: it is part of every case number, and a number once given out never changes
    .next = Add --oktmo and the 8 digits of the municipality's ОКТМО.
error-password-file = The password file { $file } cannot be read: { $detail }
    .next = Check the path and the permissions.
error-password-short = The first line of { $file } is no good as a password: at least { $length } characters are needed
    .next = Write the password as the first line of the file.
error-person-unknown = There is no person with this uid or case number
    .next = Check the number.
error-field-unknown = A person has no such field
    .next = Known fields: { $known }
error-value-unfit = The value does not fit the field { $field }: { $problem }
    .next = Correct the value.
error-table-line = { $problems }
    .next = Nothing was applied. Correct the named lines and repeat.
