### What both daemons say.

label-error = Ошибка
error-bug = Внутренняя ошибка программы: { $detail }
    .next = Данные не повреждены: незавершённое не применено. Сообщите разработчикам эту строку и журнал программы.
error-usage = Команда не понята: { $detail }
    .next = Посмотрите правила вызова: --help
error-output = Не удалось записать результат: { $detail }
    .next = Проверьте, есть ли место на диске, куда направлен вывод, и повторите команду.

error-config-not-named = Не указан файл настроек
    .next = Добавьте --config ФАЙЛ
error-config-unreadable = Файл настроек { $file } не читается: { $detail }
    .next = Проверьте путь и права доступа.
error-config-syntax = { $file }:{ $line }: ключ { $key }: запись не по правилам TOML: { $detail }
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
    .next = Дождитесь его завершения или остановите его. Две программы с одной базой не работают.
error-instance-lock = Не удалось занять базу: { $file }: { $detail }
    .next = Проверьте, что каталог базы существует и доступен на запись.
error-log-file = Журнал программы { $file } не открывается: { $detail }
    .next = Проверьте путь и права на запись.
error-log-filter = Фильтр журнала «{ $filter }» не понят: { $detail }
    .next = Укажите, например: info или info,svod_hub=debug
