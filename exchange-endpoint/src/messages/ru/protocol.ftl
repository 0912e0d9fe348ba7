### The protocol of an exchange.

protocol-system = СВОД · долговременный уход
protocol-title = Протокол обмена
protocol-heading-export = Выгрузка сведений
protocol-heading-load = Загрузка сведений
protocol-heading-merge = Объединение сведений и публикация
protocol-participant = Составлен участником
protocol-peer = Другая сторона
protocol-started = Начато
protocol-finished = Завершено
protocol-total = Всего обработано
protocol-packets = Пакеты
protocol-packet-name = Имя файла и отпечаток
protocol-packet-state = Состояние
protocol-totals = Итоги
protocol-kind = Вид сведений
protocol-sum = Всего
protocol-lines = Записи, требующие внимания
protocol-no-lines = Все записи обработаны без замечаний.
protocol-record = Запись
protocol-outcome = Итог
protocol-what-and-next = Что произошло и что делать
protocol-rule = Правило:
protocol-signature = Ответственный: должность, подпись, расшифровка
protocol-signature-date = Дата
protocol-footer = Составлен программой автоматически. Записи обозначены идентификаторами; персональных данных протокол не содержит.
protocol-rules = Связано по правилам
protocol-rule-name = Правило
protocol-rule-code = Код
protocol-rule-count = Записей
protocol-none = Протоколов ещё нет.
protocol-printable = Для печати: { $file }
protocol-records = { $n ->
    [one] { $n } запись
    [few] { $n } записи
   *[many] { $n } записей
}

kind-person = Получатель
kind-need_decision = Решение о нуждаемости
kind-programme = Индивидуальная программа
kind-supplement = Дополнение к программе
kind-link = Соответствие получателя
kind-recipient_claim = Получатель (сведения центра)
kind-programme_claim = Программа (сведения центра)
kind-supplement_claim = Дополнение (сведения центра)
kind-contract = Договор
kind-contact = Контакты
kind-service = Услуга справочника
kind-provider = Поставщик услуг
kind-assessment = Оценка нуждаемости
kind-completion_mark = Отметка о выполнении
kind-event = Событие
kind-plan_report = План-отчёт
kind-service_act = Акт оказанных услуг
kind-urgent_act = Акт срочных услуг
kind-attachment = Вложение
kind-proposal = Предложение исправления
kind-pair = Пара записей
kind-held = Изменение, ждущее решения
kind-value = Нечитаемое значение
kind-hub_input = Решение координационного центра

outcome-new = новые
    .one = новая
outcome-changed = изменены
    .one = изменена
outcome-unchanged = без изменений
    .one = без изменений
outcome-proposed = предложения
    .one = предложение
outcome-held = на проверке
    .one = на проверке
outcome-refused = отклонены
    .one = отклонена
outcome-sent = отправлены
    .one = отправлена
outcome-removed = удалены
    .one = удалена
outcome-linked = объединены
    .one = объединена
outcome-review = к рассмотрению
    .one = к рассмотрению
outcome-published = опубликованы
    .one = опубликована
outcome-withdrawn = выведены
    .one = выведена

packet-state-sealed = запечатан
packet-state-placed = отправлен
packet-state-received = получен
packet-state-applied = принят
packet-state-applied_partial = принят частично
packet-state-refused = отклонён
packet-state-superseded = заменён
packet-state-quarantined = в карантине
packet-state-duplicate = повтор
packet-state-held = ожидает предыдущих

error-protocol-file = Протокол не удалось прочесть или записать: { $file }: { $detail }
    .next = Проверьте каталог protocols: права и свободное место.
error-protocol-damaged = Файл { $file } не похож на протокол: { $detail }
    .next = Рядом лежит такой же файл .html для печати; верните .json из резервной копии.
error-protocol-unknown = Протокола с номером { $number } нет
    .next = Посмотрите, какие есть: protocol list
