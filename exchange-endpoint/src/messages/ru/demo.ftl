### Что говорит svod-demo.

demo-title = Вымышленный город: центров — { $centres }, зерно { $seed }. Все люди выдуманы.
demo-records = записей о получателях в базах центров
demo-people = людей на самом деле
demo-persons = человек в сводной базе
demo-wrong-links = ошибочно связанных пар записей
demo-missed-pairs = пропущенных пар записей одного человека
demo-review = случаев ждут решения сотрудников
demo-locked = строк закреплено в базах центров
demo-aliases = повторов: строк об уже известном человеке внутри центра
demo-packets = Пакеты
demo-quarantined = в карантине
demo-fact-records-at-hub-once = каждая запись каждого центра есть в ТКЦ ровно один раз
demo-fact-only-own-people = ни один центр не получил чужого человека
demo-fact-lock-refused = закреплённую строку нельзя изменить обычным SQL
demo-fact-contract-arrived = договор, заключённый в центре, дошёл до ТКЦ
demo-fact-correction-locked-twice = исправление ТКЦ закреплено в обоих центрах человека
demo-fact-foreign-quarantined = пакет другого центра попал в карантин
demo-fact-tamper-restored = подменённая строка восстановлена и снова закреплена
demo-ok = Всё подтвердилось.
demo-not-ok = Подтвердилось не всё: см. строки со знаком ✗.
demo-kept = Город сохранён: { $dir }

demo-step-people = Придумываются люди
demo-step-enrol = Ключи, карточки, подключение центров
demo-step-fill = Базы центров заполняются обычным SQL
demo-step-load = Первичная выгрузка центров в ТКЦ
demo-step-dry-run = Пробное объединение
demo-step-merge = Объединение
demo-step-locks = Рассылка центрам и закрепление строк
demo-step-contract = Договор в центре
demo-step-correction = Исправление в ТКЦ
demo-step-foreign = Чужой пакет
demo-step-tamper = Подмена строки в обход обмена
demo-step-facts = Проверка по базам
demo-step-stop = Остановка

error-demo-command = { $detail }
    .next = Прочитайте сообщение; город, построенный с --dir, остаётся на диске.
error-demo-answer = { $detail }
    .next = Программы разных версий? Соберите их заново вместе.
error-demo-died = { $detail }
    .next = Прочитайте журнал; начните заново с --dir, чтобы сохранить город.
error-demo-timed-out = Не дождались: { $detail }
    .next = Если машина занята, увеличьте --patience; иначе посмотрите журналы в каталоге --dir.
error-demo-file = { $detail }
    .next = Проверьте путь, права и свободное место.
error-demo-sql = { $detail }
    .next = Прочитайте сообщение; город, построенный с --dir, остаётся на диске.
error-demo-not-empty = Каталог не пуст: { $detail }
    .next = Назовите пустой или новый каталог.
error-demo-lacking = { $detail }
    .next = Возьмите больше получателей (--recipients) или другое зерно (--seed).
error-demo-interrupted = Показ прерван
    .next = Службы остановлены; начните заново.

bench-ours = наше: мин – медиана – макс, с: { $value }
bench-errors-merged = По первому числу: объединены неверно (одно решение), самые весомые, { $n }: log2 шансов, обе записи, каждое поле с уровнем и весом
bench-errors-missed = Записи одного человека, не объединённые, наименее весомые, { $n }:
bench-errors-auto-merged = Объединены неверно без вопроса, самые весомые, { $n }:
bench-no-peer = Другая программа не измерена: { $why }
bench-peer = обычные средства, с: { $value }
bench-ratio = отношение медиан: { $value }
bench-rss = наибольшая память, КиБ: { $value }
bench-cpu = время процессора, с: { $value }
bench-load = Первичная загрузка: записей { $records } за { $seconds } с ({ $rate } в секунду)
bench-merge = Объединение: лиц { $records } за { $seconds } с ({ $rate } в секунду)
bench-publish = Разослано и применено: { $records } за { $seconds } с ({ $rate } в секунду)
bench-usage = ТКЦ { $hub } МБ, открытых файлов { $hubfiles }, процессор { $hubcpu } с; центры вместе { $centres } МБ, один не больше { $one } МБ и { $onefiles } открытых файлов, процессор { $centrescpu } с
bench-soak = Изменений: { $changes } за { $minutes } мин
bench-answered = ответ получен через, с: { $value }
bench-locked = закреплено через, с: { $value }
bench-growth = последняя четверть к первой: память ТКЦ { $hub }, центров { $centres }; открытых файлов ТКЦ { $hubfiles }, центров { $centresfiles }

sim-scenario-held = Держится: { $name }
sim-scenario-broken = Нарушено: { $name }. Повторить: svod-sim --scenario { $name }
error-sim-scenario-unknown = Нет такого сценария: { $name }
    .next = Все сценарии: svod-sim --scenario all
error-sim-seeds-beyond = Столько зёрен нет: последнее — { $last }
    .next = Начните с меньшего --from.
sim-broken = Зерно { $seed }: нарушено. Повторить: svod-sim --replay { $seed } --centres { $centres } --turns { $turns }
sim-done = { $seeds ->
    [one] { $seeds } история
    [few] { $seeds } истории
   *[other] { $seeds } историй
}, центров в каждой — { $centres }; с нарушениями — { $broken }; { $seconds } с; след { $digest }
sim-killed = { $kills ->
    [one] { $kills } процесс убит
    [few] { $kills } процесса убито
   *[other] { $kills } процессов убито
} (SIGKILL), городов — { $cities }; с нарушениями — { $broken }; { $seconds } с
sim-on-the-way = { $done } из { $seeds }, с нарушениями — { $broken }, { $seconds } с
error-bench-tools = Не указано, где программы, с которыми сравнивать
    .next = Укажите их каталог: --tools.
