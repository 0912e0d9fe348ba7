### What svod-hub says.

hub-yes = да
hub-no = нет
hub-card =
    Участник { $code }, { $name }
    Карточка: { $card }
    Отпечаток карточки (сообщите его другим путём): { $fingerprint }
    Настройки: { $config }
hub-centre = { $code }  { $name }  обмен: { $active }, первичная загрузка объединена: { $merged }
hub-no-centres = Центров нет: добавьте их командой centre add
hub-merge-tried = Пробное объединение: ничего не изменено
hub-merge-done = Объединение выполнено, протокол № { $protocol }
hub-merge-counts = Записей о получателях: { $claims }, новых людей: { $created }, всего людей: { $persons }, ИППСУ и дополнений: { $documents }, подтверждено обслуживаний: { $confirmed }
hub-reviews-open = Ждут решения сотрудников (review list):
hub-status = Координационный центр { $code }: людей { $persons }, записей журнала { $journal }
hub-status-centre = { $code }  { $name }: последний файл { $last }, без ответа { $unanswered }, не принято записей { $refused }, в карантине { $quarantined }
hub-status-late = давно нет файлов
hub-status-disabled = отключён
hub-status-unmerged = первичная загрузка не объединена
hub-status-stopped = поток остановлен
hub-incidents = Происшествия:
hub-person-merged = Оказался тем же человеком, что { $uid }
hub-person-served = Обслуживают: { $centres }
hub-changed = Изменено: { $uid }; изменение уйдёт центрам с ближайшим пакетом
hub-unchanged = Без изменений: { $uid }
hub-no-reviews = Нерешённых вопросов нет
hub-review-file = Вопросов: { $count }; таблица: { $file }. Заполните столбцы decision и reason и выполните review apply.
hub-decided = Решений выполнено: { $decided }, пропущено (уже не актуальны): { $passed }

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
error-hub-exists = { $file } уже существует
    .next = Укажите другой каталог: существующее не перезаписывается.
error-hub-database-foreign = { $file } — не база координационного центра
    .next = Проверьте ключ database в настройках: это файл другой программы.
error-hub-newer = База { $file } создана более новой программой: { $detail }
    .next = Обновите svod-hub.
error-hub-file = Файл или каталог { $file }: { $detail }
    .next = Проверьте права доступа и место на диске и повторите.
error-hub-step = Не выполнено: { $detail }
    .next = Ничего не применено наполовину; устраните причину и повторите.
error-hub-start = Служба не запущена: { $detail }
    .next = Устраните причину и запустите снова.
error-hub-code = { $detail }
    .next = Проверьте код участника по его карточке.
error-centre-is-hub = Участник { $code } — сам координационный центр
    .next = Укажите карточку центра.
error-centre-unknown = Центр { $code } не зарегистрирован
    .next = Посмотрите список: centre list
error-password-file = Файл с паролем { $file } не читается: { $detail }
    .next = Проверьте путь и права доступа.
error-password-short = Пароль в файле { $file } короче 8 знаков
    .next = Создайте более длинный пароль.
error-person-unknown = Нет человека с таким uid или номером дела: { $name }
    .next = Проверьте номер.
error-field-unknown = Поля { $field } нет у получателя
    .next = Посмотрите имена полей: person show
error-value-unfit = Значение не подходит полю { $field }: ожидается { $expected }
    .next = Исправьте значение.
error-review-unreadable = Таблица { $file } не читается: { $detail }
    .next = Проверьте путь и права доступа.
error-review-line = { $file }, строка { $line }: столбец { $column } не заполнен или заполнен неверно
    .next = decision: один, разные, принять или отклонить; reason: причина; number не меняйте.
error-review-answer = Строка { $line }: столбец { $column } не подходит к этому вопросу
    .next = Для пар и ИППСУ: один или разные; для изменений и предложений: принять или отклонить.
