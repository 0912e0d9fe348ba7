### What svod-hub says.

hub-yes = yes
hub-no = no
hub-card =
    Participant { $code }, { $name }
    Card: { $card }
    Fingerprint of the card (tell it on another way): { $fingerprint }
    Configuration: { $config }
hub-centre = { $code }  { $name }  exchanges: { $active }, initial load merged: { $merged }
hub-no-centres = There are no centres: add them with centre add
hub-merge-tried = The merge was only tried: nothing has changed
hub-merge-done = Merged, protocol { $protocol }
hub-merge-counts = Recipient claims: { $claims }, new persons: { $created }, persons in all: { $persons }, programmes and supplements: { $documents }, services confirmed: { $confirmed }
hub-reviews-open = Waiting for staff (review list):
hub-status = Hub { $code }: { $persons } persons, { $journal } entries in the journal
hub-status-centre = { $code }  { $name }: last file { $last }, unanswered { $unanswered }, records not applied { $refused }, in quarantine { $quarantined }
hub-status-late = nothing heard for long
hub-status-disabled = disabled
hub-status-unmerged = initial load not merged
hub-status-stopped = the stream is stopped
hub-incidents = Incidents:
hub-person-merged = Turned out to be { $uid }
hub-person-served = Served by: { $centres }
hub-changed = Changed: { $uid }; the centres get it with the next packet
hub-unchanged = Unchanged: { $uid }
hub-no-reviews = There are no open questions
hub-review-file = Questions: { $count }; table: { $file }. Fill in decision and reason, then run review apply.
hub-decided = Decisions carried out: { $decided }, passed over (settled meanwhile): { $passed }

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

error-hub-busy = The database is held by another command
    .next = Run the command again in a minute.
error-hub-no-database = There is no database { $file }
    .next = Check the configuration (database), or make a hub with init.
error-hub-exists = { $file } exists already
    .next = Name another directory: nothing is overwritten.
error-hub-database-foreign = { $file } is not the database of a coordination centre
    .next = Check the key database in the settings: this is another program's file.
error-hub-newer = Database { $file } was made by a newer program: { $detail }
    .next = Update svod-hub.
error-hub-file = File or directory { $file }: { $detail }
    .next = Check permissions and disk space, and try again.
error-hub-step = Not done: { $detail }
    .next = Nothing was half applied; remove the cause and try again.
error-hub-start = The daemon did not start: { $detail }
    .next = Remove the cause and start it again.
error-hub-code = { $detail }
    .next = Compare the participant code with its card.
error-centre-is-hub = Participant { $code } is the hub itself
    .next = Name the card of a centre.
error-centre-unknown = Centre { $code } is not enrolled
    .next = See the list: centre list
error-password-file = The password file { $file } cannot be read: { $detail }
    .next = Check the path and the permissions.
error-password-short = The password in { $file } has fewer than 8 characters
    .next = Make a longer one.
error-person-unknown = There is no person with this uid or case number: { $name }
    .next = Check the number.
error-field-unknown = A recipient has no field { $field }
    .next = See the names of the fields: person show
error-value-unfit = The value does not fit field { $field }: expected is { $expected }
    .next = Correct the value.
error-review-unreadable = Table { $file } cannot be read: { $detail }
    .next = Check the path and the permissions.
error-review-line = { $file }, line { $line }: column { $column } is not filled in, or wrongly
    .next = decision: same, different, accept or decline; reason: why; leave number as it is.
error-review-answer = Line { $line }: column { $column } does not fit this question
    .next = For pairs and programmes: same or different; for changes and proposals: accept or decline.
