//! What staff read: Russian words for codes, and what was typed wrong.

use super::city::{City, run};

fn told(args: &[&str], code: i32) -> String {
    let output = run(args);
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    String::from_utf8_lossy(if code == 0 { &output.stdout } else { &output.stderr }).into_owned()
}

#[test]
fn what_was_typed_wrong_is_told_in_russian_and_no_value_is_repeated() {
    for (args, words) in [
        (&["--no-such"][..], "неизвестный или лишний параметр (1-е слово, знаков: 9)"),
        (&["centre", "ad"], "неизвестная команда (2-е слово, знаков: 2); может быть, add?"),
        (&["centre"], "не указана команда"),
        (&["centre", "disable", "4200018"], "не указано: --reason <ТЕКСТ>"),
        (&["centre", "disable", "4200011", "--reason", "х"], "контрольная цифра должна быть"),
        (&["centre", "disable", "4200018", "--reason", ""], "от 1 до 1000 знаков"),
        (&["--format", "xml", "run"], "можно: text, json"),
        (&["protocol", "show", "Иванова"], "нужно целое число"),
        (&["merge", "--out", "x.csv"], "--dry-run"),
        (&["person", "set", "1", "surname", "Иванова", "Иванова"], "6-е слово, знаков: 7"),
        (&["person", "set", "Иванова"], "не указано: "),
        (&["person", "--Иванова"], "2-е слово, знаков: 9"),
        (&["--lang", "ru", "--lang", "ru", "run"], "--lang <ЯЗЫК> указано дважды"),
    ] {
        let text = told(args, 2);
        assert!(text.starts_with("Ошибка: Команда не понята: ") && text.contains(words), "{text}");
        for english in ["error", "required", "invalid", "Usage", "For more", "Иванова", "OPTIONS"] {
            assert!(!text.contains(english), "{english}: {text}");
        }
    }
    assert!(told(&["--lang", "en", "--no-such"], 2).contains("argument (word 3, characters: 9)"));
    assert!(told(&["--config", "/no/such.toml", "status"], 2).contains("такого файла или каталога нет"));
    assert!(told(&["centre", "add", "--help"], 0).contains("Отпечаток карточки: 64"));
    assert!(told(&["--lang", "en", "centre", "add", "--help"], 0).contains("The card's fingerprint"));
}

#[test]
fn an_error_is_json_where_json_is_among_what_was_asked_for() {
    for args in
        [["--format", "json", "--format", "xml", "run"], ["--format=xml", "run", "--format", "json", "x"]]
    {
        let (code, error) = super::city::refused(&run(&args));
        assert_eq!((code, error.as_str()), (2, "usage"), "{args:?}");
    }
}

#[test]
fn an_unfit_oktmo_is_not_repeated() {
    let dir = tempfile::tempdir().expect("a directory");
    let place = dir.path().join("hub");
    let args = ["init", "--dir", place.to_str().expect("UTF-8"), "--code", "4200018", "--oktmo", "Иванова"];
    let text = told(&args, 2);
    assert!(text.contains("8 цифр") && !text.contains("Иванова"), "{text}");
}

#[test]
fn status_in_russian_has_no_code_words_and_no_raw_times() {
    let city = City::new();
    city.with_a_question();
    let config = city.hub().join("svod-hub.toml");
    let text = told(&["--config", config.to_str().expect("UTF-8"), "status"], 0);
    for raw in ["APPLIED", "active", "name_birth_only", "T0", "Z "] {
        assert!(!text.contains(raw), "{raw}: {text}");
    }
}
