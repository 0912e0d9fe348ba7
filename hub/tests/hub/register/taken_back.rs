//! A word that is taken back leaves what would be if it had never been said: two histories of the same few people, of which one has
//! staff's «один» about two of them while others come, are played and compared.

use proptest::{collection::vec, prelude::*};

use super::*;

/// The two: what of each field the one says, and the other.
const TWO_PEOPLE: [[[&str; 2]; 6]; 5] = [
    // twins
    [
        ["Анна", "Алла"],
        ["Петровна"; 2],
        ["03.04.1950"; 2],
        ["89061234567"; 2],
        ["ул. Мира, д. 1, кв. 2"; 2],
        [""; 2],
    ],
    // mother and daughter
    [
        ["Анна"; 2],
        ["Петровна"; 2],
        ["01.05.1940", "07.09.1968"],
        ["89061234567"; 2],
        ["ул. Мира, д. 1, кв. 2"; 2],
        [""; 2],
    ],
    // namesakes of two places, one without a date
    [
        ["Анна"; 2],
        [""; 2],
        ["", "07.09.1968"],
        ["89061234567", "89239876543"],
        ["ул. Мира, д. 1, кв. 2", "ул. Чкалова, д. 29, кв. 100"],
        [""; 2],
    ],
    // and with two dates
    [
        ["Анна"; 2],
        [""; 2],
        ["12.11.1963", "07.09.1968"],
        ["89061234567", "89239876543"],
        ["ул. Мира, д. 1, кв. 2", "ул. Чкалова, д. 29, кв. 100"],
        [""; 2],
    ],
    // two numbers
    [
        ["Анна", "Инна"],
        ["Петровна"; 2],
        ["03.04.1950"; 2],
        ["89061234567", ""],
        ["ул. Мира, д. 1, кв. 2"; 2],
        ["112-233-446 95", ""],
    ],
];

const FIELDS: [&str; 6] = ["given", "patronymic", "birth_date", "phone", "address_live", "snils"];

/// Of whom somebody who comes says each field: of the one, the other, nobody, or as an initial or a third.
#[derive(Debug, Clone, Copy)]
struct Newcomer {
    unit: u16,
    says: [u8; 6],
}

fn body_of(family: usize, says: [u8; 6]) -> Body {
    let mut fields = vec![("surname", "Абалдуева"), ("sex", "ж")];
    for ((name, texts), from) in FIELDS.iter().zip(&TWO_PEOPLE[family]).zip(says) {
        let text = match (from, *name) {
            (0 | 1, _) => texts[usize::from(from)],
            (2, "given") => "А.",
            (2, "snils") => "087-654-303 00",
            _ => "",
        };
        fields.extend((!text.is_empty()).then_some((*name, text)));
    }
    body(Kind::RecipientClaim, &fields)
}

fn newcomer() -> impl Strategy<Value = Newcomer> {
    // most are wholly the one's or the other's but for a field or two
    let field = || prop_oneof![4 => Just(None), 1 => (0..4_u8).prop_map(Some)];
    let fields = [field(), field(), field(), field(), field(), field()];
    (1..=4_u16, 0..2_u8, fields)
        .prop_map(|(unit, like, of)| Newcomer { unit, says: of.map(|from| from.unwrap_or(like)) })
}

/// Newcomers of whom some are typed twice, and how many come together.
fn arrivals() -> impl Strategy<Value = (Vec<Newcomer>, Vec<usize>)> {
    let some = vec((newcomer(), 0..4_u8, 1..=4_u16), 1..4);
    let typed = some.prop_map(|some| {
        let twice = |(one, again, unit)| {
            let other = Newcomer { unit, ..one };
            if again == 0 { vec![one, other] } else { vec![one] }
        };
        some.into_iter().flat_map(twice).collect::<Vec<_>>()
    });
    (typed.prop_shuffle(), vec(1..4_usize, 6))
}

/// How staff's word about the two is said while the others come.
#[derive(Clone, Copy, PartialEq)]
enum Word {
    /// «Разные», at once.
    Different,
    /// «Один», taken back when all have come.
    TakenBack,
}

/// Who is together, who of them is told of to the centre, and who is asked about; all by the keys of their claims.
#[derive(Debug, PartialEq, Eq)]
struct Picture {
    people: BTreeSet<Vec<u8>>,
    told: BTreeSet<String>,
    asked: BTreeSet<[BTreeSet<u8>; 2]>,
}

/// Two people, and who comes to them.
struct Told {
    city: City,
    rows: Vec<(u8, ClaimId)>,
    two: [RecordId; 2],
    /// Whether a merge has taken somebody out of a person of whom centres had been told, or others than the two were published: that
    /// stands.
    torn: bool,
}

impl Told {
    /// Nothing, if nobody would ask staff about the two.
    fn begin(family: usize) -> Self {
        let mut city = City::new();
        let rows = [0, 1_u8]
            .map(|one| (one + 1, city.receive(u16::from(one) + 1, one + 1, &body_of(family, [one; 6]))));
        let two = rows.map(|(_, row)| city.uid(row));
        assert_ne!(two[0], two[1], "{family}");
        let mut told = Self { city, rows: rows.to_vec(), two, torn: false };
        told.sealed();
        told
    }

    fn come(&mut self, family: usize, newcomers: &[Newcomer], merges: bool) {
        let mut packet = Vec::new();
        for Newcomer { unit, says } in newcomers {
            let key = u8::try_from(self.rows.len() + 1).expect("few");
            let row = self.city.stored(*unit, id(key), &body_of(family, *says));
            packet.push(row);
            self.rows.push((key, row));
        }
        if merges {
            self.city.within(|register| register.index(&packet).map(|_| ()));
            let before = self.picture().people;
            self.merge();
            let after = self.picture().people;
            let is_within = |of: &Vec<u8>| after.iter().any(|now| of.iter().all(|one| now.contains(one)));
            self.torn |= !before.iter().all(is_within);
        } else {
            self.city.within(|register| register.take_in(&packet, &[]).map(|_| ()));
        }
    }

    /// As `svod-hub merge`, but that the values are counted as they were.
    fn merge(&mut self) {
        let rows: BTreeSet<ClaimId> = self.rows.iter().map(|(_, row)| *row).collect();
        self.city.within(|register| {
            let weighing = register.weighing_groups(std::slice::from_ref(&rows))?;
            let mut affected = register.settle(rows, Some(&weighing))?.affected;
            affected.extend(register.settle_documents_of(&affected.clone())?);
            affected.iter().try_for_each(|uid| register.republish(*uid))
        });
    }

    /// All centres hear what they are to be told.
    fn sealed(&mut self) {
        self.city.within(|register| {
            for (unit, kind) in (1..=4).flat_map(|unit| Kind::ALL.map(|kind| (unit, kind))) {
                for row in register.tx.to_seal(centre(unit), kind, None, false, 1000)? {
                    register.tx.publication_sealed(
                        centre(unit),
                        &row,
                        row.version + 1,
                        &format!("{unit} {}", row.version),
                    )?;
                }
            }
            Ok(())
        });
    }

    /// Whether anybody is published but the person that the two are.
    fn has_others(&mut self) -> bool {
        let rows = self.rows.clone();
        self.city.within(|register| {
            let joined = register.tx.uid_of(rows[0].1)?.expect("a person");
            let mut others = false;
            for (_, row) in &rows {
                let uid = register.tx.uid_of(*row)?.expect("a person");
                others |= uid != joined && register.tx.stands(uid)?;
            }
            Ok(others)
        })
    }

    fn picture(&mut self) -> Picture {
        let rows = self.rows.clone();
        let (people, asked) = self.city.within(|register| {
            let mut people: std::collections::BTreeMap<RecordId, Vec<u8>> = std::collections::BTreeMap::new();
            let mut whose = std::collections::BTreeMap::new();
            for (key, row) in &rows {
                let Some(uid) = register.tx.uid_of(*row)? else { continue };
                people.entry(uid).or_default().push(*key);
                whose.insert(id(*key), uid);
            }
            let mut asked = BTreeSet::new();
            for open in register.tx.open_reviews(0, 1000)? {
                let mut two = [open.one.1, open.other.1]
                    .map(|key| people[&whose[&key]].iter().copied().collect::<BTreeSet<u8>>());
                two.sort();
                asked.insert(two);
            }
            Ok((people.into_values().collect(), asked))
        });
        let mut told = BTreeSet::new();
        for unit in 1..=4 {
            let text = self.city.told(unit);
            let links = text.lines().filter(|line| line.starts_with("link ") && line.contains(" live "));
            told.extend(
                links.filter_map(|line| line.split_whitespace().nth(1)).map(|key| format!("{unit} {key}")),
            );
        }
        Picture { people, told, asked }
    }
}

fn played(
    family: usize,
    newcomers: &[Newcomer],
    packets: &[usize],
    (stood, merges): (bool, bool),
    word: Word,
) -> (Told, Picture) {
    let mut told = Told::begin(family);
    let said = |word| if word == Word::Different { Decision::Different } else { Decision::Same };
    if stood {
        decided(&mut told.city, [(1, 1), (2, 2)], Decision::Different);
        told.sealed();
    }
    decided(&mut told.city, [(1, 1), (2, 2)], said(word));
    told.sealed();
    let mut left = newcomers;
    for size in packets {
        let (packet, rest) = left.split_at((*size).min(left.len()));
        if !packet.is_empty() {
            told.come(family, packet, merges);
            told.sealed();
        }
        left = rest;
    }
    if word == Word::TakenBack {
        told.torn |= told.has_others();
    }
    decided(&mut told.city, [(1, 1), (2, 2)], Decision::Different);
    let picture = told.picture();
    (told, picture)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn one_taken_back_leaves_what_would_be_if_it_had_not_been_said(
        family in 0..TWO_PEOPLE.len(), (newcomers, packets) in arrivals(), how in any::<(bool, bool)>()
    ) {
        let (mut apart, expected) = played(family, &newcomers, &packets, how, Word::Different);
        let (mut back, picture) = played(family, &newcomers, &packets, how, Word::TakenBack);
        prop_assume!(!apart.torn && !back.torn);
        prop_assert_eq!(&picture.people, &expected.people);
        prop_assert_eq!(&picture.asked, &expected.asked);
        // whoever was published stands
        let two: BTreeSet<_> = [1, 2].map(|one| format!("{one} {}", id(one))).into();
        prop_assert!(!how.0 || two.is_subset(&picture.told), "{:?}", picture.told);
        for (told, before) in [(&mut apart, &expected), (&mut back, &picture)] {
            let uids = [told.rows[0].1, told.rows[1].1].map(|row| told.city.uid(row));
            prop_assert_eq!(uids, told.two, "each has its own number");
            // nobody new, nobody else: all weighed anew answers no question
            told.merge();
            let after = told.picture().people;
            for [one, other] in before.asked.iter().filter(|[one, other]| one != other) {
                let is_answered = |of: &Vec<u8>| of.iter().any(|key| one.contains(key)) && of.iter().any(|key| other.contains(key));
                prop_assert!(!after.iter().any(is_answered), "{:?} became {:?}", before, after);
            }
        }
    }
}
