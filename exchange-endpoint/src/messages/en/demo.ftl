### What svod-demo says.

demo-title = An invented city: { $centres } centres, seed { $seed }. All people are invented.
demo-records = records of recipients in the centres' databases
demo-people = people in truth
demo-persons = persons in the consolidated database
demo-wrong-links = pairs of records linked wrongly
demo-missed-pairs = pairs of records of one person missed
demo-review = cases wait for staff
demo-locked = rows locked in the centres' databases
demo-aliases = rows that are another row of their centre
demo-packets = Packets
demo-quarantined = in quarantine
demo-fact-records-at-hub-once = each record of each centre is at the hub exactly once
demo-fact-only-own-people = no centre has been given somebody else's person
demo-fact-lock-refused = a locked row cannot be changed by plain SQL
demo-fact-contract-arrived = a contract concluded at a centre has come to the hub
demo-fact-correction-locked-twice = a correction of the hub is locked at both centres of the person
demo-fact-foreign-quarantined = another centre's packet was put into quarantine
demo-fact-tamper-restored = a tampered row is restored and locked again
demo-ok = Everything held.
demo-not-ok = Not everything held: see the lines marked ✗.
demo-kept = The city is kept: { $dir }

demo-step-people = Inventing people
demo-step-enrol = Keys, cards, enrolment of the centres
demo-step-fill = Filling the centres' databases by plain SQL
demo-step-load = Initial loads of the centres to the hub
demo-step-dry-run = Dry run of the merge
demo-step-merge = Merge
demo-step-locks = Publishing to the centres and locking
demo-step-contract = A contract at a centre
demo-step-correction = A correction at the hub
demo-step-foreign = A packet in the wrong hands
demo-step-tamper = Changing a row behind the exchange's back
demo-step-facts = Reading the facts from the databases
demo-step-stop = Stopping

error-demo-command = { $detail }
    .next = Read the message; a city built with --dir stays on disk.
error-demo-answer = { $detail }
    .next = Programs of different versions? Build them together again.
error-demo-died = { $detail }
    .next = Read the log; start again with --dir to keep the city.
error-demo-timed-out = Not in time: { $detail }
    .next = If the machine is busy, raise --patience; otherwise read the logs in the directory of --dir.
error-demo-file = { $detail }
    .next = Check the path, the permissions and the space left.
error-demo-sql = { $detail }
    .next = Read the message; a city built with --dir stays on disk.
error-demo-not-empty = The directory is not empty: { $detail }
    .next = Name an empty directory or a new one.
error-demo-lacking = { $detail }
    .next = Take more recipients (--recipients) or another seed (--seed).
error-demo-interrupted = The demonstration was interrupted
    .next = The daemons have been stopped; start again.

bench-ours = ours: min – median – max, s: { $value }
bench-errors-merged = Of the first seed, joined wrongly (one decision), the { $n } that weigh most: log2 of the odds, both records, each field with its level and weight
bench-errors-missed = Of one person and not joined, the { $n } that weigh least:
bench-errors-auto-merged = Joined wrongly without asking, the { $n } that weigh most:
bench-no-peer = The other program was not measured: { $why }
bench-peer = plain tools, s: { $value }
bench-ratio = ratio of medians: { $value }
bench-rss = peak memory, KiB: { $value }
bench-cpu = CPU time, s: { $value }
bench-load = Initial loads: { $records } records in { $seconds } s ({ $rate } a second)
bench-merge = Merge: { $records } persons in { $seconds } s ({ $rate } a second)
bench-publish = Published and applied: { $records } in { $seconds } s ({ $rate } a second)
bench-usage = hub { $hub } MB, { $hubfiles } open files, { $hubcpu } s of CPU; centres together { $centres } MB, one at most { $one } MB and { $onefiles } open files, { $centrescpu } s of CPU
bench-soak = Changes: { $changes } in { $minutes } min
bench-answered = answered after, s: { $value }
bench-locked = locked after, s: { $value }
bench-growth = last quarter against the first: memory of the hub { $hub }, of the centres { $centres }; open files of the hub { $hubfiles }, of the centres { $centresfiles }

sim-scenario-held = Holds: { $name }
sim-scenario-broken = Broken: { $name }. Again: svod-sim --scenario { $name }
error-sim-scenario-unknown = There is no such scenario: { $name }
    .next = All of them: svod-sim --scenario all
error-sim-seeds-beyond = There are not so many seeds: the last is { $last }
    .next = Begin with a smaller --from.
sim-broken = Seed { $seed }: broken. Again: svod-sim --replay { $seed } --centres { $centres } --turns { $turns }
sim-done = { $seeds ->
    [one] { $seeds } history
   *[other] { $seeds } histories
} of { $centres } centres; broken: { $broken }; { $seconds } s; trace { $digest }
sim-killed = { $kills ->
    [one] { $kills } process
   *[other] { $kills } processes
} killed (SIGKILL), cities: { $cities }; broken: { $broken }; { $seconds } s
sim-on-the-way = { $done } of { $seeds }, broken: { $broken }, { $seconds } s
error-bench-tools = It is not said where the programs to compare with are
    .next = Name their directory: --tools.
