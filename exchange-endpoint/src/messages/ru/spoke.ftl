### What svod-spoke says.

spoke-init-done = Центр готов к обмену. Настройки: { $config }
    Карточка для координационного центра: { $card }
    Её отпечаток (сообщите по телефону): { $fingerprint }
spoke-sync-done = Обмен выполнен. Без ответа пакетов: { $n }
spoke-sync-in-part = Обмен выполнен не полностью. Без ответа пакетов: { $n }
spoke-sync-stopped = Данные центра не отправляются: поток остановлен ({ $code }). Что случилось и что делать — svod-spoke status и раздел 9 руководства. Без ответа пакетов: { $n }
spoke-sync-no-line = Папка обмена недоступна. { $n ->
    [0] Все отправленные пакеты получили ответ
   *[other] Пакетов без ответа: { $n }; они сохранены и будут отправлены позже
}

spoke-import-done = Загружено: новых { $new }, изменённых { $changed }, без изменений { $unchanged }, предложений { $proposed }, отклонено строк { $refused }
spoke-import-would = Было бы загружено: новых { $new }, изменённых { $changed }, без изменений { $unchanged }, предложений { $proposed }, отклонено строк { $refused }
spoke-import-none = Ничего не загружено: отклонено строк { $refused } (--all-or-nothing); иначе было бы новых { $new }, изменённых { $changed }, без изменений { $unchanged }, предложений { $proposed }
spoke-import-passed-over = Столбцы, которые ведёт не этот файл, пропущены: { $columns }
spoke-export-until = Выгружено по протокол { $until }; дальше: --changed-since { $until }
spoke-export-nothing = С прошлого раза координационный центр ничего не изменил (по протокол { $until })

spoke-verify-whole = Всё опубликованное ({ $n }) совпадает с подписанным координационным центром
spoke-verify-damaged = Найдено отличий: { $found } (проверено публикаций: { $n }). Исправить: svod-spoke verify --restore
spoke-verify-restored = Найдено отличий: { $found }; всё исправлено (проверено публикаций: { $n })
spoke-verify-left = Найдено отличий: { $found }, осталось: { $left } (проверено публикаций: { $n }). Сообщите координационному центру
spoke-fault-trigger-missing = удалён триггер защиты
spoke-fault-trigger-altered = изменён триггер защиты
spoke-fault-publication-forged = сохранённая публикация не совпадает с подписью координационного центра
spoke-fault-row-missing = удалена опубликованная строка
spoke-fault-row-altered = изменена опубликованная строка или её подстроки
spoke-fault-record-altered = изменены служебные сведения о строке
spoke-fault-record-forged = строка выдана за опубликованную, но не публиковалась
spoke-fault-not-captured = строка внесена в обход учёта изменений
spoke-fault-digest-differs = сумма публикаций не та, что сообщил координационный центр: что-то утрачено или возвращено старое
spoke-fault-behind-watermark = база старее отметки: вероятно, она восстановлена из копии
spoke-fault-evidence-missing = сведений о том, что было отправлено или получено, больше нет: строка уйдёт снова, а пакеты вернёт только копия базы
spoke-fault-sent-differs = сведения об отправленном не сходятся с журналом: если не хватает действующих записей, программа отправит всё снова в новой эпохе
spoke-fault-database-damaged = файл базы повреждён: остановите программу и верните базу из копии
spoke-fault-journal-altered = журнал изменён
spoke-fault-journal-cut = последних записей журнала нет: он короче, чем сказано в отметке
spoke-fault-table-missing = таблицы нет или она переименована
spoke-fault-column-missing = столбца нет или он переименован
spoke-fault-table-altered = таблица создана заново не так, как её делает программа обмена: другой ключ, типы или условия
spoke-fault-index-altered = индекс или представление удалены или изменены
spoke-fault-index-foreign = посторонний уникальный индекс или ограничение: через него REPLACE обходит защиту
spoke-fault-index-unusable = индекс с сортировкой или функцией, которые есть только в вашей программе: с ним таблицу не может записать никто другой, поэтому он удаляется
spoke-verify-digest-signed = Сумма публикаций сверена с подписанным пакетом { $packet }
spoke-verify-digest-kept = Сумма публикаций сверена только с записью в базе, подписи под ней нет ({ $packet }: { $why }); каждая публикация проверена по своей подписи
spoke-verify-digest-none = Сумма публикаций не сверена: { $why }

spoke-status-heading = Центр { $code }, координационный центр { $hub }
spoke-status-position = эпоха { $epoch }, № { $seq }
spoke-status-out = Отправка: последний пакет { $position }
spoke-status-in = Приём: последний пакет { $position }
spoke-status-rows = Строки: { $rows }
spoke-status-waiting = Ждут отправки: { $n }
spoke-status-unanswered = Пакеты без ответа: { $n }
spoke-status-records = Записи, требующие внимания: { $n }
spoke-status-proposals = Предложения: { $n }
spoke-status-incidents = Открытые происшествия: { $n }
spoke-status-closed = Закрытые происшествия, последние: { $n }

spoke-propose-nth = № { $n } (в имени знаков: { $length })
spoke-verify-owned = Работающая служба исправляет базу сама. Чтобы сделать это командой, остановите службу и повторите; проверить (verify без --restore) можно и при ней.
spoke-why-supersedes = Исправление координационного центра: раньше эту строку считали записью { $uid }
spoke-why-lines = { " " }и её подстрок ({ $table })
spoke-gone-none = Таблица { $table }: задержанных записей нет, решать нечего
spoke-gone-held = Таблица { $table }: задержано записей — { $held }. Удалены нарочно: svod-spoke gone { $table } --confirm. Потеряны: верните строки или svod-spoke gone { $table } --restore
spoke-gone-confirmed = Таблица { $table }: удаление подтверждено и будет отправлено, записей — { $done }
spoke-gone-restored = Таблица { $table }: возвращено строк — { $done }, осталось задержано — { $held }
spoke-propose-done = Предложение { $key } сохранено и будет отправлено координационному центру. Решение покажет svod-spoke status
spoke-propose-again = Такое предложение уже есть: { $key }. Решение покажет svod-spoke status
spoke-propose-replaced = Предложение { $key } теперь говорит новое и будет отправлено снова. Решение покажет svod-spoke status

spoke-check-refused = { $table } { $id }, { $place }: { $rule }{ $sentence } Не отправляется, пока не исправлено.
spoke-check-warned = { $table } { $id }, { $place }: { $rule }{ $sentence }
spoke-check-type = Значение не того вида, что нужен в этом поле, или не указано.
spoke-check-sum = Проверено строк: { $rows }; замечаний: { $n }

spoke-why-outcome = Решение координационного центра о последней отправке: { $outcome }
spoke-why-own = { $table } { $id }: строка вашего центра ({ $owner }), состояние: { $state }, версия { $version }
    Последний раз отправлена пакетом { $packet } ({ $since }). Её можно менять.
spoke-why-locked = { $table } { $id }: строку ведёт координационный центр ({ $owner }), состояние: { $state }
    Номер записи { $uid }, версия { $version }, пакет { $packet } ({ $since })
    Закреплены все поля строки{ $lines }. Если значение неверно, предложите верное: svod-spoke propose { $table } { $id } СТОЛБЕЦ=ЗНАЧЕНИЕ
    Спросить можно в координационном центре: { $ask }
spoke-why-locked-only = { $table } { $id }: строку ведёт координационный центр ({ $owner }), состояние: { $state }
    Номер записи { $uid }, версия { $version }, пакет { $packet } ({ $since })
    Закреплены все поля строки{ $lines }. Предложить изменение такой записи нельзя: если значение неверно, сообщите об этом.
    Спросить можно в координационном центре: { $ask }
spoke-why-alias = { $table } { $id }: это та же запись, что и строка { $alias }; работайте с ней
    Номер записи { $uid }, версия { $version }, пакет { $packet } ({ $since })
    Если это не так, сообщите в координационный центр: { $ask }

error-spoke-exists = { $file } уже существует
    .next = Выберите другой каталог: готовый центр не создаётся заново.
error-spoke-database-missing = Базы { $file } нет
    .next = Проверьте ключ database в настройках; новую базу создаёт svod-spoke init.
error-spoke-database-foreign = { $file } — не база центра этого обмена
    .next = Проверьте ключ database в настройках: это база другой программы.
error-spoke-database-version = База { $file } другой версии: { $detail }
    .next = { $todo }
error-spoke-database-busy = База занята другой программой: { $detail }
    .next = Повторите через минуту; закройте программу, которая долго держит базу.
error-spoke-database-altered = Таблицы или схема базы изменены другой программой: { $detail }
    .next = Выполните svod-spoke sync или verify --restore; если не поможет, верните базу из копии.
error-spoke-database-damaged = Файл базы повреждён: { $detail }
    .next = Остановите службу и программы, работающие с базой, и сохраните centre.db как есть. Верните базу из копии: svod-spoke restore ФАЙЛ --replace, затем запустите службу и выполните resync. Проверьте диск (OPERATING, раздел 8).
error-spoke-database = База не выполнила действие: { $detail }
    .next = Проверьте свободное место и права на запись; затем svod-spoke verify.
error-spoke-mailbox = Папка обмена: { $detail }
    .next = { $todo }
error-spoke-file = Файл или каталог: { $detail }
    .next = Проверьте права и свободное место.
error-spoke-no-room = Не записано: { $detail }
    .next = Освободите место на диске и повторите: что не поместилось, не применено. Служба продолжит сама, когда место появится.
error-spoke-packet = Пакет не удалось обработать: { $detail }
    .next = Ничего не применено; повторите. Если повторится, сообщите разработчикам.
error-spoke-stream = Отправка остановлена: { $detail }
    .next = Посмотрите происшествия: svod-spoke status
error-spoke-no-hub-card = В каталоге trust нет карточки координационного центра { $code }
    .next = Верните её из копии или получите у координационного центра, сверив отпечаток по телефону.
error-spoke-card-no-hub = Карточка участника { $code } — не координационного центра: в ней нет его центра сертификации
    .next = Возьмите карточку у координационного центра: svod-hub centre card.
error-spoke-no-table = Таблицы с таким именем нет (в нём знаков: { $length })
    .next = Известные таблицы: { $known }
error-spoke-no-row = В таблице { $table } нет строки с таким id (в нём знаков: { $length })
    .next = Проверьте значение id.
error-spoke-csv-unreadable = Файл { $file }: { $detail }
    .next = Если файл не читается или не пишется, проверьте путь, права и место на диске; если дело в содержимом, исправьте его и повторите.
error-spoke-csv-column = { $file }, строка заголовков: столбец { $n } (знаков: { $length }) не известен таблице
    .next = Первой строкой должны стоять заголовки. Назовите столбец в файле --columns или переименуйте. Известные: { $known }
error-spoke-csv-key = { $file }: нет столбца, названного в --key (знаков: { $length })
    .next = Укажите --key одним из столбцов: { $known }
error-spoke-propose-own = Строку { $table } { $id } ведёт ваш центр
    .next = Измените её в своей программе: предложение не нужно.
error-spoke-propose-table = Строку { $table } { $id } ведёт только координационный центр: предложить её изменение нельзя
    .next = Сообщите центру, что в ней неверно; кому, покажет svod-spoke why { $table } { $id }.
error-spoke-propose-column = Для столбца { $column } таблицы { $table } предложение невозможно
    .next = Предложить можно значения полей закреплённой строки, кроме номеров и ссылок.
error-spoke-propose-value = Столбец { $column } таблицы { $table }: { $detail }
    .next = Исправьте значение: дата ДД.ММ.ГГГГ или ГГГГ-ММ-ДД, СНИЛС из 11 цифр, пол М или Ж.
error-spoke-propose-rule = Столбец { $column } таблицы { $table }: правило { $rule }
    .next = Исправьте значение; правила перечислены в docs/RULES.md
error-spoke-propose-stands = В строке { $table } { $id } так и написано
    .next = Ничего делать не нужно.

spoke-database-versions = таблицы версии { $found }, этой программе нужна { $expected }
spoke-database-newer = Базу создала более новая программа: обновите программу обмена.
spoke-database-older = База старее программы: верните программу той версии, которая с ней работала, или создайте центр заново (svod-spoke init) и загрузите сведения. Преобразования нет.
spoke-database-stored = сохранённая запись { $kind } { $key } не читается
spoke-database-corrupt = в таблице { $table } значение, которого эта программа не записывала
spoke-database-of = { $file } — база участника { $code }

row-state-own = своих
row-state-provisional = ждут подтверждения
row-state-locked = закреплено координационным центром
row-state-alias = повторов
row-state-withdrawn = выведено из ведения центра
row-is-own = своя
row-is-provisional = отправлена, ждёт подтверждения
row-is-locked = закреплена
row-is-alias = повтор другой строки
row-is-withdrawn = выведена из ведения центра
stream-stop-restored = остановлено: база восстановлена из копии
stream-stop-clone = остановлено: работает вторая копия базы
proposal-state-unfit = не отправлено: нарушает правило
proposal-state-open = ждёт отправки
proposal-state-sent = отправлено, решения ещё нет
proposal-state-accepted = принято
proposal-state-declined = отклонено
proposal-state-refused = отказано в приёме
incident-tampered = База изменена в обход обмена.
incident-diverged = Здесь хранится не то, чем обменялись: строки утрачены или изменены, здесь или на другой стороне. Исправляется само, если нужно — запрошенным снимком. Если повторится, проверьте диск и выясните, кто пишет в базу.
incident-restored = База восстановлена из копии, поток остановлен. Ничего не удаляйте; что утрачено и как продолжить, покажет команда resync. Если базу никто не восстанавливал, значит, тот же центр работает и на другой машине: сначала остановите лишнюю.
incident-journal-altered = Журнал изменён, или последние записи удалены: верните базу из копии или выясните, кто и зачем её менял.
incident-many-gone = Исчезла большая часть строк таблицы или их подстрок, либо строки удалены в обход обмена и вернуть их не удалось. Координационному центру это не отправлено. Верните строки; если они удалены нарочно — svod-spoke gone ТАБЛИЦА --confirm; вернуть как были отправлены — svod-spoke gone ТАБЛИЦА --restore.
incident-row-taken = Строка вашего центра носит номер публикации, и публикация ждёт. Дайте строке другой номер (столбец id).
incident-rows-beside = В этой таблице стоят строки, которым не нашлось места в своей. Просмотрите их, внесите недостающее в свою таблицу, затем удалите эту (DROP TABLE).
incident-archive-lost = Файла нашего пакета нет в архиве, или он там повреждён, а ответа на пакет ещё не было. Пакет сказан заново; ответ (KV, PR) восстановите из копии каталога archive и проверьте диск.
incident-unsealed = Строки базы, из которых составляется сказанное этому центру, испорчены, и их не подписывают: пока их надо отправить, ему ничего не уходит; остальные своё получают. Координационный центр исправит их сам или запросит копию у центра. Если происшествие открыто и после того, как она пришла, верните базу из копии и проверьте диск.
incident-misplaced = Строка базы утверждала, что этому центру сказано о человеке, о котором ему никогда не говорили: строка испорчена и отброшена, ничего из неё не ушло. Проверьте диск и выясните, кто пишет в базу; затем incident close.
incident-spool-lost = Пакета нет в папке spool, или он там повреждён, а ответа ещё не было: отправлено заново.
outcome-unsendable = не отправлены
    .one = не отправлена
spoke-status-more = и ещё { $n }: все перечисляет --format json
spoke-status-no-rows = Строк ещё нет
spoke-status-unsendable = Таблица { $table }, строка { $id }, поле «{ $field }»: { $problem } Строка не отправляется; исправьте её в своей программе.
spoke-status-deadline = ответ ожидается до { $at }
spoke-why-never-sent = { $table } { $id }: строка вашего центра ({ $owner }), состояние: { $state }
    Ещё не отправлялась. Её можно менять.

digest-tables-are-missing-or-altered = таблицы отсутствуют или изменены
digest-nothing-has-come-from-the-hub = от координационного центра ещё ничего не приходило
digest-no-packet-is-noted-as-applied = не записано, какой пакет принят последним
digest-the-keys-that-open-the-archived-packet-cannot-be-read = не читаются ключи, которыми открывается пакет из архива
digest-the-packet-is-gone-from-the-archive = пакета нет в архиве
digest-the-archived-file-is-not-the-packet-that-was-applied = файл в архиве — не тот пакет, который был принят
digest-no-key-here-opens-the-archived-packet = пакет в архиве зашифрован не для тех ключей, что есть здесь (он тот, что пришёл; его открывают прежние строки keys/age.key)
digest-the-packet-states-no-sum = в пакете нет суммы
closed-agrees-again = снова совпадает
closed-restored = исправлено
closed-found-whole = проверено: всё на месте
closed-decided = строки вернулись или решено человеком
closed-shown = показано
closed-by-staff = просмотрено
closed-taken = принято
closed-told-anew = сообщено заново в новой эпохе
error-spoke-map-unreadable = Файл соответствия столбцов { $file } (--columns) не читается: { $detail }
    .next = В нём нужен раздел [columns] и строки вида "Заголовок в файле" = "столбец таблицы".
error-spoke-map-column = { $file } (--columns): строка { $line }: назначен столбец, которого в таблице нет (в имени знаков: { $length })
    .next = Исправьте имя столбца в этом файле. Известные: { $known }

spoke-resync-asked = База восстановлена из копии. Снимок координационного центра, который запрашивает служба, ещё не пришёл
spoke-resync-unreadable = Пришедший снимок не открывается ключами, которые есть здесь, или повреждён: служба запрашивает другой. Решение, принятое по прежнему, не действует; повторите resync, когда он придёт
spoke-resync-ready = База восстановлена из копии. Снимок координационного центра получен; вот чем он отличается от базы:
spoke-resync-confirmed = Решение принято: служба вернёт утраченное и продолжит обмен. Запустите её, если она не запущена
spoke-resync-differences = По записям (здесь — в этой базе, там — в координационном центре):
spoke-resync-value = { $field }: здесь «{ $here }», там «{ $there }»
spoke-resync-file = Все они — в файле { $file } (персональные данные)
spoke-resync-more = … и ещё { $n }: все запишет svod-spoke resync --out ФАЙЛ.csv (персональные данные)
spoke-resync-line = Строка { $id }: стала такой, как в координационном центре. Отличались: { $fields }
spoke-resync-line-next = Значения, которые стояли здесь, — в файле { $file } рядом с базой.
spoke-resync-unknown = Пакеты, отправленные утраченной базой и неизвестные теперь ни здесь, ни в координационном центре ({ $n }); они лежат в spool/, открывает их svod-packet unpack с ключом archive.key. Записи из них спросите у тех, кто их вводил (в пакете может не быть ни одной):
spoke-resync-next = Вернуть утраченное и продолжить обмен: svod-spoke resync --yes
spoke-resync-choose-next = Вернуть утраченное и продолжить обмен: svod-spoke resync --yes --keep mine (остаётся то, что в базе) или --keep theirs (то, что у координационного центра; значения в базе пропадут)
resync-what-back = строки вернутся
resync-what-changed = строки станут такими, как в координационном центре (--keep этого не меняет: здесь с тех пор ничего не изменено)
resync-what-ended = строки будут удалены: центр удалил их и сообщил об этом
resync-what-noted = строки не изменятся, вернётся отметка об отправке
resync-what-moved = нужно выбрать
resync-what-sent-again = будут отправлены снова
closed-resynced = утраченное возвращено
