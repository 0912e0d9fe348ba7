//! The closed list of reasons, with what to tell staff and what to do next (FORMAT.md §Answers).
//!
//! A reason is a code: it has no room for personal data.

use std::{fmt, str::FromStr};

/// How much attention a reason wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Expected now and then; the exchange mends it.
    Notice,
    /// Somebody has to correct data or settings; nothing else is held up.
    Warning,
    /// An incident: a stream stops or an attack is possible.
    Incident,
}

/// A text for staff in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Russian.
    pub ru: &'static str,
    /// English.
    pub en: &'static str,
}

/// The text names no reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no reason in this format")]
pub struct UnknownReason(String);

macro_rules! reasons {
    ($(#[$outer:meta])* $name:ident {
        $($(#[$doc:meta])* $variant:ident $code:literal $severity:ident
            $ru:literal $en:literal => $next_ru:literal $next_en:literal;)*
    }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// The whole list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code on the wire and in databases.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// How much attention it wants.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What happened: one sentence.
            pub fn sentence(self) -> Text {
                match self { $(Self::$variant => Text { ru: $ru, en: $en },)* }
            }

            /// The one thing to do next.
            pub fn next_action(self) -> Text {
                match self { $(Self::$variant => Text { ru: $next_ru, en: $next_en },)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }

        impl FromStr for $name {
            type Err = UnknownReason;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().find(|reason| reason.code() == text);
                found.copied().ok_or_else(|| UnknownReason(text.chars().take(20).collect()))
            }
        }
    };
}

reasons! {
    /// Why a file or packet was refused whole or put into quarantine.
    PacketReason {
        /// The five-way check failed: login, directory, name, manifest, key.
        Foreign "FOREIGN" Incident
            "Файл принадлежит другому участнику: вход, папка, имя, манифест и ключ не совпадают; ничего не загружено."
            "The file belongs to another participant: login, directory, name, manifest and key disagree; nothing was loaded."
            => "Выясните, кто и с какой учётной записью выгрузил файл; при подозрении смените пароль центра."
            "Find out who uploaded the file and with which account; if in doubt, change the centre's password.";
        /// The file's name is no packet name.
        BadName "BAD_NAME" Warning
            "Имя файла не является именем пакета обмена."
            "The file's name is not a name of an exchange packet."
            => "Уберите посторонний файл; пакеты выгружает только программа обмена и не переименовывает их."
            "Remove the stray file; only the exchange program uploads packets, and never renames them.";
        /// Name, manifest or members do not have the digests stated.
        BadDigest "BAD_DIGEST" Warning
            "Контрольная сумма не сходится: файл повреждён при передаче или изменён."
            "A digest does not match: the file was damaged in transfer or altered."
            => "Ничего не делайте: отправитель выгрузит пакет снова; если повторится, проверьте диск и канал связи."
            "Do nothing: the sender places the packet again; if it recurs, check the disk and the line.";
        /// The signature does not verify.
        BadSignature "BAD_SIGNATURE" Incident
            "Подпись пакета неверна: содержимое изменено или подписано не отправителем."
            "The packet's signature is not valid: it was altered, or not signed by its sender."
            => "Сообщите отправителю и администратору безопасности; файл сохранён в карантине."
            "Tell the sender and the security officer; the file is kept in quarantine.";
        /// Signed by a key that is not known for this participant.
        UnknownKey "UNKNOWN_KEY" Warning
            "Пакет подписан ключом, которого нет в карточке участника."
            "The packet is signed by a key that is not on the participant's card."
            => "Если участник меняет ключи, пакет будет проверен снова сам, когда придут новые; иначе загрузите его карточку, сверив отпечаток по телефону."
            "If the participant is changing its keys, the packet is judged again by itself when the new ones come; else load its card after comparing the fingerprint by phone.";
        /// The envelope or the archive cannot be opened.
        CannotOpen "CANNOT_OPEN" Warning
            "Пакет не открывается: зашифрован не для нас или повреждён."
            "The packet cannot be opened: it is not sealed to us, or it is damaged."
            => "Проверьте, что у отправителя действующая карточка нашего участника."
            "Check that the sender has our current card.";
        /// The content does not follow the format.
        Schema "SCHEMA" Incident
            "Содержимое пакета не соответствует формату обмена."
            "The packet's content does not follow the exchange format."
            => "Сверьте версии программ у отправителя и получателя и передайте файл из карантина разработчикам."
            "Compare the program versions at both ends and give the quarantined file to the developers.";
        /// Larger than the limits.
        Oversize "OVERSIZE" Warning
            "Пакет превышает допустимые размеры."
            "The packet exceeds the limits."
            => "Проверьте, откуда столько данных; если они верны, увеличьте ограничения в настройках получателя."
            "Check where so much data comes from; if it is right, raise the limits in the receiver's configuration.";
        /// It contradicts what was received before.
        Fork "FORK" Incident
            "Пакет противоречит ранее полученным: под тем же номером уже был другой."
            "The packet contradicts what was received before: another stood under its number."
            => "У отправителя восстановлена или скопирована база: он должен пройти восстановление обмена."
            "The sender's database was restored or copied: it has to go through recovery.";
        /// Two machines act as one participant.
        Clone "CLONE" Incident
            "Участник восстанавливает обмен снова и снова: его базу вернули дважды, или под его кодом работают две копии базы."
            "The participant recovers again and again: its database was put back twice, or two copies of it act under its code."
            => "Спросите его. Если базу только возвращали из копии или перенесли — ничего не делайте: через неделю происшествие закроется. Если работают две машины — остановите лишнюю и зарегистрируйте оставшуюся заново, с новыми ключами."
            "Ask it. If its database was merely put back or moved, do nothing: the incident closes after a week. If two machines run, stop one and enrol the other anew, with new keys.";
        /// Of an epoch that has ended.
        StaleEpoch "STALE_EPOCH" Notice
            "Пакет относится к завершённой эпохе потока; его данные заменил более новый снимок."
            "The packet belongs to an epoch that has ended; a newer snapshot replaced its data."
            => "Ничего не делайте, если отправитель недавно восстанавливался; иначе проверьте, не работает ли старая копия базы."
            "Do nothing if the sender has recently recovered; otherwise check that no old copy of its database is running.";
    }
}

reasons! {
    /// Why one record was refused or held.
    RecordReason {
        /// The value is published and locked; only a proposal can change it.
        Locked "LOCKED" Notice
            "Запись уже опубликована координационным центром; изменение принято как предложение."
            "The record is published by the coordination centre; the change was taken as a proposal."
            => "Дождитесь решения по предложению."
            "Wait for the decision on the proposal.";
        /// Staff of the receiver have decided against it.
        Declined "DECLINED" Notice
            "Сотрудники координационного центра рассмотрели изменение и отклонили его."
            "The staff of the coordination centre have looked at the change and declined it."
            => "Спросите у координационного центра о причине; с новыми основаниями предложите изменение ещё раз."
            "Ask the coordination centre for the reason; with new grounds propose the change again.";
        /// Another person stands under the key of an earlier one.
        IdentityChanged "IDENTITY_CHANGED" Notice
            "Под прежним ключом записан другой человек; изменение отложено, его рассматривают сотрудники координационного центра."
            "Another person stands under the same key; the change is held, the staff of the coordination centre are looking at it."
            => "Дождитесь решения; если запись исправили по ошибке, верните прежние сведения, а нового человека заведите отдельной записью."
            "Wait for the decision; if the record was altered by mistake, restore it and enter the new person as a record of its own.";
        /// A record of a kind or key that the sender does not own.
        NotOwner "NOT_OWNER" Incident
            "Запись принадлежит другому участнику; изменение не принято."
            "The record belongs to another participant; the change was not accepted."
            => "Обновите программу обмена отправителя; если не поможет, обратитесь к разработчикам."
            "Update the sender's exchange program; if that does not help, ask the developers.";
        /// The same key and version with other content, or an ended key used again.
        Collision "COLLISION" Incident
            "Под тем же ключом и версией уже есть запись с другим содержанием."
            "A record with the same key and version but other content is already here."
            => "Если отправитель говорит, что обмен у него остановлен, пусть выполнит resync: происшествие закроется, когда записи снова совпадут. Если нет — проверьте обе базы (verify) и обратитесь к разработчикам."
            "If the sender says that its exchange is stopped, it is to run resync: the incident closes when the records agree again. If not, check both databases (verify) and ask the developers.";
        /// A lower version than the one already here.
        Older "OLDER" Incident
            "Получена более старая версия записи, чем уже имеется; она не применена."
            "An older version of the record came than the one already here; it was not applied."
            => "У отправителя, вероятно, восстановлена старая копия базы: если его обмен остановлен, пусть выполнит resync. Происшествие закроется, когда записи снова совпадут."
            "The sender's database was probably restored from an old copy: if its exchange is stopped, it is to run resync. The incident closes when the records agree again.";
        /// It refers to a record that has not come yet.
        DanglingRef "DANGLING_REF" Notice
            "Запись ссылается на другую, которая ещё не получена; она отложена и применится сама."
            "The record refers to another one that has not come yet; it is held and will apply itself."
            => "Ничего не делайте; если запись отложена больше суток, проверьте, отправлена ли та, на которую она ссылается."
            "Do nothing; if it is held for more than a day, check that its referent was sent.";
        /// A value breaks a rule; the rule is named beside.
        Invalid "INVALID" Warning
            "Значение в записи нарушает правило, указанное рядом."
            "A value in the record breaks the rule named beside it."
            => "Исправьте запись в своей программе: исправленная отправится сама."
            "Correct the record in your program: the correction is sent by itself.";
    }
}

impl PacketReason {
    /// Whether a packet of one's own refused so proves that one was restored (R2).
    pub fn proves_restore(self) -> bool {
        matches!(self, Self::Fork | Self::StaleEpoch)
    }
}

impl RecordReason {
    /// Whether a record of one's own refused so shows that one was restored (R12).
    pub fn proves_restore(self) -> bool {
        matches!(self, Self::Older | Self::Collision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back_and_differ() {
        for reason in PacketReason::ALL {
            assert_eq!(reason.code().parse(), Ok(*reason));
        }
        for reason in RecordReason::ALL {
            assert_eq!(reason.code().parse(), Ok(*reason));
        }
        assert!("fork".parse::<PacketReason>().is_err());
        assert!("FORK".parse::<RecordReason>().is_err());
    }

    #[test]
    fn every_reason_speaks_both_languages() {
        let packet = PacketReason::ALL.iter().map(|r| (r.sentence(), r.next_action()));
        let record = RecordReason::ALL.iter().map(|r| (r.sentence(), r.next_action()));
        for text in packet.chain(record).flat_map(|(what, next)| [what, next]) {
            assert!(text.ru.chars().any(|c| ('а'..='я').contains(&c)) && text.ru.ends_with('.'));
            assert!(text.en.is_ascii() && text.en.ends_with('.'));
        }
    }
}
