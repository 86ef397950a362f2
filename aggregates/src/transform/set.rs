use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::read::{Known, Reader};
use super::settings::text;
use super::{Named, Needs, NotExecutable, SIZE_LIMIT, Transform};

/// Transforms by name, which may refer to each other: each that can be executed, and of each other why it can't.
#[derive(Debug, Default)]
pub struct Transforms(Known);

impl Transforms {
    /// Reads documents, each after those that it refers to. What refers in a circle, or to one that does, can't be executed.
    pub fn read(documents: &BTreeMap<String, Value>) -> Self {
        let needs = |name: &str| -> BTreeSet<String> {
            let mut meant = BTreeSet::new();
            collect(&documents[name], &mut meant);
            meant.retain(|meant| documents.contains_key(meant));
            meant
        };
        let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
        let mut needed_by: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for name in documents.keys() {
            let needs = needs(name);
            waiting.insert(name, needs.len());
            for need in needs {
                needed_by.entry(need).or_default().push(name);
            }
        }
        let mut ready: Vec<&str> = waiting.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
        let mut read = Self::default();
        while let Some(name) = ready.pop() {
            waiting.remove(name);
            let transform = read.transform(&documents[name], "");
            read.0.insert(name.to_owned(), transform);
            for next in needed_by.remove(name).unwrap_or_default() {
                if let Some(count) = waiting.get_mut(next) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(next);
                    }
                }
            }
        }
        for name in waiting.keys() {
            let circular = needs(name).into_iter().find(|meant| waiting.contains_key(meant.as_str()));
            let Some(meant) = circular else { continue };
            let path = place_of(&documents[*name], &meant).unwrap_or_default();
            let reason = format!("The transform {meant:?} leads into a circle of references");
            read.0.insert((*name).to_owned(), Err(NotExecutable::new(path, reason)));
        }
        read
    }

    /// A transform, or why it can't be executed; `None` if there is none of this name.
    pub fn get(&self, name: &str) -> Option<&Result<Transform, NotExecutable>> {
        self.0.get(name)
    }

    /// Reads another document, which may refer to these. `path` is where it stands, for what is told.
    ///
    /// # Errors
    /// The first thing in it that isn't executed here.
    pub fn transform(&self, document: &Value, path: &str) -> Result<Transform, NotExecutable> {
        let size = document.to_string().len();
        if size > SIZE_LIMIT {
            let reason = format!("The document has {size} bytes; at most {SIZE_LIMIT} are executed");
            return Err(NotExecutable::new(path, reason));
        }
        let mut reader = Reader { known: &self.0, needs: Needs::default() };
        let operation = reader.operation(document, path, 1)?.into();
        Ok(Transform { operation, needs: reader.needs })
    }

    /// Those that can be executed.
    pub fn executable(&self) -> Named {
        let executable = self.0.iter().filter_map(|(name, read)| Some((name.clone(), read.as_ref().ok()?.clone())));
        executable.collect()
    }
}

/// Does a document refer to another anywhere?
pub fn refers(document: &Value) -> bool {
    let mut found = BTreeSet::new();
    collect(document, &mut found);
    !found.is_empty()
}

/// The name that a document refers to, if it is a reference.
fn refers_to(document: &Value) -> Option<String> {
    let is_reference = document.get("type").and_then(Value::as_str) == Some("reference");
    document.pointer("/attributes/id").filter(|_| is_reference).and_then(|name| text(name, "").ok())
}

/// The names that a document refers to anywhere, also in places that nothing reads.
fn collect(document: &Value, found: &mut BTreeSet<String>) {
    found.extend(refers_to(document));
    match document {
        Value::Object(entries) => entries.values().for_each(|value| collect(value, found)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

/// Where a document refers to a name first.
fn place_of(document: &Value, name: &str) -> Option<String> {
    if refers_to(document).as_deref() == Some(name) {
        return Some("attributes.id".to_owned());
    }
    let join = |step: String, rest: String| {
        if rest.starts_with('[') { format!("{step}{rest}") } else { format!("{step}.{rest}") }
    };
    match document {
        Value::Object(entries) => {
            entries.iter().find_map(|(step, value)| Some(join(step.clone(), place_of(value, name)?)))
        }
        Value::Array(values) => {
            values.iter().enumerate().find_map(|(at, value)| Some(join(format!("[{at}]"), place_of(value, name)?)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(documents: &[(&str, Value)]) -> Transforms {
        Transforms::read(&documents.iter().map(|(name, document)| ((*name).to_owned(), document.clone())).collect())
    }

    fn reference(name: &str) -> Value {
        json!({"type": "reference", "attributes": {"id": name}})
    }

    fn account(name: &str) -> Value {
        json!({"type": "accountAttribute", "attributes": {"attributeName": name, "sourceName": "HR"}})
    }

    fn run(transforms: &Transforms, name: &str, input: Option<&str>) -> Option<String> {
        let attribute = |name: &str| Some(format!("<{name}>"));
        transforms.get(name).unwrap().as_ref().unwrap().run(input, &attribute).unwrap()
    }

    #[track_caller]
    fn is_refused(transforms: &Transforms, name: &str, expected: &str) {
        assert_eq!(transforms.get(name).unwrap().as_ref().unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_reference_does_what_the_other_does_with_its_own_input_or_the_one_that_it_is_given() {
        let transforms = set(&[
            ("Upper", json!({"type": "upper"})),
            ("Same", reference("Upper")),
            ("Mail", json!({"type": "reference", "attributes": {"id": "Same", "input": account("mail")}})),
            ("Both", json!({"type": "concat", "attributes": {"values": [reference("Mail"), reference("Same"), "!"]}})),
            ("Own", json!({"type": "lower", "attributes": {"input": account("X")}})),
            ("Ignores", json!({"type": "reference", "attributes": {"id": "Own", "input": "other"}})),
        ]);
        assert_eq!(run(&transforms, "Same", Some("a")).as_deref(), Some("A"));
        assert_eq!(run(&transforms, "Same", None), None);
        assert_eq!(run(&transforms, "Both", Some("a")).as_deref(), Some("<MAIL>A!"));
        assert_eq!(run(&transforms, "Ignores", Some("a")).as_deref(), Some("<x>"));
        let reads = |name| transforms.get(name).unwrap().as_ref().unwrap().reads_input();
        assert_eq!([reads("Same"), reads("Mail"), reads("Both"), reads("Ignores")], [true, false, true, false]);
        let both = transforms.get("Both").unwrap().as_ref().unwrap();
        assert_eq!(both.attributes().collect::<Vec<_>>(), ["mail"]);
        assert_eq!(both.sources().map(|source| source.name.as_deref()).collect::<Vec<_>>(), [Some("HR")]);
    }

    #[test]
    fn what_leads_nowhere_into_a_circle_or_to_what_is_not_executed_is_not_executable() {
        let transforms = set(&[
            ("Lost", json!({"type": "concat", "attributes": {"values": ["a", reference("Nobody")]}})),
            ("Foreign", json!({"type": "rule"})),
            ("Of foreign", reference("Foreign")),
            ("A", json!({"type": "upper", "attributes": {"input": reference("B")}})),
            ("B", reference("A")),
            ("Self", json!({"type": "firstValid", "attributes": {"values": ["a", reference("Self")]}})),
            ("Behind", reference("A")),
            ("Fine", json!({"type": "lower"})),
        ]);
        is_refused(&transforms, "Lost", "attributes.values[1].attributes.id: There is no transform \"Nobody\"");
        let told = transforms.get("Of foreign").unwrap().as_ref().unwrap_err().to_string();
        let expected = "attributes.id: The transform \"Foreign\" is not executable (type: rule is not executed here; ";
        assert!(told.starts_with(expected), "{told}");
        let circle = |name| format!("The transform {name:?} leads into a circle of references");
        is_refused(&transforms, "A", &format!("attributes.input.attributes.id: {}", circle("B")));
        is_refused(&transforms, "B", &format!("attributes.id: {}", circle("A")));
        is_refused(&transforms, "Self", &format!("attributes.values[1].attributes.id: {}", circle("Self")));
        is_refused(&transforms, "Behind", &format!("attributes.id: {}", circle("A")));
        assert_eq!(transforms.executable().into_keys().collect::<Vec<_>>(), ["Fine"]);
        assert!(Transform::read(&reference("Fine")).unwrap_err().reason.contains("There is no transform"));
        is_refused(&set(&[("No name", json!({"type": "reference"}))]), "No name", "attributes.id: id is required");
    }

    #[test]
    fn limits_hold_across_references() {
        let mut chain = vec![("0".to_owned(), json!({"type": "trim"}))];
        chain.extend((1..10_000).map(|at| (at.to_string(), reference(&(at - 1).to_string()))));
        let transforms = Transforms::read(&chain.into_iter().collect());
        assert!(transforms.get("19").unwrap().is_ok());
        let told = transforms.get("20").unwrap().as_ref().unwrap_err().to_string();
        assert_eq!(told, "attributes.id: At most 200 operations, 20 inside one another, are executed");
        assert!(transforms.get("9999").unwrap().as_ref().unwrap_err().to_string().len() < 400);
        // Each of ten times the one before: nobody waits for that.
        let tenfold = |name: &str| json!({"type": "concat", "attributes": {"values": vec![reference(name); 10]}});
        let transforms = set(&[("One", json!({"type": "trim"})), ("Ten", tenfold("One")), ("Hundred", tenfold("Ten"))]);
        assert_eq!(run(&transforms, "Ten", Some("a")).as_deref(), Some("aaaaaaaaaa"));
        is_refused(
            &transforms,
            "Hundred",
            "attributes.values[9].attributes.id: At most 200 operations, 20 inside one another, are executed",
        );
    }
}
