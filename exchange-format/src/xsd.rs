//! XML Schemas (XSD 1.0) of every document of the format that is XML, made from the same schemas that the readers go by:
//! `docs/schema/` holds what [`documents`] gives. They say which elements and values a document has; canonical bytes, hashes,
//! signatures and rules over several fields are beyond XSD (FORMAT.md, RULES.md).

use std::fmt::Write as _;

use crate::{
    answer::{PacketReason, RecordOutcome, RecordReason, SnapshotCause, Words},
    file_name::PacketKind,
    packet::FORMAT,
    record::{Field, Form, Kind, Owner, Type},
    stream::SnapshotReason,
};

/// A schema: its document's name (`manifest`, `answer`, or a kind of records) and its text.
#[derive(Debug)]
pub struct Document {
    /// `manifest`, `answer`, or a kind of records.
    pub name: &'static str,
    /// The XSD.
    pub text: String,
}

impl Document {
    /// Its file below `docs/schema/`: `manifest.xsd`, `answer.xsd`, `records/<kind>.xsd`.
    pub fn file(&self) -> String {
        let records = self.name.parse::<Kind>().is_ok();
        format!("{}{}.xsd", if records { "records/" } else { "" }, self.name)
    }
}

/// All of them: the manifest, the answers and requests, a member of records of each kind.
pub fn documents() -> Vec<Document> {
    let mut documents =
        vec![Document { name: "manifest", text: manifest() }, Document { name: "answer", text: answer() }];
    documents.extend(Kind::ALL.map(|kind| Document { name: kind.name(), text: records(kind) }));
    documents
}

const UUID: &str = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
const DIGEST: &str = "[0-9a-f]{64}";

/// A schema of format [`FORMAT`] with this documentation.
fn schema(says: &str, body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <!-- written by exchange-format/tests/schema_files.rs: SVOD_WRITE_DOCS=1 -->\n\
         <xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" version=\"{FORMAT}\">\n\
         <xs:annotation><xs:documentation>{says}</xs:documentation></xs:annotation>\n{body}</xs:schema>\n"
    )
}

/// A type by restriction: `base` and its facets.
fn restricted(base: &str, facets: &[(&str, &str)]) -> String {
    let facets: Vec<String> =
        facets.iter().map(|(name, value)| format!("<xs:{name} value=\"{value}\"/>")).collect();
    let facets = facets.concat();
    format!("<xs:simpleType><xs:restriction base=\"xs:{base}\">{facets}</xs:restriction></xs:simpleType>")
}

fn pattern(pattern: &str) -> String {
    restricted("string", &[("pattern", pattern)])
}

fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<(&str, &str)> = words.into_iter().map(|word| ("enumeration", word)).collect();
    restricted("string", &words)
}

/// A whole number from `min` to `max`, without leading zeros.
fn whole(min: u64, max: u64) -> String {
    let (min, max) = (min.to_string(), max.to_string());
    let facets = [("minInclusive", min.as_str()), ("maxInclusive", &max), ("pattern", "0|[1-9][0-9]*")];
    restricted("nonNegativeInteger", &facets)
}

fn text(max: usize) -> String {
    restricted("string", &[("minLength", "1"), ("maxLength", &max.to_string())])
}

fn instant() -> String {
    restricted("dateTime", &[("pattern", ".*Z")])
}

fn date() -> String {
    restricted("date", &[("pattern", "[0-9]{4}-[0-9]{2}-[0-9]{2}")])
}

fn simple_type(ty: Type) -> String {
    match ty {
        Type::Text(max) => text(max),
        Type::Token => pattern("[a-z0-9_.\\-]{1,60}"),
        Type::Code(codes) => one_of(codes.iter().copied()),
        Type::Codes(codes) => {
            let any = codes
                .iter()
                .map(|code| code.replace('.', "\\.").replace('-', "\\-"))
                .collect::<Vec<_>>()
                .join("|");
            pattern(&format!("({any})( ({any}))*"))
        }
        Type::Date => date(),
        Type::Instant => instant(),
        Type::Whole(max) => whole(0, max),
        Type::Flag => one_of(["0", "1"]),
        Type::Snils => pattern("[0-9]{11}"),
        Type::Digest => pattern(DIGEST),
        Type::Base64(max) => restricted("base64Binary", &[("maxLength", &max.to_string())]),
        Type::Id | Type::Reference(_) => pattern(UUID),
        Type::Ids(max) => pattern(&format!("{UUID}( {UUID}){{0,{}}}", max - 1)),
    }
}

fn element(name: &str, optional: bool, ty: &str) -> String {
    let occurs = if optional { " minOccurs=\"0\"" } else { "" };
    format!("<xs:element name=\"{name}\"{occurs}>{ty}</xs:element>\n")
}

fn attribute(name: &str, required: bool, ty: &str) -> String {
    let usage = if required { " use=\"required\"" } else { "" };
    format!("<xs:attribute name=\"{name}\"{usage}>{ty}</xs:attribute>\n")
}

/// An element without content.
fn empty(name: &str, optional: bool, attributes: &str) -> String {
    element(name, optional, &format!("<xs:complexType>\n{attributes}</xs:complexType>"))
}

fn mark_attributes() -> String {
    attribute("epoch", true, &whole(1, 9999))
        + &attribute("seq", true, &whole(1, 99_999_999))
        + &attribute("digest", true, &pattern(DIGEST))
}

fn fields(fields: &[Field]) -> String {
    fields.iter().map(|field| element(field.name, !field.required, &simple_type(field.ty))).collect()
}

/// `records/<kind>.xml`.
fn records(kind: Kind) -> String {
    let (name, schema_of) = (kind.name(), kind.schema());
    let owner = match kind.owner() {
        Owner::Hub => "the hub",
        Owner::Centre => "the centre",
        Owner::HubOnly => "the hub, to itself",
        Owner::Author => "its author",
    };
    let mut sequence = fields(schema_of.fields);
    let mut numbered = String::new();
    if let Some(lines) = schema_of.lines {
        let line = fields(lines.fields);
        let _ = write!(
            sequence,
            "<xs:element name=\"line\" minOccurs=\"0\" maxOccurs=\"unbounded\"><xs:complexType><xs:sequence>\n\
             {line}</xs:sequence></xs:complexType></xs:element>\n"
        );
        numbered = format!(
            "<xs:unique name=\"{name}_line_no\"><xs:selector xpath=\"line\"/><xs:field xpath=\"no\"/></xs:unique>\n"
        );
    }
    let forms = [Form::Live, Form::Withdrawn, Form::Tombstone].map(Form::name);
    let envelope = attribute("key", true, &pattern(UUID))
        + &attribute("version", true, &whole(1, u64::from(u32::MAX)))
        + &attribute("form", true, &one_of(forms))
        + &attribute("sig", false, &pattern("[A-Za-z0-9+/]{86}=="));
    let body = format!(
        "<xs:element name=\"records\"><xs:complexType><xs:sequence>\n\
         <xs:element name=\"record\" minOccurs=\"0\" maxOccurs=\"unbounded\"><xs:complexType><xs:sequence>\n\
         <xs:element name=\"{name}\" minOccurs=\"0\"><xs:complexType><xs:sequence>\n\
         {sequence}</xs:sequence></xs:complexType>\n{numbered}</xs:element>\n\
         </xs:sequence>\n{envelope}</xs:complexType></xs:element>\n\
         </xs:sequence>\n<xs:attribute name=\"kind\" use=\"required\" fixed=\"{name}\" type=\"xs:string\"/>\n\
         </xs:complexType></xs:element>\n"
    );
    schema(&format!("Member records/{name}.xml of a packet. Owner of these records: {owner}."), &body)
}

/// `manifest.xml`.
fn manifest() -> String {
    let code = pattern("[0-9]{7}");
    let digest = pattern(DIGEST);
    let words = |words: &[&str]| one_of(words.iter().copied());
    let kinds = PacketKind::ALL.map(|(_, letters)| letters);
    let reasons = SnapshotReason::ALL.map(|(_, word)| word);
    let opaque = restricted("string", &[("minLength", "1")]);
    let snapshot = attribute("reason", true, &words(&reasons))
        + &attribute("request", false, &pattern("[0-9a-f]{32}"))
        + &attribute("compared", false, &digest)
        + &attribute("unconfirmed", false, &one_of(["true"]))
        + &attribute("part", true, &whole(1, 99_999_999))
        + &attribute("of", true, &whole(1, 99_999_999));
    let answered =
        attribute("digest", true, &digest) + &attribute("revision", false, &whole(1, u64::from(u32::MAX)));
    let count = || whole(0, u64::MAX);
    let member =
        attribute("name", true, &pattern("(records|mirror)/[a-z_]{1,40}\\.xml|new\\.card|answer\\.xml"))
            + &attribute("count", true, &count())
            + &attribute("size", true, &count())
            + &attribute("sha256", true, &digest)
            + &attribute("packed_sha256", true, &digest)
            + &attribute("streebog256", false, &digest);
    let members = format!(
        "<xs:element name=\"members\"><xs:complexType><xs:sequence>\n\
         <xs:element name=\"member\" minOccurs=\"0\" maxOccurs=\"64\"><xs:complexType>\n{member}</xs:complexType></xs:element>\n\
         </xs:sequence></xs:complexType>\n\
         <xs:unique name=\"member_name\"><xs:selector xpath=\"member\"/><xs:field xpath=\"@name\"/></xs:unique>\n\
         </xs:element>\n"
    );
    let mark = mark_attributes();
    let sequence = [
        element("kind", false, &words(&kinds)),
        element("to", false, &code),
        element("from", false, &code),
        element("epoch", false, &whole(1, 9999)),
        element("seq", false, &whole(1, 99_999_999)),
        element("date", false, &date()),
        element("previous", true, &digest),
        element("created_at", false, &restricted("dateTime", &[("pattern", "[^.]*Z")])),
        element("producer", false, &pattern("[ -~]{1,100}")),
        element("nonce", false, &pattern("[0-9a-f]{32}")),
        empty("snapshot", true, &snapshot),
        empty("answered", true, &answered),
        empty("ack", true, &mark),
        empty("echo", true, &mark),
        element("state_digest", true, &digest),
        element("checkpoint", true, &opaque),
        element("proof", true, &opaque),
        element("cosignature", true, &opaque),
        members,
    ];
    let versions = format!(
        "<xs:attribute name=\"format\" use=\"required\" fixed=\"{FORMAT}\" type=\"xs:string\"/>\n{}",
        attribute("reads", true, &whole(1, u64::from(u16::MAX)))
    );
    let body = format!(
        "<xs:element name=\"manifest\"><xs:complexType><xs:sequence>\n{}</xs:sequence>\n{versions}</xs:complexType></xs:element>\n",
        sequence.concat()
    );
    schema("manifest.xml of a packet. ack and echo are its control block.", &body)
}

/// `answer.xml` of a KV, PR or RQ.
fn answer() -> String {
    let received = attribute("received", true, &instant());
    let outcomes = RecordOutcome::ALL.map(|(_, word)| word);
    let listed: Vec<&str> =
        RecordOutcome::ALL.iter().filter(|(outcome, _)| !outcome.is_plain()).map(|(_, word)| *word).collect();
    let kinds = Kind::ALL.map(Kind::name);
    let record = attribute("outcome", true, &one_of(listed))
        + &attribute("kind", true, &one_of(kinds))
        + &attribute("key", true, &pattern(UUID))
        + &attribute("version", true, &whole(1, u64::from(u32::MAX)))
        + &attribute("rule", true, &pattern("[A-Za-z0-9._\\-]{1,64}"))
        + &attribute("reason", true, &one_of(RecordReason::ALL.iter().map(|reason| reason.code())));
    let counts: String = outcomes.iter().map(|word| attribute(word, true, &whole(0, u64::MAX))).collect();
    let head = mark_attributes()
        + &attribute("revision", true, &whole(1, u64::from(u32::MAX)))
        + &attribute("outcome", true, &one_of(["APPLIED", "APPLIED_PARTIAL", "REFUSED"]))
        + &attribute("reason", false, &one_of(PacketReason::ALL.iter().map(|reason| reason.code())))
        + &counts;
    let body = format!(
        "<xs:simpleType name=\"words\"><xs:restriction base=\"xs:string\"><xs:maxLength value=\"{}\"/></xs:restriction></xs:simpleType>\n\
         {}<xs:element name=\"protocol\"><xs:complexType><xs:sequence>\n\
         <xs:element name=\"record\" minOccurs=\"0\" maxOccurs=\"unbounded\"><xs:complexType>\
         <xs:simpleContent><xs:extension base=\"words\">\n{record}</xs:extension></xs:simpleContent></xs:complexType></xs:element>\n\
         </xs:sequence>\n{head}</xs:complexType></xs:element>\n",
        Words::LIMIT,
        empty("receipt", false, &(mark_attributes() + &received))
    );
    let says = "answer.xml of a receipt (KV), of a protocol of admission (PR) or of a request (RQ: packets, snapshot, \
                range_digests).";
    schema(says, &(body + &requests()))
}

/// The three forms of a request.
fn requests() -> String {
    let number = || whole(1, 99_999_999);
    let packets = attribute("epoch", true, &whole(1, 9999))
        + &attribute("first", true, &number())
        + &attribute("last", true, &number());
    let causes = SnapshotCause::ALL.map(|(_, word)| word);
    let snapshot = attribute("cause", true, &one_of(causes))
        + &attribute("epoch", false, &whole(1, 9999))
        + &attribute("seq", false, &number())
        + &attribute("digest", false, &pattern(DIGEST));
    let kind = attribute("kind", true, &one_of(Kind::ALL.map(Kind::name)));
    let range = kind.clone()
        + &attribute("prefix", true, &pattern("[0-9a-f]{0,32}"))
        + &attribute("count", true, &whole(0, u64::MAX))
        + &attribute("sum", true, &pattern(DIGEST));
    let record = kind
        + &attribute("key", true, &pattern(UUID))
        + &attribute("version", true, &whole(1, u64::from(u32::MAX)))
        + &attribute("form", true, &one_of([Form::Live, Form::Withdrawn].map(Form::name)))
        + &attribute("hash", true, &pattern(DIGEST));
    let head = attribute("of", true, &pattern("[0-9]{7}"))
        + &mark_attributes()
        + &attribute("re", false, &pattern("[0-9a-f]{32}"));
    let lines: String = [("range", &range), ("listed", &range), ("record", &record)]
        .map(|(name, attributes)| empty(name, false, attributes))
        .concat();
    format!(
        "{}{}<xs:element name=\"range_digests\"><xs:complexType>\n\
         <xs:choice minOccurs=\"0\" maxOccurs=\"unbounded\">\n{lines}</xs:choice>\n{head}</xs:complexType></xs:element>\n",
        empty("packets", false, &packets),
        empty("snapshot", false, &snapshot),
    )
}
