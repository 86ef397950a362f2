//! Named transforms in the columns of a feed: whether those that it needs are there, and which columns they read.

use std::collections::BTreeSet;

use aggregates::application::transform::Steps;
use aggregates::application::{Column, Definition};
use aggregates::transform::{Named, Transform};

use super::Fault;

/// Has a look at everything that a definition names, before anything is read.
///
/// # Errors
/// A field's transform that isn't there or can't be executed, or that makes its value of a column where the field has none.
pub fn check(definition: &Definition, named: &Named) -> Result<(), Fault> {
    for group in &definition.connector.file_groups {
        for (field, column) in &group.columns {
            let fault = |reason: String| Err(Fault::File(format!("Field {field} of {}: {reason}", group.name)));
            if let Err(unknown) = Steps::new(column.transforms(), named) {
                return fault(unknown.to_string());
            }
            let Some(first) = column.named().next().filter(|_| column.names().is_empty()) else { continue };
            if named.get(first).is_some_and(Transform::reads_input) {
                return fault(format!("the transform {first:?} makes its value of a column, and the field has none"));
            }
        }
    }
    Ok(())
}

/// The columns that a field's named transforms read beside its own.
pub fn attributes<'a>(column: &Column, named: &'a Named) -> BTreeSet<&'a str> {
    let transforms = column.named().filter_map(|name| named.get(name));
    transforms.flat_map(Transform::attributes).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::sync::Arc;

    use aggregates::application::{Connector, ConnectorType, Content, Dialect, FileGroup, Format, Priority};
    use serde_json::{Value, json};

    use super::*;
    use crate::imports::mapping::Mapping;
    use crate::imports::reader::Rows;

    fn named(documents: &[(&str, Value)]) -> Named {
        documents.iter().map(|(name, document)| ((*name).to_owned(), Transform::read(document).unwrap())).collect()
    }

    fn account(name: &str) -> Value {
        json!({"type": "accountAttribute", "attributes": {"attributeName": name}})
    }

    /// Transforms of these tests: one makes a value of nothing, one needs an input.
    fn known() -> Named {
        let email = json!({"type": "firstValid", "attributes": {"values": [account("mail"), account("upn"), "none"]}});
        let lookup = json!({"type": "lookup", "attributes": {"table": {"A": "Active"}}});
        named(&[("Email", email), ("Lower", json!({"type": "lower"})), ("Status", lookup)])
    }

    fn group(format: Format, columns: Value) -> FileGroup {
        FileGroup {
            id: uuid::Uuid::nil(),
            name: "people".to_owned(),
            content: Content::Accounts,
            is_required: true,
            format,
            dialect: Dialect::default(),
            columns: serde_json::from_value(columns).unwrap(),
            rules: Vec::new(),
        }
    }

    fn checked(columns: Value) -> Result<(), String> {
        let definition = Definition {
            name: "HR".to_owned(),
            priority: Priority::None,
            description: None,
            is_identity_source: false,
            removal_limit: 30,
            connector: Connector { r#type: ConnectorType::File, file_groups: vec![group(Format::Csv, columns)] },
            correlation: None,
            responders: Vec::new(),
        };
        check(&definition, &known()).map_err(|fault| fault.to_string())
    }

    type Read = (Vec<Vec<Option<String>>>, Vec<String>, Vec<String>);

    /// Of each row the values of key, email and type; the problems' messages; and the remarks.
    fn read(format: Format, columns: Value, file: &str) -> Result<Read, Fault> {
        let (group, named) = (group(format, columns), known());
        let bytes = Cursor::new(file.as_bytes().to_vec());
        let mut rows = Rows::open(bytes, "f", &group, &named, &Arc::default())?;
        let mut mapping = Mapping::new(&group, &named, &rows.header, "f")?;
        let (mut read, mut problems) = (Vec::new(), Vec::new());
        while let Some(batch) = rows.batch()? {
            for (_, values) in batch.rows() {
                let fields = mapping.fields(&values);
                read.push(["key", "email", "type"].map(|field| fields.get(field)).to_vec());
                let told = fields.problems.into_iter().map(|problem| format!("{}: {}", problem.code, problem.message));
                problems.extend(told);
            }
        }
        let remarks = [mapping.remarks, rows.remarks()].concat();
        Ok((read, problems, remarks))
    }

    #[test]
    fn a_column_needs_transforms_that_are_there() {
        assert_eq!(checked(json!({"email": {"transforms": [{"named": "Email"}, {"named": "Lower"}]}})), Ok(()));
        assert_eq!(checked(json!({"email": {"column": "x", "transforms": [{"named": "Lower"}]}})), Ok(()));
        assert_eq!(
            checked(json!({"email": {"column": "x", "transforms": [{"named": "email"}]}})).unwrap_err(),
            "Field email of people: there is no transform \"email\" that can be executed"
        );
        assert_eq!(
            checked(json!({"email": {"transforms": [{"named": "Lower"}]}})).unwrap_err(),
            "Field email of people: the transform \"Lower\" makes its value of a column, and the field has none"
        );
    }

    #[test]
    fn a_named_transform_reads_the_rows_other_columns_in_every_format() {
        let columns = json!({
            "key": "id",
            "email": {"transforms": [{"named": "Email"}, {"named": "Lower"}]},
            "type": {"column": "st", "transforms": [{"named": "Status"}], "default": "-"}
        });
        let csv = "id,mail,st,upn\n1, A@X ,A,u\n2,,A,B@X\n3,,,\n";
        let json = r#"[{"id":1,"mail":" A@X ","st":"A","upn":"u"},{"id":2,"st":"A","upn":"B@X"},{"id":3}]"#;
        let row = |values: [&str; 3]| values.map(|value| Some(value.to_owned())).to_vec();
        let expected = [row(["1", "a@x", "Active"]), row(["2", "b@x", "Active"]), row(["3", "none", "-"])];
        for (format, file) in [(Format::Csv, csv), (Format::Json, json)] {
            let (rows, problems, remarks) = read(format, columns.clone(), file).unwrap();
            assert_eq!(rows, expected, "{format:?}");
            assert_eq!((problems, remarks), (vec![], vec![]), "{format:?}");
        }
    }

    #[test]
    fn a_value_that_a_named_transform_can_not_take_is_an_issue() {
        let columns = json!({"key": "id", "type": {"column": "st", "transforms": [{"named": "Status"}]}});
        let (rows, problems, _) = read(Format::Csv, columns, "id,st\n1,B\n").unwrap();
        assert_eq!(rows, [[Some("1".to_owned()), None, None]]);
        let told = "not_transformable: type: the value is not in the table of a lookup, which has no default";
        assert_eq!(problems, [told]);
    }

    #[test]
    fn a_column_that_only_a_transform_reads_may_be_absent_where_it_does_not_tell_rows_apart() {
        let columns = json!({"key": "id", "email": {"transforms": [{"named": "Email"}]}});
        let (rows, _, remarks) = read(Format::Csv, columns, "id,mail\n1,\n").unwrap();
        assert_eq!(rows[0][1].as_deref(), Some("none"));
        assert_eq!(remarks, ["f has no column \"upn\", which a transform of field email reads"]);
        let key = json!({"key": {"transforms": [{"named": "Email"}]}});
        for (format, file) in [(Format::Csv, "id,mail\n1,x\n"), (Format::Json, r#"[{"mail":"x"}]"#)] {
            let fault = read(format, key.clone(), file).unwrap_err().to_string();
            assert!(fault.contains("\"upn\""), "{fault}");
        }
        let twice = read(Format::Csv, key, "mail,upn,mail\n1,2,3\n").unwrap_err().to_string();
        assert!(twice.contains("twice"), "{twice}");
    }
}
