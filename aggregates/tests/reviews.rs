//! What `docs/REVIEWS.md` says of attributes is what filters can name.

use std::fmt::Write;

use aggregates::certification_row::Attribute;
use aggregates::filter::Kind;

#[test]
fn the_page_shows_every_attribute_that_a_filter_can_name() {
    let all = || Attribute::NAMES.iter().chain(&Attribute::PREVIOUS);
    let mut prefixes: Vec<&str> = Vec::new();
    for (prefix, _) in all().filter_map(|(name, ..)| name.rsplit_once('.')) {
        if !prefixes.contains(&prefix) {
            prefixes.push(prefix);
        }
    }
    let mut drawn = "| begins with | kind | then |\n|---|---|---|\n".to_owned();
    for prefix in prefixes {
        for (kind, word) in [(Kind::Text, "text"), (Kind::Boolean, "yes/no"), (Kind::Time, "time")] {
            let of_it = all().filter(|(_, known, _)| *known == kind).filter_map(|(name, ..)| name.rsplit_once('.'));
            let names: Vec<String> =
                of_it.filter(|(known, _)| *known == prefix).map(|(_, name)| format!("`{name}`")).collect();
            if !names.is_empty() {
                let _ = writeln!(drawn, "| `{prefix}.` | {word} | {} |", names.join(", "));
            }
        }
    }
    for (prefix, _) in Attribute::OPEN {
        let _ = writeln!(drawn, "| `{prefix}.` | text | any column of the feed |");
    }
    let page = include_str!("../../docs/REVIEWS.md");
    let part = page.split_once("<!-- drawn: attributes -->\n").and_then(|(_, rest)| rest.split_once("<!-- end -->"));
    let part = part.map(|(part, _)| part);
    assert!(part == Some(&drawn), "docs/REVIEWS.md is stale; between its markers belongs:\n\n{drawn}");
}
