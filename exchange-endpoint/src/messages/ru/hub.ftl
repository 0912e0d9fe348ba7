### What svod-hub says.

hub-init-done = Координационный центр готов. Настройки: { $config }
    Карточка для центров: { $card }
    Её отпечаток (сообщите другим путём, например по телефону): { $fingerprint }
hub-own-card = Карточка координационного центра: { $card }
    Отпечаток (сообщите другим путём): { $fingerprint }
    Действует по { $until }
hub-centre-new = Центр { $code } зарегистрирован
hub-centre-superseded = Центр { $code }: принята новая карточка, прежняя сохранена
hub-centre-password = Центр { $code }: принят новый пароль
hub-centre-known = Центр { $code } уже зарегистрирован с этой карточкой и этим паролем
hub-centre-disabled = Центр { $code } отключён; убрано файлов из его каталога out: { $removed }
hub-certificate-issued = Центр { $code }: выпущен клиентский сертификат { $certificate }, ключ { $key }. Передайте оба файла центру надёжным путём (certificate_file и key_file в [mailbox]) и удалите ключ здесь; без сертификата центр больше не войдёт.
hub-certificate-pinned = Центр { $code }: при входе нужен клиентский сертификат с отпечатком { $digest }
hub-certificate-revoked = Центр { $code }: клиентского сертификата больше нет
hub-no-centres = Центров нет: добавьте их командой centre add
hub-card-until = карточка действует по { $until }
hub-state-active = обмен разрешён
hub-state-disabled = отключён
hub-state-merged = первичная загрузка объединена
hub-state-unmerged = первичная загрузка не объединена

hub-merge-tried = Пробное объединение: ничего не изменено
hub-merge-done = Объединение выполнено, протокол № { $protocol }
hub-merge-counts = Записей о получателях: { $claims }, новых людей: { $created }, всего людей: { $persons }, ИППСУ и дополнений: { $documents }, подтверждено обслуживаний: { $confirmed }
hub-merge-stage-index = сравнение записей о получателях: { $done } из { $all }
hub-merge-stage-settle = кто есть кто: записей { $all }
hub-merge-stage-documents = ИППСУ и дополнения: { $all }
hub-merge-stage-publish = что узнает каждый центр: людей { $done } из { $all }
hub-merge-stage-write = запись в базу
hub-reviews-would = Спросят сотрудников (после объединения: review list; прочитать сейчас: merge --dry-run --out ФАЙЛ.csv):
hub-reviews-open = Ждут решения сотрудников (review list):

hub-status = Координационный центр { $code }: людей { $persons }, записей журнала { $journal }
hub-status-merge-waits = Ждут объединения (merge) записи первичной загрузки: { $n }
hub-status-centre = { $code }  { $name }: принят { $in }, отправлен { $out }; без ответа { $unanswered }, ждут предыдущих { $held }, не принято записей { $refused }, в карантине { $quarantined }, происшествий { $incidents }
hub-status-late = давно нет файлов
hub-status-stopped = поток остановлен
hub-incidents = Происшествия:

hub-person-asked = { $uid } оказался этим человеком
hub-person-served = Обслуживают: { $centres }
hub-entry = запись координационного центра, { $actor }: { $reason }
hub-said = { $case }  { $uid }: принято; узнают центры: { $centres }
hub-said-before = { $case }  { $uid }: так и было; обслуживают: { $centres }

hub-no-reviews = Нерешённых вопросов нет
hub-review-file = Вопросов: { $count }; таблица: { $file }. Заполните столбцы decision и reason и выполните review apply.
hub-review-applied = Решений принято: { $decided }, принято раньше: { $unchanged }, без решения: { $left }, уже не актуальны: { $gone }; затронуто людей: { $persons }

table-too-large = файл больше 256 МиБ
table-no-text = это не текст (нулевой байт)
table-no-column = нет столбца { $column }
table-cells = ячеек { $cells }, а в заголовке { $heading }
table-no-table = это не таблица CSV
table-twice = тот же вопрос, что в строке { $line }
table-decided-otherwise = прежде решено иначе; чтобы изменить решение, добавьте --revise
table-decision = столбец decision: нужно одно из слов один, разные, принять, отклонить
table-decision-pair = столбец decision: о двух записях решают «один» или «разные»
table-decision-programme = столбец decision: о двух ИППСУ решают только «разные» (действуют обе); иначе одну из них завершает центр
table-decision-change = столбец decision: об изменении или предложении решают «принять» или «отклонить»
table-reason = столбец reason: причина обязательна, не длиннее 1000 знаков
table-review-number = столбец review: это не число
table-review-unknown = столбец review: такого вопроса нет
table-other-record = столбец { $column }: не тот, что в этом вопросе
table-proposal-target = столбец decision: принять здесь можно только предложение о человеке, известном координационному центру
table-proposal-value = столбец decision: предложенное значение поля { $field } не может быть опубликовано

rule-staff = решение сотрудника
rule-snils-birth = СНИЛС, дата рождения и имя
rule-snils-names = СНИЛС и ФИО
rule-name-birth-document = ФИО, дата рождения и документ
rule-name-birth-address = ФИО, дата рождения и адрес
rule-name-birth-phone = ФИО, дата рождения и телефон
rule-single = единственная запись о человеке

review-snils-only = СНИЛС совпал, ФИО или дата рождения различаются
review-snils-conflict = всё совпало, но СНИЛС разные
review-name-birth-only = совпали только ФИО и дата рождения
review-surname = другая фамилия, остальное совпало
review-document = один документ, ФИО или дата рождения различаются
review-birth-date = даты рождения похожи, но не равны
review-name-variant = варианты имени или нет отчества
review-names-swapped = фамилия и имя поменяны местами
review-contested = объединение связало бы разных людей
review-overlap = пересекаются действующие ИППСУ
review-identity-changed = под тем же ключом записан другой человек
review-locked = центр изменил опубликованное
review-proposal = предложение центра
review-next = Запустите svod-hub review list, решите «один» или «разные» и загрузите: review apply.

error-hub-busy = База занята другой командой
    .next = Повторите команду через минуту.
error-hub-no-database = Нет базы { $file }
    .next = Проверьте настройки (database) или создайте координационный центр командой init.
error-hub-database-foreign = { $file } — не база координационного центра
    .next = Проверьте ключ database в настройках: это файл другой программы.
error-hub-read-only = База или её каталог недоступны для записи
    .next = Выполните команду от пользователя службы или исправьте права на каталог базы.
error-hub-damaged = В базе значение, которого программа не записывала: { $detail }
    .next = Остановите службу, сохраните копию базы и сообщите разработчикам.
error-hub-exists = { $file } уже существует
    .next = Укажите другое место: существующее не перезаписывается.
error-hub-older = База { $file } не той схемы, которую читает эта программа (схема { $detail })
    .next = Возьмите svod-hub той версии, которая с ней работала, или проверьте, та ли это база.
error-hub-newer = База { $file } создана более новой программой (схема { $detail })
    .next = Обновите svod-hub.
error-hub-file = Файл или каталог { $file }: { $detail }
    .next = Проверьте путь, права доступа и место на диске и повторите.
error-hub-step = Не выполнено: { $detail }
    .next = Ничего не применено наполовину; устраните причину и повторите.
error-hub-start = Служба не запущена: { $detail }
    .next = Устраните причину и запустите снова.
error-hub-case-numbers = Номера личных дел: { $detail }
    .next = Укажите ОКТМО из 8 цифр; если номера исчерпаны, задайте в настройках другой.
error-hub-name-unfit = Название не подходит для карточки
    .next = Укажите от 1 до 200 знаков в одну строку.
error-hub-certificates = Сертификаты сервера FTPS: { $detail }
    .next = Верните каталог pki из копии.
error-hub-no-card = В каталоге trust нет карточки участника { $code }
    .next = Загрузите карточку снова: centre add
error-centre-is-hub = { $file } — карточка самого координационного центра
    .next = Укажите карточку центра.
error-centre-unknown = Центр { $code } не зарегистрирован
    .next = Посмотрите список: centre list
error-centre-revoked = Центр { $code } отключён, а на карточке его прежний ключ
    .next = Центр возвращается только с новыми ключами: создайте их заново (svod-spoke init) и загрузите новую карточку.
error-centre-no-claim = У центра { $code } нет сведений об этом человеке
    .next = Подтвердить можно только центр, приславший человека: person show
error-client-certificate = Клиентский сертификат { $file } не годится: { $detail }
    .next = Укажите действующий сертификат клиента в форме PEM, не сертификат удостоверяющего центра.
error-client-certificate-what = Не сказано, что сделать с клиентским сертификатом
    .next = Укажите одно из трёх: --out КАТАЛОГ, --cert ФАЙЛ или --revoke.
error-oktmo-missing = Не указан ОКТМО: он входит в каждый номер личного дела, и выданный номер не меняется
    .next = Добавьте --oktmo и 8 цифр ОКТМО муниципального образования.
error-password-file = Файл с паролем { $file } не читается: { $detail }
    .next = Проверьте путь и права доступа.
error-password-short = Первая строка файла { $file } не годится как пароль: нужно не менее { $length } знаков
    .next = Запишите пароль первой строкой файла.
error-person-unknown = Нет человека с таким uid или номером дела
    .next = Проверьте номер.
error-field-unknown = Такого поля у получателя нет
    .next = Известные поля: { $known }
error-value-unfit = Значение не подходит полю { $field }: { $problem }
    .next = Исправьте значение.
error-table-line = { $problems }
    .next = Ничего не применено. Исправьте названные строки и повторите.
