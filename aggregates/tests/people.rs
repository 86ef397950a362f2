//! What `docs/PEOPLE.md` draws of personnel events and access requests is what the code does: the parts between
//! `<!-- drawn: … -->` and `<!-- end -->` follow from its tables.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use aggregates::access_request;
use aggregates::personnel_event::{self, PersonnelEventType, Stage, Status};

/// The part of the page that has this name.
fn part(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/PEOPLE.md");
    let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let begin = format!("<!-- drawn: {name} -->\n");
    let (_, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("docs/PEOPLE.md has no {begin}"));
    let (part, _) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{begin} has no end"));
    part.to_owned()
}

#[track_caller]
fn is_drawn(name: &str, expected: &str) {
    assert!(part(name) == expected, "docs/PEOPLE.md is stale; between the markers of {name:?} belongs:\n\n{expected}");
}

fn diagram(starts: &[(Status, &str)], transitions: &[(Status, Status, &str)]) -> String {
    let line = |from: &str, to: &str, why: &str| {
        // Either would end the label.
        assert!(!why.contains([':', ';']), "{why}");
        format!("    {from} --> {to}{}{why}\n", if why.is_empty() { "" } else { ": " })
    };
    let starts = starts.iter().map(|(to, why)| line("[*]", to.as_str(), why));
    let ways = transitions.iter().map(|(from, to, why)| line(from.as_str(), to.as_str(), why));
    let ends = Status::ALL.into_iter().filter(|status| status.is_terminal()).map(|end| line(end.as_str(), "[*]", ""));
    format!("```mermaid\nstateDiagram-v2\n{}```\n", starts.chain(ways).chain(ends).collect::<String>())
}

/// The stages in a row: what people see, and in brackets the API's word where it is another.
fn row(kind: PersonnelEventType, has_end: bool) -> String {
    let stages = kind.stages(has_end).into_iter().map(|stage| match (stage.label(kind), stage.as_str()) {
        (label, word) if label == word => word.to_owned(),
        (label, word) => format!("{label} (`{word}`)"),
    });
    stages.collect::<Vec<_>>().join(" → ")
}

#[test]
fn the_page_shows_every_way_that_a_personnel_event_can_go() {
    is_drawn("personnel event", &diagram(&personnel_event::STARTS, &personnel_event::TRANSITIONS));
}

#[test]
fn the_page_shows_every_way_that_an_access_request_can_go() {
    is_drawn("access request", &diagram(&access_request::STARTS, &access_request::TRANSITIONS));
}

#[test]
fn the_page_shows_the_steps_of_every_type() {
    let mut drawn = "| type | end date | steps |\n|---|---|---|\n".to_owned();
    for kind in PersonnelEventType::ALL {
        let (without, with) = (row(kind, false), row(kind, true));
        if without == with {
            let end = if kind == PersonnelEventType::Offboard { "none" } else { "may be given later" };
            writeln!(drawn, "| `{}` | {end} | {without} |", kind.as_str()).unwrap();
        } else {
            writeln!(drawn, "| `{}` | without | {without} |", kind.as_str()).unwrap();
            writeln!(drawn, "| | with | {with} |").unwrap();
        }
    }
    is_drawn("types", &drawn);
}

#[test]
fn the_page_shows_every_stage() {
    let mut drawn = "| stage | in a path | what people see | who ends it |\n|---|---|---|---|\n".to_owned();
    for stage in Stage::ALL {
        let mut labels: Vec<&str> = Vec::new();
        for kind in PersonnelEventType::ALL.into_iter().filter(|kind| kind.stages(true).contains(&stage)) {
            if !labels.contains(&stage.label(kind)) {
                labels.push(stage.label(kind));
            }
        }
        let who = match stage {
            Stage::Approval => "its responders",
            Stage::Verification => "imports, or its responders",
            _ => "its access requests, once all are provisioned, or who says `complete`",
        };
        writeln!(drawn, "| `{}` | `{}` | {} | {who} |", stage.as_str(), stage.slug(), labels.join(", ")).unwrap();
    }
    is_drawn("stages", &drawn);
}

#[test]
fn no_diagram_says_the_same_twice_or_leads_out_of_an_end() {
    for (at, (from, to, _)) in personnel_event::TRANSITIONS.iter().enumerate() {
        assert!(!from.is_terminal() && from != to, "{from:?} {to:?}");
        assert!(!personnel_event::TRANSITIONS[..at].iter().any(|(a, b, _)| (a, b) == (from, to)), "{from:?} {to:?}");
    }
    for (at, (from, to, _)) in access_request::TRANSITIONS.iter().enumerate() {
        // What an import proved, a later import can refute.
        assert!((!from.is_terminal() || (*from, *to) == (Status::Completed, Status::Open)) && from != to);
        assert!(!access_request::TRANSITIONS[..at].iter().any(|(a, b, _)| (a, b) == (from, to)), "{from:?} {to:?}");
    }
}
