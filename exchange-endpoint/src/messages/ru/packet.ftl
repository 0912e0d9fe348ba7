### Что говорит svod-packet.

packet-kind-DT = Пакет данных (DT)
packet-kind-SN = Часть снимка данных (SN)
packet-kind-KY = Пакет с ключами (KY)
packet-kind-KV = Квитанция о получении (KV)
packet-kind-PR = Протокол приёма (PR)
packet-kind-RQ = Запрос (RQ)
packet-unnamed = (имя файла — не имя пакета)
packet-no-file = это папка или устройство
packet-name-sealed = зашифрован
packet-name-open = не зашифрован
packet-name-says = { $what }: от { $from } для { $to }, эпоха { $epoch }, № { $seq }, дата { $date }, { $envelope }
packet-name-is-a-claim = Имя само по себе ничего не доказывает: файл проверяет команда verify.
packet-says = { $what }: от { $from } для { $to }, эпоха { $epoch }, № { $seq }; составлен { $at }, программа { $producer }
packet-says-digest = Отпечаток (SHA-256 манифеста): { $digest }
packet-says-snapshot = Часть { $part } из { $of }, причина: { $reason }
packet-snapshot-initial = начало обмена
packet-snapshot-requested = запрошен получателем
packet-snapshot-recovered = восстановление отправителя
packet-says-answered = Отвечает на пакет с отпечатком { $digest }
packet-says-ack = Отправитель заявляет, что обработал пакет получателя: эпоха { $epoch }, № { $seq }, { $digest }
packet-says-echo = Отправитель заявляет, что получатель обработал его пакет: эпоха { $epoch }, № { $seq }, { $digest }
packet-says-records = { $count ->
    [one] { $count } запись
    [few] { $count } записи
   *[many] { $count } записей
    }, { $bytes } байт
packet-says-lines = строк: { $count }, { $bytes } байт
packet-records-of-kind = { $kind }: действующих { $live }, выведенных из ведения { $withdrawn }, удалённых { $tombstones }
packet-mirror = Зеркало: копия записей получателя, которая есть у отправителя:
packet-new-card = Новые ключи: карточка участника { $code } ({ $name }), отпечаток { $fingerprint }, действует { $from } — { $until }
packet-asks-packets = Просит повторить пакеты № { $first }–{ $last } эпохи { $epoch }
packet-asks-snapshot = Просит снимок; причина: { $cause }
packet-asks-ranges = Сверяет поток участника { $of } после его пакета { $at }: сумм { $ranges }, отдельных записей { $listed }
packet-cause-divergence = суммы состояния у сторон разошлись
packet-cause-missing = запрошенные пакеты не пришли
packet-cause-fork = два пакета с одним номером
packet-cause-restored = база просящего восстановлена из копии
packet-cause-altered = данные у просящего изменены или утрачены
packet-cause-operator = просьба сотрудников
packet-answer-received = Получено { $at }
packet-answer-outcome = Итог приёма: { $outcome }
packet-sealed-unseen = Файл зашифрован; что внутри, без ключа не видно (--key).
packet-inspect-whole = Файл цел: всё содержимое соответствует его собственному манифесту.
packet-inspect-damaged = Файл повреждён: содержимое не соответствует его собственному манифесту. Подробности даст verify.
packet-inspect-unproven = Показано то, что файл говорит о себе; кто его составил, не проверялось (команда verify).

packet-verdict-proven = ПОДТВЕРЖДЕНО: пакет подлинный и целый.
packet-verdict-false = НЕ ПОДТВЕРЖДЕНО: проверка нашла нарушение.
packet-verdict-unknown = НЕ ПРОВЕРЕНО: для вывода не хватает данных.
packet-heading-proven = Проверено, верно:
packet-heading-false = Проверено, неверно:
packet-heading-unknown = Проверить не удалось:
packet-heading-limits = Чего этот файл сам по себе не доказывает:
packet-detail = Для специалиста: { $detail }

packet-check-name-proven = Имя файла говорит то же, что подписанный манифест внутри.
packet-check-name-false = Имя файла неверно.
packet-check-name-unknown = Сходится ли имя с содержимым: файл не открыт.
packet-check-envelope-proven = Шифрование: файл открыт вашим ключом, конверт не повреждён.
packet-check-envelope-false = Шифрование: конверт не открывается.
packet-check-envelope-unknown-no-key = Содержимое: файл зашифрован, а ключ не указан.
packet-check-envelope-unknown-other-key = Содержимое: файл зашифрован не для указанных ключей.
packet-check-form-proven = Устройство файла: пакет обмена, ничего лишнего в нём нет.
packet-check-form-false = Устройство файла: это не пакет обмена или он повреждён.
packet-check-form-unknown = Устройство файла: до него не дошли.
packet-check-signature-proven = Подпись: манифест подписан ключом участника { $code } ({ $name }) по карточке с отпечатком { $fingerprint }.
packet-check-signature-false = Подпись: не подтверждена ни одной карточкой отправителя.
packet-check-signature-unknown = Подпись: до неё не дошли.
packet-check-signature-unknown-no-card = Подпись: карточки участника { $code } среди указанных нет.
packet-check-card-proven = Карточка действовала в день, указанный в пакете ({ $from } — { $until }).
packet-check-card-false = Карточка не действовала в день, указанный в пакете ({ $from } — { $until }).
packet-check-card-unknown = Действие карточки: неизвестно, чья подпись.
packet-check-place-proven = Ключ: тот, которым участник подписывает на этом месте потока.
packet-check-place-false = Ключ: на этом месте потока участник подписывает другим ключом: этот уже сменён или ещё не введён.
packet-check-members-proven = Содержимое: состав, порядок, размеры, число записей и контрольные суммы те, что в манифесте.
packet-check-members-false = Содержимое: не то, что названо в манифесте.
packet-check-members-unknown = Состав и контрольные суммы содержимого: до них не дошли.
packet-check-records-proven = { $signed ->
    [0] Записи: все ({ $n }) правильно записаны.
   *[other] Записи: все ({ $n }) правильно записаны; подписей координационного центра под записями верно: { $signed }.
    }
packet-check-records-false = Записи: получатель отклонил бы { $flawed } из { $n }.
packet-check-keys-proven = Новые ключи: карточка подписана новым ключом, пакет — прежним; карточка может сменить прежнюю.
packet-check-keys-false = Новые ключи: эта карточка не может сменить прежнюю.
packet-check-keys-unknown = Новые ключи: неизвестно, какие ключи они сменяют.
packet-check-request-proven = Запрос: устроен правильно и согласован с манифестом.
packet-check-request-false = Запрос: испорчен или не согласован с манифестом.
packet-check-answer-proven = Ответ: устроен правильно и относится к пакету, названному в манифесте.
packet-check-answer-false = Ответ: испорчен или относится к другому пакету.
packet-check-state-proven = Сумма состояния: снимок из одной части, сумма по его записям та, что в манифесте.
packet-check-state-false = Сумма состояния: сумма по записям снимка другая, чем в манифесте.

packet-not-proven-cards = Что карточки подлинные: сверьте их отпечатки с участниками по телефону.
packet-not-proven-time = Время составления: его указал сам отправитель.
packet-not-proven-truth = Что сведения верны: подпись говорит лишь, кто их сообщил.
packet-not-proven-chain = Что пакет стоит на своём месте и перед ним ничего не пропущено: нужны соседние пакеты.
packet-not-proven-parts = Что снимок полон: нужны остальные его части.
packet-not-proven-received = Что пакет получен и применён: это доказывает только протокол приёма (PR) от получателя.
packet-not-proven-answered = Что названный в ответе пакет существует: сравните отпечаток с самим пакетом.
packet-not-proven-control = Что заявленное об обработанных пакетах правда: это слова отправителя.
packet-not-proven-keys = Что новые ключи действуют: они действуют со следующего пакета этого потока, если их не отозвали.
packet-not-proven-lists = Что разделы и ответы соответствуют спискам региона: списка этой модели не дано (--lists ФАЙЛ).
packet-not-proven-state = Сумма состояния в манифесте: для её проверки нужны все пакеты эпохи.

packet-protocol-consistent = ПРОТИВОРЕЧИЙ НЕТ. Подписи под протоколом нет, поэтому его подлинность не доказана.
packet-protocol-false = ПРОТОКОЛ ПРОТИВОРЕЧИТ САМ СЕБЕ: он повреждён или изменён.
packet-protocol-says = Протокол № { $number }: { $heading }; составил { $participant }, другая сторона { $peer }; { $started } — { $finished }
packet-check-packets-proven = Имена и отпечатки пакетов ({ $n }) согласованы и относятся к этим участникам.
packet-check-packets-false = Имена, отпечатки или участники пакетов не согласованы.
packet-check-totals-proven = Итоги согласованы со строками протокола и с числом записей в пакетах (всего записей: { $n }).
packet-check-totals-false = Итоги не согласованы со строками протокола или с числом записей в пакетах.
packet-check-times-proven = Начало не позже завершения.
packet-check-times-false = Завершение раньше начала.
packet-check-page-proven = Страница для печати рядом (.html) та же, какую программа делает из этого протокола.
packet-check-page-false = Страница для печати рядом (.html) говорит другое: числа, имена или итоги в ней не те, что в протоколе.
packet-check-page-unknown-absent = Страница для печати: рядом её нет.
packet-check-page-unknown-differs = Страница для печати: отличается от той, какую делает эта версия программы. Её сделала другая версия, или страницу изменили.
packet-not-proven-author = Кто составил протокол: подписи под ним нет.
packet-not-proven-unchanged = Что его никто не изменил: протокол не входит в журнал, туда входят пакеты, названные в нём.
packet-not-proven-outcome = Что итоги именно такие: их доказывают подписанные протоколы приёма (пакеты PR) в архиве; проверьте их этой же программой.

unpack-done = { $n ->
    [one] Записан { $n } файл
    [few] Записано { $n } файла
   *[many] Записано { $n } файлов
    } в { $dir }. В них персональные данные в открытом виде.
unpack-proven = Подлинность проверена.
unpack-unproven = Кто составил пакет, не проверялось: укажите --trust.

rules-own = правило «Свода»
rules-of-records = Правила для записей (код, нарушение, источник):
rules-of-refusals = Причины отказа (пакет целиком и отдельная запись):

error-packet-file = Файл { $file } не читается: { $detail }
    .next = Проверьте путь и права доступа; нужен обычный файл.
error-packet-sealed = Файл { $file } зашифрован, а ключ не указан
    .next = Укажите --key: age.key получателя или archive.key отправителя.
error-packet-other-key = Файл { $file } зашифрован не для указанных ключей
    .next = Нужен age.key получателя или archive.key отправителя, в том числе прежний.
error-packet-no-card = Карточки отправителя файла { $file } нет: подпись проверить нечем
    .next = Укажите в --trust каталог или файл с карточкой отправителя, сверив её отпечаток.
error-packet-refused = Файл { $file } не принят ({ $reason }): { $sentence } { $detail }
    .next = Что в нём можно проверить, покажет команда verify.
error-unpack-file = Не удалось записать в { $file }: { $detail }
    .next = Проверьте права и место на диске; начатое удалено.
error-unpack-not-empty = Каталог { $dir } не пуст
    .next = Укажите новый или пустой каталог: программа ничего не перезаписывает.
error-unpack-not-proven = Файл { $file } не распакован: он не подтверждён указанными карточками
    .next = Причину покажет команда verify с теми же --trust и --key.
error-kind-unknown = Вида записей с таким именем нет (в нём знаков: { $length })
    .next = Список видов: svod-packet schema
