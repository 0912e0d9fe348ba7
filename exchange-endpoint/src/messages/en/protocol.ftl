### The protocol of an exchange.

protocol-system = Svod · long-term care
protocol-title = Protocol of exchange
protocol-heading-export = Export of records
protocol-heading-load = Load of records
protocol-heading-merge = Merge of records and publication
protocol-participant = Drawn up by participant
protocol-peer = Other side
protocol-started = Begun
protocol-finished = Finished
protocol-total = Handled in all
protocol-packets = Packets
protocol-packet-name = File name and digest
protocol-packet-state = State
protocol-totals = Totals
protocol-kind = Kind of record
protocol-sum = All
protocol-lines = Records that need attention
protocol-no-lines = Every record was handled without remark.
protocol-record = Record
protocol-outcome = Outcome
protocol-what-and-next = What happened and what to do
protocol-rule = Rule:
protocol-signature = Responsible: position, signature, name
protocol-signature-date = Date
protocol-footer = Drawn up by the program. Records are named by identifiers; this protocol holds no personal data.
protocol-rules = Linked by rule
protocol-rule-name = Rule
protocol-rule-code = Code
protocol-rule-count = Records
protocol-none = There are no protocols yet.
protocol-printable = To print: { $file }
protocol-records = { $n ->
    [one] { $n } record
   *[other] { $n } records
}

kind-person = Recipient
kind-need_decision = Decision of need
kind-programme = Individual programme
kind-supplement = Supplement to a programme
kind-link = Link of a recipient
kind-recipient_claim = Recipient (as the centre has it)
kind-programme_claim = Programme (as the centre has it)
kind-supplement_claim = Supplement (as the centre has it)
kind-contract = Contract
kind-contact = Contacts
kind-proposal = Proposed correction
kind-pair = Pair of records
kind-held = Change waiting for a decision
kind-hub_input = Decision of the coordination centre

outcome-new = new
    .one = new
outcome-changed = changed
    .one = changed
outcome-unchanged = unchanged
    .one = unchanged
outcome-proposed = proposals
    .one = proposal
outcome-held = held
    .one = held
outcome-refused = refused
    .one = refused
outcome-sent = sent
    .one = sent
outcome-removed = removed
    .one = removed
outcome-linked = linked
    .one = linked
outcome-review = for review
    .one = for review
outcome-published = published
    .one = published
outcome-withdrawn = withdrawn
    .one = withdrawn

packet-state-sealed = sealed
packet-state-placed = placed
packet-state-received = received
packet-state-applied = applied
packet-state-applied_partial = applied in part
packet-state-refused = refused
packet-state-superseded = superseded
packet-state-quarantined = in quarantine
packet-state-duplicate = duplicate
packet-state-held = waits for earlier ones

error-protocol-file = A protocol could not be read or written: { $file }: { $detail }
    .next = Check the protocols directory: permissions and free space.
error-protocol-damaged = File { $file } is not a protocol: { $detail }
    .next = The printable .html of the same name lies beside it; put the .json back from a backup.
error-protocol-unknown = There is no protocol { $number }
    .next = See which there are: protocol list
