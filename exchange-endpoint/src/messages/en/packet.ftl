### What svod-packet says.

packet-kind-DT = Data packet (DT)
packet-kind-SN = Part of a data snapshot (SN)
packet-kind-KY = Packet of keys (KY)
packet-kind-KV = Receipt (KV)
packet-kind-PR = Protocol of admission (PR)
packet-kind-RQ = Request (RQ)
packet-unnamed = (not a packet's name)
packet-no-file = it is a directory or a device
packet-name-sealed = sealed
packet-name-open = not sealed
packet-name-says = { $what }: from { $from } to { $to }, epoch { $epoch }, no. { $seq }, date { $date }, { $envelope }
packet-name-is-a-claim = A name by itself proves nothing: verify checks the file.
packet-says = { $what }: from { $from } to { $to }, epoch { $epoch }, no. { $seq }; made { $at } by { $producer }
packet-says-digest = Fingerprint (SHA-256 of the manifest): { $digest }
packet-says-snapshot = Part { $part } of { $of }, because: { $reason }
packet-snapshot-initial = the exchange begins
packet-snapshot-requested = the receiver asked for it
packet-snapshot-recovered = the sender has recovered
packet-says-answered = Answers the packet with the fingerprint { $digest }
packet-says-ack = The sender states that it has processed the receiver's packet: epoch { $epoch }, no. { $seq }, { $digest }
packet-says-echo = The sender states that the receiver has processed its packet: epoch { $epoch }, no. { $seq }, { $digest }
packet-says-records = { $count ->
    [one] { $count } record
   *[other] { $count } records
    }, { $bytes } bytes
packet-says-lines = lines: { $count }, { $bytes } bytes
packet-records-of-kind = { $kind }: { $live } live, { $withdrawn } withdrawn, { $tombstones } deleted
packet-mirror = Mirror: the sender's copy of the receiver's own records:
packet-new-card = New keys: the card of participant { $code } ({ $name }) with the fingerprint { $fingerprint }, valid { $from } to { $until }
packet-asks-packets = Asks for the packets no. { $first } to { $last } of epoch { $epoch } again
packet-asks-snapshot = Asks for a snapshot; the cause: { $cause }
packet-asks-ranges = Compares the stream of { $of } after its packet { $at }: sums { $ranges }, single records { $listed }
packet-cause-divergence = the state digests of the two sides differ
packet-cause-missing = packets asked for have not come
packet-cause-fork = two packets bear one number
packet-cause-restored = the sender's database was restored
packet-cause-altered = what the sender keeps was changed or lost
packet-cause-operator = its staff ask for it
packet-answer-received = Received { $at }
packet-answer-outcome = Outcome: { $outcome }
packet-sealed-unseen = The file is sealed; what is in it cannot be seen without a key (--key).
packet-inspect-whole = The file is whole: all its content is what its own manifest says.
packet-inspect-damaged = The file is damaged: its content is not what its own manifest says. verify has the details.
packet-inspect-unproven = This is what the file says of itself; who made it was not checked (verify).

packet-verdict-proven = PROVEN: the packet is authentic and whole.
packet-verdict-false = NOT PROVEN: something is wrong.
packet-verdict-unknown = NOT CHECKED: there is too little to decide by.
packet-heading-proven = Checked, right:
packet-heading-false = Checked, wrong:
packet-heading-unknown = Could not be checked:
packet-heading-limits = What this file by itself does not prove:
packet-detail = For a specialist: { $detail }

packet-check-name-proven = The file's name says the same as the signed manifest inside.
packet-check-name-false = The file's name is wrong.
packet-check-name-unknown = Whether the name agrees with the content: the file was not opened.
packet-check-envelope-proven = Sealing: the file was opened with your key, its envelope is undamaged.
packet-check-envelope-false = Sealing: the envelope cannot be opened.
packet-check-envelope-unknown-no-key = Content: the file is sealed, and no key was given.
packet-check-envelope-unknown-other-key = Content: the file is not sealed to the keys given.
packet-check-form-proven = Form: it is an exchange packet with nothing else in it.
packet-check-form-false = Form: it is no exchange packet, or it is damaged.
packet-check-form-unknown = Form: not reached.
packet-check-signature-proven = Signature: the manifest is signed by participant { $code } ({ $name }), by the card with the fingerprint { $fingerprint }.
packet-check-signature-false = Signature: no card of the sender confirms it.
packet-check-signature-unknown = Signature: not reached.
packet-check-signature-unknown-no-card = Signature: there is no card of participant { $code } among those given.
packet-check-card-proven = The card was valid on the day that the packet names ({ $from } to { $until }).
packet-check-card-false = The card was not valid on the day that the packet names ({ $from } to { $until }).
packet-check-card-unknown = Validity of the card: it is not known whose signature it is.
packet-check-place-proven = Key: the one by which the participant signs at this place of the stream.
packet-check-place-false = Key: at this place of the stream the participant signs by another key: this one was changed already, or not told yet.
packet-check-members-proven = Content: members, order, sizes, numbers of records and check sums are those of the manifest.
packet-check-members-false = Content: not what the manifest says.
packet-check-members-unknown = Members and check sums of the content: not reached.
packet-check-records-proven = { $signed ->
    [0] Records: all ({ $n }) are written rightly.
   *[other] Records: all ({ $n }) are written rightly; signatures of the coordination centre on records that hold: { $signed }.
    }
packet-check-records-false = Records: the receiver would refuse { $flawed } of { $n }.
packet-check-keys-proven = New keys: the card is signed by the new key, the packet by the old one; the card may follow the old one.
packet-check-keys-false = New keys: this card may not follow the old one.
packet-check-keys-unknown = New keys: it is not known whose keys they follow.
packet-check-request-proven = Request: of the right form, and it goes with its manifest.
packet-check-request-false = Request: malformed, or it does not go with its manifest.
packet-check-answer-proven = Answer: of the right form, and about the packet that the manifest names.
packet-check-answer-false = Answer: malformed, or about another packet.
packet-check-state-proven = State digest: a snapshot of one part; the sum over its records is the manifest's.
packet-check-state-false = State digest: the sum over the snapshot's records is not the manifest's.

packet-not-proven-cards = That the cards are genuine: compare their fingerprints with the participants by telephone.
packet-not-proven-time = When it was made: the sender's own word.
packet-not-proven-truth = That what it says is true: a signature only tells who said it.
packet-not-proven-chain = That it stands in its place and nothing before it is missing: this needs its neighbours.
packet-not-proven-parts = That the snapshot is complete: this needs its other parts.
packet-not-proven-received = That it was received and applied: only the receiver's protocol (PR) proves that.
packet-not-proven-answered = That the packet it answers exists: compare the fingerprint with the packet itself.
packet-not-proven-control = That what it states of processed packets is so: the sender's word.
packet-not-proven-keys = That the new keys are in force: they are from the next packet of this stream on, unless they were revoked.
packet-not-proven-lists = That sections and answers go with the region's lists: a model is in none that was given (--lists FILE).
packet-not-proven-state = The state digest of the manifest: this needs all packets of the epoch.

packet-protocol-consistent = NO CONTRADICTION. The protocol bears no signature, so it is not proven to be genuine.
packet-protocol-false = THE PROTOCOL CONTRADICTS ITSELF: it is damaged, or was changed.
packet-protocol-says = Protocol no. { $number }: { $heading }; drawn up by { $participant }, the other side { $peer }; { $started } to { $finished }
packet-check-packets-proven = Names and fingerprints of the packets ({ $n }) agree and are of these participants.
packet-check-packets-false = Names, fingerprints or participants of the packets do not agree.
packet-check-totals-proven = The totals agree with the lines and with the numbers of records in the packets (records in all: { $n }).
packet-check-totals-false = The totals do not agree with the lines, or with the number of records in the packets.
packet-check-times-proven = It began no later than it ended.
packet-check-times-false = It ended before it began.
packet-check-page-proven = The page for printing beside it (.html) is the one that the program makes of this protocol.
packet-check-page-false = The page for printing beside it (.html) says something else: its numbers, names or outcomes are not those of the protocol.
packet-check-page-unknown-absent = The page for printing: there is none beside it.
packet-check-page-unknown-differs = The page for printing: not the one that this version of the program makes. Another version made it, or it was changed.
packet-not-proven-author = Who drew it up: it bears no signature.
packet-not-proven-unchanged = That nobody has changed it: a protocol is not in the journal; the packets that it names are.
packet-not-proven-outcome = That the outcome was this: the signed protocols of admission (PR packets) in the archive prove it; check them with this program.

unpack-done = { $n ->
    [one] { $n } file was written
   *[other] { $n } files were written
    } into { $dir }. They hold personal data in the clear.
unpack-proven = The packet is proven.
unpack-unproven = Who made the packet was not checked: give --trust.

rules-own = own
rules-of-records = Rules of records (code, breach, source):
rules-of-refusals = Reasons of refusals (a whole packet, a single record):

error-packet-file = The file { $file } cannot be read: { $detail }
    .next = Check path and permissions; it has to be an ordinary file.
error-packet-sealed = The file { $file } is sealed, and no key was given
    .next = Give --key: the receiver's age.key or the sender's archive.key.
error-packet-other-key = The file { $file } is not sealed to the keys given
    .next = It takes the receiver's age.key or the sender's archive.key, perhaps an earlier one.
error-packet-no-card = There is no card of the sender of { $file }: nothing to check the signature by
    .next = Name in --trust a directory or file with the sender's card, its fingerprint compared.
error-packet-refused = The file { $file } is not accepted ({ $reason }): { $sentence } { $detail }
    .next = What of it can be checked is told by verify.
error-unpack-file = { $file } could not be written: { $detail }
    .next = Check permissions and free space; what was begun is removed.
error-unpack-not-empty = The directory { $dir } is not empty
    .next = Name a new or empty directory: nothing is overwritten.
error-unpack-not-proven = The file { $file } was not unpacked: the cards given do not prove it
    .next = verify with the same --trust and --key tells why.
error-kind-unknown = There is no kind of record of that name (of { $length } characters)
    .next = The kinds: svod-packet schema
