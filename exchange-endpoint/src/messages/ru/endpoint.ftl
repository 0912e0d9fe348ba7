### What both daemons say.

label-error = Ошибка
error-bug = Внутренняя ошибка программы: { $detail }
    .next = Данные не повреждены: незавершённое не применено. Сообщите разработчикам эту строку и журнал программы.
error-usage = Команда не понята: { $detail }
    .next = { $call }Подробнее: --help
error-same-file = { $file } — один из читаемых файлов или назван дважды: результат встал бы на его место
    .next = Ничего не сделано. Назовите для результата другой файл.
error-output = Не удалось записать результат: { $detail }
    .next = Проверьте, есть ли место на диске, куда направлен вывод, и повторите команду.

error-config-not-named = Не указан файл настроек
    .next = Добавьте --config ФАЙЛ
error-config-unreadable = Файл настроек { $file } не читается: { $detail }
    .next = Проверьте путь и права доступа.
error-config-syntax = { $file }:{ $line }: столбец { $column }: запись не по правилам TOML; подробности для специалиста: { $detail }
    .next = Исправьте эту строку.
error-config-mistyped-key = { $file }:{ $line }: ключ { $key }: такого ключа нет
    .next = Вероятно, имелся в виду «{ $detail }».
error-config-unknown-key = { $file }:{ $line }: ключ { $key }: такого ключа нет
    .next = Удалите его или выберите один из известных: { $detail }
error-config-missing-key = { $file }:{ $line }: ключ { $key }: не задан
    .next = Добавьте ключ { $key } и его значение.
error-config-value = { $file }:{ $line }: ключ { $key }: { $detail }
    .next = Исправьте значение ключа { $key }.

error-instance-owned = База { $database } уже занята другим процессом (номер { $pid })
    .next = { $todo }
instance-next = Дождитесь его завершения или остановите его. Две программы с одной базой не работают.
error-instance-lock = Не удалось занять базу: { $file }: { $detail }
    .next = Проверьте, что каталог базы существует и доступен на запись.
error-log-file = Журнал программы { $file } не открывается: { $detail }
    .next = Проверьте путь и права на запись.
error-log-filter = Фильтр журнала «{ $filter }» не понят: { $detail }
    .next = Укажите, например: info или info,svod_hub=debug

error-watermark-file = Файл отметок { $file }: { $detail }
    .next = Проверьте, что он лежит рядом с ключами и доступен. Если он утрачен, не создавайте пустой: база могла быть восстановлена из копии, сообщите координационному центру.
error-watermark-damaged = Файл отметок { $file } повреждён, строка { $line } ({ $detail })
    .next = Не исправляйте его вручную и не возвращайте из копии: по нему видно, не восстановлена ли база. Сообщите координационному центру.

error-keys-exist = Файл { $file } уже есть: ключи никогда не перезаписываются
    .next = Участник уже заведён в этом каталоге. Для новых ключей выберите другой каталог.
error-keys-file = Файл ключей { $file }: { $detail }
    .next = Проверьте путь и права. Ключи не восстанавливают из копии базы: утраченные ключи заменяются новой карточкой.
error-keys-exposed = Файл ключей { $file } доступен не только владельцу (права { $mode })
    .next = Выполните chmod 600 для этого файла; если его мог прочитать посторонний, замените ключи.
error-keys-malformed = Файл { $file } испорчен: { $detail }
    .next = Верните файл из защищённой копии ключей или замените ключи и карточку.
error-keys-other = Файл { $file } принадлежит участнику { $found }, а не { $expected }
    .next = Проверьте код участника и каталог ключей в настройках.
error-card-fingerprint = Отпечаток карточки { $found } не совпадает с названным (в нём знаков: { $length })
    .next = Сверьте отпечаток с владельцем карточки по телефону; если он другой, карточку не загружайте.
error-card-not-valid = Карточка действует с { $from } по { $until }, не { $on }
    .next = Запросите у участника новую карточку; проверьте часы компьютера.
error-card-malformed = Это не карточка участника, или она повреждена: { $detail }
    .next = Запросите файл карточки заново.
error-root-over-other = База { $file } принадлежит учётной записи { $owner }, а команда запущена от root: файлов, которые она создаст, служба не прочтёт
    .next = Запустите от имени владельца: sudo -u { $owner } и та же команда.
error-trust-file = Каталог карточек, { $file }: { $detail }
    .next = Проверьте путь и права.
error-trust-two-hubs = Среди карточек есть карточки нескольких координационных центров: { $codes }
    .next = Назовите в --trust карточки одного координационного центра и его центров: чья-то карточка выдана за карточку координационного центра.
error-trust-successions = Файл { $file } повреждён: по нему видно, с какого пакета действует каждая карточка
    .next = Верните файл из копии каталога карточек. Если её нет, удалите файл: будет действовать только последняя карточка.
error-keys-changing = Ключи уже меняются: ещё не все участники приняли новые
    .next = Кто их не принял, скажет keys list. Когда примут все, можно сменить ещё раз.
error-quarantine-unknown = Такого файла в карантине нет
    .next = Имена файлов скажет quarantine list.
error-quarantine-final = Файл { $file } повторно не проверяется
    .next = Почему, скажет quarantine show.
error-trust-misplaced = Файл { $file } содержит карточку участника { $found }
    .next = Уберите файл и загрузите карточку командой, сверив отпечаток.


io-not-found = такого файла или каталога нет
io-permission = нет прав доступа
io-exists = уже существует
io-not-a-directory = это не каталог
io-is-a-directory = это каталог, а не файл
io-not-empty = каталог не пуст
io-full = на диске нет места
io-too-large = файл слишком велик
io-read-only = доступно только для чтения
io-address-in-use = адрес и порт заняты другой программой
io-address-not-here = у этого компьютера нет такого адреса
io-connection-refused = в соединении отказано: по этому адресу никто не отвечает
io-connection-lost = соединение прервано
io-unreachable = сеть или узел недоступны
io-timed-out = нет ответа за отведённое время
io-cut-off = данные неожиданно кончились
io-invalid-data = данные не того вида
io-memory = не хватило памяти
io-device = ошибка чтения или записи диска
io-too-many-files = открыто слишком много файлов
sqlite-cannot-open = файл базы не открывается
sqlite-busy = база занята другой программой
sqlite-damaged = файл базы повреждён
sqlite-said = SQLite сообщает: { $said }
exchange-not-written = пакет не составлен ({ $said })
exchange-no-answer = квитанция или протокол не по форме ({ $said })
exchange-other-file = { $file }: под этим именем уже лежит другой файл
seal-not-begun = поток ещё не начат: первым идёт снимок
seal-restored = база восстановлена из копии
seal-clone = работает вторая копия базы
seal-no-parts = в снимке нет ни одной части
seal-used-up = номера пакетов исчерпаны
journal-entry = запись журнала не по форме ({ $said })
journal-altered = запись журнала { $n } изменена
journal-missing = записи журнала { $n } нет
sqlite-altered = таблицы или столбца нет, или они переименованы
card-no-card = это не подписанный текст размером до 64 КиБ
card-line = строка { $line } должна начинаться с «{ $expected }»
card-code = участник: { $why }
card-key = ключ подписи: { $why }
card-other-key = карточка участника { $code }, а ключ подписи участника { $key }
card-value = { $field }: нужно: { $problem }
card-signature = подпись карточки: { $why }
card-of-other-keys = в карточке названы не те ключи, что лежат рядом
key-form = это не ключ (нужен вида { $form })
key-name = имя ключа: { $why }
key-number = номер ключа { $found }, а должен быть { $expected }: знак потерян или набран неверно
key-unusable = ключ Ed25519 непригоден
key-age = это не ключ age
key-too-large = файл слишком велик для ключа
signature-none = нет ровно одной подписи установленного вида
signature-other-text = подписан другой текст, отличается строка { $line }
signature-other-key = сделана ключом { $found }, а известен { $expected }
signature-wrong = подпись неверна
pem-none = в файле нет ни сертификата, ни ключа в формате PEM
pem-damaged = содержимое повреждено
certificate-expired = срок действия сертификата истёк
certificate-not-yet = срок действия сертификата ещё не начался
certificate-purpose = сертификат выдан для другой цели
certificate-issuer = сертификат выдан неизвестным удостоверяющим центром
certificate-revoked = сертификат отозван
certificate-name = сертификат выдан на другое имя
certificate-key = закрытый ключ не от этого сертификата
certificate-unfit = сертификат или ключ не годится ({ $said })
json-place = строка { $line }, столбец { $column }: запись не по форме
participant-digits = код участника состоит из 7 цифр
name-characters = в имени пакета бывают только A–Z, 0–9, знак _ и окончание .zip или .zip.age, не больше 80 знаков
name-ending = имя пакета кончается на .zip или .zip.age
name-parts = в имени пакета 8 частей через знак _, здесь их { $n }
name-prefix = имя начинается не с SVOD1 («{ $said }»): это не пакет этого обмена или пакет более нового формата
name-kind = вида пакетов «{ $said }» нет (есть DT SN KY KV PR RQ)
name-number = { $part }: «{ $said }» — не число из { $width } цифр, начиная с 1
name-date = «{ $said }» — не дата вида ГГГГММДД
name-digest = «{ $said }» — не 16 шестнадцатеричных цифр прописными буквами
participant-check = код участника { $code }: контрольная цифра должна быть { $expected }; вероятно, опечатка

config-range = должно быть в пределах { $from }–{ $to }
config-list-twice = список этой модели уже назван
config-ports = нужны первый и последний порт, первый не больше последнего
config-oktmo = ОКТМО состоит из 8 цифр
config-region = регион состоит из 2 цифр
config-variant = такого значения нет; известные: { $known }
toml-syntax = строка { $line }, столбец { $column }: запись не по правилам TOML; подробности для специалиста: { $said }
toml-not-this = строка { $line }, столбец { $column }: здесь нужно другое имя или другое значение
config-type-number = нужно целое число без кавычек
config-type-boolean = нужно true или false
config-type-text = нужен текст в кавычках
config-type-other = значение не того вида

usage-unknown = неизвестный или лишний параметр ({ $argument }){ $near }
usage-no-command = неизвестная команда ({ $argument }){ $near }
usage-word = { $n ->
    [0] знаков: { $length }
   *[other] { $n }-е слово, знаков: { $length }
}
usage-twice = { $argument } указано дважды
usage-near = { "" }; может быть, { $near }?
usage-command-missing = не указана команда
usage-missing = не указано: { $argument }
usage-conflict = { $argument } и { $other } вместе не указывают
usage-no-value = после { $argument } нужно значение
usage-value = значение { $argument } не подходит
usage-not-among = значение { $argument } не подходит; можно: { $known }{ $near }
usage-value-why = значение { $argument } не подходит: { $why }
usage-values = у { $argument } другое число значений
usage-utf8 = аргумент не в кодировке UTF-8
usage-range = нужно целое число от { $from } до { $to }
usage-number = нужно целое число в допустимых пределах
usage-claim = нужна запись в виде ЦЕНТР:КЛЮЧ, как в person show
usage-reason = нужно от 1 до 1000 знаков в одну строку
usage-wish = нужно СТОЛБЕЦ=ЗНАЧЕНИЕ
usage-call = Порядок вызова: { $call }.{ " " }

mailbox-temporary = { $action }: { $place } сейчас не отвечает как нужно: { $reason }
mailbox-refused = { $action }: { $place } не принимает { $name }: { $reason }
mailbox-unusable = { $place }: { $reason }
mailbox-listing = просмотр папки out
mailbox-fetching = получение файла
mailbox-placing = отправка файла
mailbox-waiting = ожидание новых файлов
mailbox-no-folder = нет папки { $folder }
mailbox-no-name = это не простое имя файла
mailbox-no-file = в out нет такого файла
mailbox-taken = это имя занято другим файлом: там байтов { $there }, у нас { $ours }
mailbox-damaged-there = переданная часть файла не совпала ({ $seen }) и удалена
mailbox-damaged-here = полученная часть — не тот файл, что предложен; она удалена
mailbox-ca = файл удостоверяющего центра не годится: { $detail }
mailbox-ca-empty = в файле удостоверяющего центра нет сертификата
mailbox-client = клиентский сертификат или его ключ не годится: { $detail }
mailbox-client-half = certificate_file и key_file указывают только вместе
mailbox-tls = защищённое соединение не установлено: { $said }
mailbox-server-said = сервер ответил: { $said }
mailbox-silent = нет ответа { $seconds } с
mailbox-login = вход отклонён; сервер ответил: { $said }
mailbox-local = файл на этом компьютере: { $detail }
mailbox-next-line = Проверьте связь и раздел [mailbox] настроек.
mailbox-next-folder = Исправьте path в разделе [mailbox]; папку создаёт координационный центр (centre add).
mailbox-next-file = Положите файл на место или исправьте путь в разделе [mailbox].
mailbox-next-client = Укажите в разделе [mailbox] оба ключа или ни одного.
mailbox-next-pem = Возьмите файлы PEM, выданные координационным центром.
mailbox-next-login = Проверьте user, password_file и клиентский сертификат в разделе [mailbox].
mailbox-next-ca = Сервер предъявил другой сертификат: проверьте ca_file и server_name в разделе [mailbox].

quarantine-count = Файлов: { $n }.
quarantine-count-hidden = Файлов: { $n }; ещё { $hidden }, чьи пакеты приняты позже, покажет --all.
quarantine-none = В карантине ничего нет.
quarantine-file = { $file }
    { "" }    от { $peer }, с { $since }: { $what } ({ $reason })
    { "" }    → { $next }
quarantine-again = Приходил { $n ->
    [one] { $n } раз
    [few] { $n } раза
   *[many] { $n } раз
}, последний — { $last }.
quarantine-then = Когда причина устранена: quarantine replay { $file }
quarantine-taken = Ничего не нужно: пакет с этим именем принят позже.
quarantine-answered = Отправителю отвечено, повторно не проверяется; файл сохранён для проверяющих.
quarantine-replays = Ничего не нужно: служба проверит его снова.
quarantine-replayed = { $n ->
    [0] Проверять снова нечего.
    [one] Снова будет проверен { $n } файл. Что с ним стало, скажет quarantine list, когда служба его проверит.
    [few] Снова будут проверены { $n } файла. Что с ними стало, скажет quarantine list, когда служба их проверит.
   *[many] Снова будет проверено { $n } файлов. Что с ними стало, скажет quarantine list, когда служба их проверит.
}

keys-own = Свои карточки:
keys-telling = Новые ключи сообщены участникам:
keys-peers = Карточки других участников:
keys-card = { "" }  { $code }  { $state }, срок до { $until }
    { "" }    { $fingerprint }
keys-rotated = Новые ключи созданы, карточка действует до { $until }, её отпечаток { $fingerprint }. Служба сообщит их участникам; прежние действуют, пока их не примут все. Как идёт смена, скажет keys list.
keys-told-again = Тем, кто отклонил новые ключи, они будут сообщены снова. Отпечаток карточки { $fingerprint }, срок до { $until }.
card-state-current = действует
card-state-next = будет действовать
card-state-former = прежняя
ky-state-untold = ещё не сообщены
ky-state-open = сообщены, ответа нет
ky-state-taken = приняты
ky-state-refused = отклонены; keys rotate сообщит снова

request-packet = { "" }  { $peer }: пакет № { $first } эпохи { $epoch }, { $minutes } мин. (с { $since }); следующий запрос { $next }
request-packets = { "" }  { $peer }: пакеты № { $first }–{ $last } эпохи { $epoch }, { $minutes } мин. (с { $since }); следующий запрос { $next }
request-snapshot = { "" }  { $peer }: полный снимок, { $minutes } мин. (с { $since }); следующий запрос { $next }
request-ranges = { "" }  { $peer }: чем различаются записи, { $minutes } мин. (с { $since })
request-heading = Запрошено и ещё не пришло:
difference-heading = Различаются записи ({ $n }); запрошен полный снимок, он всё исправит:
difference-line = { "" }  { $kind } { $key }: здесь { $here }, у другой стороны { $there }
difference-none = нет

resync-none = Восстанавливать нечего: поток не остановлен
error-resync-not-yet = Снимок другой стороны ещё не пришёл
    .next = Его запрашивает служба. Проверьте, что она работает и связь есть, и повторите позже.
error-resync-choose = Записей, изменённых и здесь, и в утраченной части базы: { $n }
    .next = Посмотрите их (svod-spoke resync) и выберите: --keep mine или --keep theirs.
incident-peer-restored = База другой стороны восстановлена из копии; она восстанавливает утраченное. Её новые данные принимаются, когда её сотрудники выполнят resync.

backup-done = Копия базы: { $file }. Открыть её можно ключом участника или архивным ключом
restore-done = База возвращена из копии от { $at }
restore-before = Прежняя база: { $file }
restore-stopped = С тех пор обмен шёл (или этого нельзя узнать: нет файла отметок). Запустите службу, она запросит утраченное; что утрачено и как продолжить, покажет resync
restore-goes-on = С тех пор не было ни отправленных, ни принятых пакетов: запустите службу
error-backup-file = Файл { $file }: { $detail }
    .next = Проверьте путь, права и свободное место: нужно место для двух копий базы.
error-backup-exists = { $file } уже существует
    .next = Назовите новый файл: копия ничего не перезаписывает.
service-stopped = Служба сейчас не запущена (если обмен идёт по расписанию командой sync, так и должно быть)
service-hindered = Службе мешает с { $since }: { $what }
service-ended = Служба остановилась { $since }: { $what }
error-backup-another = Базу { $file } уже копируют или восстанавливают
    .next = Дождитесь конца той команды и повторите.
error-restore-in-use = Базу { $file } держит открытой другая программа: то, что она запишет, пропало бы
    .next = Закройте программы, которые работают с базой, и повторите.
error-backup-database = Базу не удалось скопировать: { $detail }
    .next = Проверьте путь к базе в настройках; если база занята, повторите.
error-backup-damaged = База или её копия повреждена: { $detail }
    .next = Возьмите более раннюю копию. Повреждённую базу сохраните для разработчиков.
error-backup-other-key = { $file }: ни один из ключей здесь её не открывает
    .next = Назовите ключ: --key archive.key.
error-backup-not-one = { $file }: не копия базы или повреждена
    .next = Возьмите другую копию.
error-backup-other = Это копия участника { $found }, а здесь { $expected }
    .next = Проверьте, та ли это копия и те ли настройки.
error-backup-unsigned = Копия подписана не ключом этого участника
    .next = Возьмите другую копию; прежние карточки участника должны лежать в trust/.
error-restore-exists = База { $file } есть
    .next = Чтобы поставить копию на её место, добавьте --replace: прежняя база останется рядом.

overdue-heading = Слишком долго ждут:
overdue-placing = Не удаётся выложить пакеты для { $peer } ({ $n }, с { $since }).
    .next = Проверьте связь и место на диске; причина — в журнале программы.
overdue-receipt = { $peer } не забирает пакеты ({ $n }, с { $since }).
    .next = Узнайте там, работает ли служба и есть ли связь.
overdue-protocol = { $peer } получил пакеты, но не отвечает о них ({ $n }, с { $since }).
    .next = Узнайте там, что показывает status: возможно, поток остановлен или нет места.
overdue-held = Пакеты от { $peer } ждут более ранних ({ $n }, с { $since }).
    .next = Недостающее запрошено; узнайте там, работает ли служба.
overdue-asked = { $peer } не присылает того, что у него запрошено ({ $n }, с { $since }).
    .next = Узнайте там, работает ли служба и что показывает status.
overdue-silence = От { $peer } ничего не приходило с { $since }.
    .next = Проверьте связь и узнайте там, работает ли служба.
overdue-comparison = База восстановлена из копии, а снимок от { $peer } не приходит с { $since }.
    .next = Проверьте связь и узнайте там, работает ли служба.
overdue-recovery = База восстановлена из копии, поток с { $peer } остановлен с { $since }.
    .next = Выполните resync: он покажет, что утрачено и как продолжить.
overdue-decided = База восстановлена из копии, поток с { $peer } остановлен с { $since }; решение принято, но служба его ещё не выполнила.
    .next = Запустите службу, если она не запущена; иначе причина — в её журнале.
overdue-peer-recovery = База { $peer } восстановлена из копии, и с { $since } обмен там не продолжен.
    .next = Попросите там выполнить resync.
overdue-signature = Решения сотрудников ждут второй подписи ({ $n }, с { $since }).
    .next = Коллега подписывает или отказывает: review list, review show, review sign.
