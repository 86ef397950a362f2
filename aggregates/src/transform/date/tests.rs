use super::*;

#[track_caller]
fn becomes(from: &str, to: &str, text: &str, expected: &str) {
    let (from, to) = (Form::to_read(from).unwrap(), Form::to_write(to).unwrap());
    assert_eq!(from.read(text).and_then(|time| to.write(time)).as_deref(), Ok(expected), "{text}");
}

#[test]
fn documented_examples() {
    // The documentation has -00 for Z, which no letter of SimpleDateFormat writes.
    becomes("EPOCH_TIME_JAVA", "ISO8601", "144642632190", "1974-08-02T02:30:32.190Z");
    becomes("M/d/yyyy", "yyyy-MM-dd", "4/1/1975", "1975-04-01");
}

#[test]
fn each_named_form_is_read_and_written() {
    let iso = "2026-03-05T14:07:09.120Z";
    for (form, text) in [
        ("ISO8601", iso),
        ("EPOCH_TIME_JAVA", "1772719629120"),
        ("EPOCH_TIME_WIN32", "134171932291200000"),
        ("LDAP", "20260305140709.+0000"),
        ("PEOPLE_SOFT", "03/05/2026"),
    ] {
        becomes("ISO8601", form, iso, text);
        becomes(form, form, text, text);
    }
    becomes("EPOCH_TIME_WIN32", "EPOCH_TIME_WIN32", "134171932291234567", "134171932291234567");
    becomes("EPOCH_TIME_WIN32", "ISO8601", "0", "1601-01-01T00:00:00.000Z");
    becomes("EPOCH_TIME_JAVA", "EPOCH_TIME_JAVA", "-1", "-1");
}

#[test]
fn iso_8601_is_read_in_each_of_its_forms() {
    for text in [
        "2026-03-05T14:07:00.000Z",
        "2026-03-05T15:07:00+01:00",
        "2026-03-05T15:07:00.000+01",
        "2026-03-05T15:07:00.000+0100",
        "2026-03-05 14:07",
    ] {
        becomes("ISO8601", "EPOCH_TIME_JAVA", text, "1772719620000");
    }
    becomes("ISO8601", "dd.MM.yyyy", "2026-03-05", "05.03.2026");
}

#[test]
fn each_letter_is_read_and_written() {
    let iso = "2026-03-05T14:07:09.012Z";
    for (form, text) in [
        ("yyyy-MM-dd HH:mm:ss.SSS", "2026-03-05 14:07:09.012"),
        ("yyyyMMddHHmmssSSS", "20260305140709012"),
        ("EEE, d MMM y h:m:s.SSS a", "Thu, 5 Mar 2026 2:7:9.012 PM"),
        ("EEEE dd MMMM yyyyy hh 'o''clock' a mm:ss.SSS", "Thursday 05 March 02026 02 o'clock PM 07:09.012"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2026-03-05T14:07:09.012Z"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSS Z", "2026-03-05T14:07:09.012 +0000"),
    ] {
        becomes("ISO8601", form, iso, text);
        becomes(form, "ISO8601", text, iso);
    }
    becomes("ISO8601", "yy M d H h S", "2006-01-02", "06 1 2 0 12 0");
}

#[test]
fn texts_are_read_as_java_reads_them() {
    becomes("d MMM yyyy", "yyyy-MM-dd", "5 march 2026", "2026-03-05");
    becomes("d MMMM yyyy", "yyyy-MM-dd", "5 MAR 2026", "2026-03-05");
    becomes("h a", "HH:mm", "12 am", "00:00");
    becomes("h a", "HH:mm", "12 pm", "12:00");
    becomes("yyyy", "ISO8601", "2026", "2026-01-01T00:00:00.000Z");
    becomes("HH:mm X", "ISO8601", "01:00 +02", "1969-12-31T23:00:00.000Z");
    becomes("yyyy-MM-dd Z", "ISO8601", "2026-03-05 GMT", "2026-03-05T00:00:00.000Z");
}

#[test]
fn what_is_no_such_date_is_told() {
    for (form, text) in [
        ("yyyy-MM-dd", "2026-02-29"),
        ("yyyy-MM-dd", "2026-01-01x"),
        ("yyyy-MM-dd", "2026-1"),
        ("yyyy-MM-dd", ""),
        ("yyyyMMdd", "2026-3-1"),
        ("yyyy", "0"),
        ("yyyy", "99999999999"),
        ("HH", "24"),
        ("hh", "13"),
        ("h a", "1 xm"),
        ("ss", "60"),
        ("SSS", "1000"),
        ("E yyyy-MM-dd", "Mon 2026-03-05"),
        ("MMM", "Mär"),
        ("E", "é"),
        ("a", "é"),
        ("X", "+24"),
        ("X", "+1"),
        ("ISO8601", "05.03.2026"),
        ("EPOCH_TIME_JAVA", "1.5"),
        ("EPOCH_TIME_JAVA", "9223372036854775807"),
    ] {
        assert_eq!(Form::to_read(form).unwrap().read(text), Err(Unfit::NotADate(form.to_owned())), "{form} {text}");
    }
    let before_christ = Form::to_read("EPOCH_TIME_JAVA").unwrap().read("-99999999999999").unwrap();
    assert!(Form::to_write("yyyy").unwrap().write(before_christ).is_err());
}

#[test]
fn what_is_not_executed_is_told() {
    for (form, reason) in [
        ("yyyy-ww", "ww is not executed"),
        ("YYYY", "YYYY is not executed"),
        ("XXXX", "XXXX is not executed"),
        ("yyyy z", "z is not executed"),
        ("'T", "never closed"),
        ("DATE", "is not executed"),
    ] {
        let refused = Form::to_write(form).unwrap_err();
        assert!(refused.contains(reason), "{form}: {refused}");
    }
    assert!(Form::to_read("M/d/yy").unwrap_err().contains("century"));
    assert!(Form::to_write(&"y".repeat(101)).unwrap_err().contains("at most 100"));
}
