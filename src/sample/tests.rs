use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use aggregates::application::Column;
use aggregates::identity::{IdentityStatus, IdentityType};
use aggregates::values;
use calamine::{Data, Reader};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::*;

const SIZE: Size = Size { people: 700, applications: 3, accounts: 900, entitlements: 160, grants: 6000 };

/// A folder that is gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("muniment-sample-{}-{number}", std::process::id()));
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn write(seed: u64, size: Size, change: Option<f64>, kind: Format) -> (Folder, Vec<Written>) {
    let folder = Folder::new();
    let company = Company::new(Seed(seed), size, change, &[]).unwrap();
    let written = company.write(&folder.0, kind, &|_, _| ()).unwrap();
    (folder, written)
}

/// Every file beneath a folder, by its path there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The files of rows.
fn tables(folder: &Folder) -> Vec<String> {
    files(&folder.0).into_keys().filter(|path| !path.ends_with("application.json")).collect()
}

type Row = BTreeMap<String, String>;

/// The rows of a file as names and values that are not empty.
fn rows(path: &Path) -> Vec<Row> {
    let row = |header: &[String], values: Vec<String>| {
        header.iter().cloned().zip(values).filter(|(_, value)| !value.is_empty()).collect()
    };
    let object = |object: Map<String, Value>| {
        object.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned())).collect()
    };
    match path.extension().unwrap().to_str().unwrap() {
        "csv" => {
            let mut reader = csv::Reader::from_path(path).unwrap();
            let header: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
            let records = reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect());
            records.map(|values| row(&header, values)).collect()
        }
        "xlsx" => {
            let mut workbook: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
            let range = workbook.worksheet_range_at(0).unwrap().unwrap();
            let text = |cell: &Data| if let Data::String(text) = cell { text.clone() } else { String::new() };
            let mut all = range.rows().map(|row| row.iter().map(text).collect::<Vec<_>>());
            let header = all.next().unwrap();
            all.map(|values| row(&header, values)).collect()
        }
        "json" => {
            let objects: Vec<Map<String, Value>> = serde_json::from_reader(File::open(path).unwrap()).unwrap();
            objects.into_iter().map(object).collect()
        }
        _ => {
            let text = fs::read_to_string(path).unwrap();
            text.lines().map(|line| object(serde_json::from_str(line).unwrap())).collect()
        }
    }
}

fn applications(folder: &Folder) -> Vec<PathBuf> {
    let inner = fs::read_dir(&folder.0).unwrap().map(|entry| entry.unwrap().path());
    let mut inner: Vec<PathBuf> = inner.filter(|path| path.is_dir()).collect();
    inner.sort();
    inner
}

fn keys(rows: &[Row]) -> BTreeSet<&str> {
    let keys: BTreeSet<&str> = rows.iter().map(|row| row["key"].as_str()).collect();
    assert_eq!(keys.len(), rows.len(), "a key comes twice");
    keys
}

/// What one needs to know of a sound company; its number of rows by content.
fn check(folder: &Folder) -> BTreeMap<&'static str, usize> {
    let people = rows(&folder.0.join("identities.csv"));
    let numbers = keys(&people);
    let supervisors: BTreeMap<&str, &str> =
        people.iter().filter_map(|person| Some((person["key"].as_str(), person.get("supervisor")?.as_str()))).collect();
    assert_eq!(supervisors.len(), people.len() - 1, "one has nobody above");
    for person in &people {
        let mut above = person["key"].as_str();
        for _ in 0..20 {
            let Some(next) = supervisors.get(above) else { break };
            assert!(numbers.contains(next), "{next} is nobody");
            above = next;
        }
        assert_eq!(above, "P1", "{person:?} is in a circle");
        assert_ne!(IdentityType::from_feed(&person["type"]), IdentityType::Unknown);
        let status = IdentityStatus::from_feed(&person["status"]).unwrap();
        assert_eq!(status == IdentityStatus::Disabled, person.contains_key("inactivatedDate"));
        assert!(values::time(&person["createdDate"]) <= values::time(&person["updatedDate"]), "{person:?}");
        assert!(person["email"].is_ascii() && person["employeeId"].starts_with('0'));
        assert!(person.len() >= 15, "{person:?}");
    }
    let mut counts = BTreeMap::from([("identities", people.len())]);
    let by = |field: &str| people.iter().map(|person| person[field].as_str()).collect::<BTreeSet<_>>();
    let (emails, employee_ids) = (by("email"), by("employeeId"));
    for application in applications(folder) {
        let accounts = rows(&application.join("accounts.csv"));
        let entitlements = rows(&application.join("entitlements.csv"));
        let grants = rows(&application.join("grants.csv"));
        let (logins, rights) = (keys(&accounts), keys(&entitlements));
        let mut pairs = BTreeSet::new();
        for grant in &grants {
            let (account, entitlement) = (grant["account"].as_str(), grant["entitlement"].as_str());
            assert!(logins.contains(account), "{account} is no account");
            assert!(rights.contains(entitlement), "{entitlement} is no entitlement");
            assert!(pairs.insert((account, entitlement)), "{account} {entitlement} comes twice");
        }
        let is_found = |account: &&Row| {
            account.get("email").is_some_and(|email| emails.contains(email.as_str()))
                || account.get("employeeId").is_some_and(|id| employee_ids.contains(id.as_str()))
        };
        let found = accounts.iter().filter(is_found).count();
        assert!(found < accounts.len() && found * 100 >= accounts.len() * 93, "{found} of {}", accounts.len());
        assert!(entitlements.iter().all(|entitlement| numbers.contains(entitlement["owner"].as_str())));
        for (content, rows) in
            [("accounts", accounts.len()), ("entitlements", entitlements.len()), ("grants", grants.len())]
        {
            *counts.entry(content).or_default() += rows;
        }
    }
    counts
}

#[test]
fn a_company_is_sound_and_as_large_as_was_asked() {
    let (folder, written) = write(1, SIZE, None, Format::Csv);
    let expected = [("accounts", 900), ("entitlements", 160), ("grants", 6000), ("identities", 700)];
    assert_eq!(check(&folder), BTreeMap::from(expected));
    for written in written {
        assert_eq!(check(&folder)[written.content.as_str()] as u64, written.rows);
        assert_eq!(written.count, Count::default());
    }
}

#[test]
fn a_few_entitlements_are_held_by_many_and_a_few_accounts_hold_much() {
    let (folder, _) = write(1, SIZE, None, Format::Csv);
    let grants = rows(&applications(&folder)[0].join("grants.csv"));
    for field in ["account", "entitlement"] {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for grant in &grants {
            *counts.entry(&grant[field]).or_default() += 1;
        }
        let mut counts: Vec<usize> = counts.into_values().collect();
        counts.sort_unstable();
        let most: usize = counts.iter().rev().take(counts.len() / 10).sum();
        assert!(most * 100 > grants.len() * 20, "{field}: the first tenth has {most} of {}", grants.len());
    }
}

#[test]
fn the_same_command_gives_the_same_bytes_and_another_seed_others() {
    for (change, kind) in [(None, Format::Csv), (Some(1.0), Format::Csv), (Some(1.0), Format::Xlsx)] {
        let once = files(&write(1, SIZE, change, kind).0.0);
        assert_eq!(once.len(), 2 + 3 * 4);
        assert!(once == files(&write(1, SIZE, change, kind).0.0), "{change:?}");
        let other = files(&write(2, SIZE, change, kind).0.0);
        for (path, bytes) in &once {
            assert_eq!(*bytes == other[path], path.ends_with("application.json"), "{path}");
        }
    }
    // What one machine writes, every other must write.
    let (folder, _) = write(1, SIZE, Some(5.0), Format::Csv);
    let rows = tables(&folder).into_iter().map(|path| fs::read(folder.0.join(path)).unwrap());
    let digest = rows.fold(Sha256::new(), Sha256::chain_update).finalize();
    assert_eq!(format!("{digest:x}"), "ebdc7b9430899c07a3a6829be135bb434d2578993cea48b395f7833ae28f45e1");
}

/// How rows differ by what names them.
fn compare(before: &[Row], after: &[Row], names: &[&str]) -> Count {
    let by_name = |rows: &[Row]| -> BTreeMap<Vec<String>, Row> {
        rows.iter().map(|row| (names.iter().map(|name| row[*name].clone()).collect(), row.clone())).collect()
    };
    let (before, after) = (by_name(before), by_name(after));
    let changed = after.iter().filter(|(name, row)| before.get(*name).is_some_and(|known| known != *row)).count();
    Count {
        added: after.keys().filter(|name| !before.contains_key(*name)).count() as u64,
        changed: changed as u64,
        removed: before.keys().filter(|name| !after.contains_key(*name)).count() as u64,
    }
}

#[test]
fn a_change_is_exactly_as_large_as_was_asked_in_every_file() {
    let (before, _) = write(1, SIZE, None, Format::Csv);
    for percent in [0.0, 0.3, 1.0, 7.5, 30.0, 100.0] {
        let (after, written) = write(1, SIZE, Some(percent), Format::Csv);
        check(&after);
        let mut sums: BTreeMap<&str, Count> = BTreeMap::new();
        for path in tables(&before) {
            let (old, new) = (rows(&before.0.join(&path)), rows(&after.0.join(&path)));
            assert_ne!(old, new, "at least the order differs");
            let names: &[&str] = if path.ends_with("grants.csv") { &["account", "entitlement"] } else { &["key"] };
            let count = compare(&old, &new, names);
            let all = count.added + count.changed + count.removed;
            assert_eq!(all, (old.len() as f64 * percent / 100.0).round() as u64, "{path} {percent} {count:?}");
            let content = ALL.iter().find(|content| path.contains(content.as_str())).unwrap();
            *sums.entry(content.as_str()).or_default() += count;
        }
        for written in written {
            assert_eq!(written.count, sums[written.content.as_str()], "{percent}");
            assert!(percent < 5.0 || (written.count.added > 0 && written.count.removed > 0), "{written:?}");
        }
    }
}

#[test]
fn every_size_has_a_company_and_its_change() {
    for (people, applications, accounts, entitlements, grants) in [
        (1, 1, 1, 1, 0),
        (1, 1, 1, 1, 1),
        (2, 1, 60, 5, 300),
        (9, 2, 30, 12, 100),
        (3, 13, 13, 13, 13),
        (100, 1, 50, 60, 3000),
        (100, 1, 50, 60, 2940),
        (100, 1, 50, 60, 1000),
    ] {
        let size = Size { people, applications, accounts, entitlements, grants };
        for change in [None, Some(10.0), Some(100.0)] {
            let (_, written) = write(3, size, change, Format::Ndjson);
            let wanted = [u64::from(people), u64::from(accounts), u64::from(entitlements), grants];
            for (written, before) in written.into_iter().zip(wanted) {
                let Count { added, removed, .. } = written.count;
                assert_eq!(written.rows, before + added - removed, "{size:?} {change:?} {written:?}");
                if change.is_none() || change == Some(100.0) {
                    let all = if change.is_none() { 0 } else { before };
                    assert_eq!(added + removed + written.count.changed, all, "{size:?} {written:?}");
                }
            }
        }
    }
}

#[test]
fn every_format_says_the_same() {
    let (csv, _) = write(1, SIZE, Some(2.0), Format::Csv);
    for kind in [Format::Xlsx, Format::Json, Format::Ndjson] {
        let (other, _) = write(1, SIZE, Some(2.0), kind);
        for path in tables(&csv) {
            let same = Path::new(&path).with_extension(kind.as_str());
            assert!(rows(&csv.0.join(&path)) == rows(&other.0.join(same)), "{path} {kind:?}");
        }
    }
}

#[test]
fn only_some_rows_are_written_and_change() {
    let (whole, _) = write(1, SIZE, None, Format::Csv);
    let folder = Folder::new();
    let company = Company::new(Seed(1), SIZE, Some(2.0), &[Content::Grants]).unwrap();
    let written = company.write(&folder.0, Format::Csv, &|_, _| ()).unwrap();
    assert_eq!(written.len(), 1);
    assert_eq!((written[0].count.added, written[0].count.removed), (60, 60));
    let found = files(&folder.0);
    assert!(found.keys().all(|path| path.ends_with("/grants.csv") || path.ends_with("/application.json")), "{found:?}");
    for (before, after) in applications(&whole).iter().zip(applications(&folder)) {
        let body: Value = serde_json::from_slice(&fs::read(after.join("application.json")).unwrap()).unwrap();
        assert_eq!(body["connector"]["fileGroups"].as_array().unwrap().len(), 1);
        // The accounts are those of the company before, since they don't change with their grants.
        let known = rows(&before.join("accounts.csv"));
        let known = keys(&known);
        let after = rows(&after.join("grants.csv"));
        assert!(after.iter().all(|grant| known.contains(grant["account"].as_str())));
    }
}

#[test]
fn definitions_name_the_columns_that_files_have() {
    let tiny = Size { people: 2, applications: 3, accounts: 3, entitlements: 3, grants: 3 };
    for (kind, size, change) in [
        (Format::Csv, SIZE, None),
        (Format::Json, SIZE, None),
        (Format::Json, tiny, None),
        (Format::Json, tiny, Some(60.0)),
    ] {
        let (folder, _) = write(1, size, change, kind);
        let bodies = files(&folder.0).into_iter().filter(|(path, _)| path.ends_with("application.json"));
        for (path, bytes) in bodies {
            let body: Value = serde_json::from_slice(&bytes).unwrap();
            for group in body["connector"]["fileGroups"].as_array().unwrap() {
                assert_eq!(group["format"], kind.as_str());
                let columns: BTreeMap<String, Column> = serde_json::from_value(group["columns"].clone()).unwrap();
                let file = format!("{}.{}", group["content"].as_str().unwrap(), kind.as_str());
                let rows = rows(&folder.0.join(&path).with_file_name(file));
                let named: BTreeSet<&str> = rows.iter().flat_map(|row| row.keys().map(String::as_str)).collect();
                let mapped: BTreeSet<&str> = columns.keys().map(String::as_str).collect();
                assert!(rows.is_empty() || mapped == named, "{path} {size:?} {change:?}: {named:?}");
            }
        }
    }
}

#[test]
fn a_sheet_that_would_be_too_long_is_told_before_anything_is_written() {
    let size = Size { people: 1, applications: 1, accounts: 100_000, entitlements: 500, grants: 1_048_576 };
    let folder = Folder::new();
    let company = Company::new(Seed(1), size, None, &[]).unwrap();
    let error = company.write(&folder.0, Format::Xlsx, &|_, _| ()).unwrap_err().to_string();
    assert_eq!(error, "--format xlsx: one file would have 1048576 grants; a sheet holds 1048575 at most");
    assert!(!folder.0.exists());
}
