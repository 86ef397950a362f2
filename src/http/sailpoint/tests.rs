use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::*;

/// The body that an error has at a path.
async fn rendered(error: ApiError, path: &str) -> Value {
    let response = error.render(&RequestInfo::at(path));
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn every_prefix_speaks_it_and_nothing_else_does() {
    for path in ["/sp-config/export", "/beta/sp-config", "/v2026/sp-config/import/1", "/sp-config/v1/config-objects"] {
        assert!(is_ours(path), "{path}");
    }
    for path in ["/sp-configuration", "/v2023/sp-config/export", "/v1/sp-config/export", "/api/sp-config", "/"] {
        assert!(!is_ours(path), "{path}");
    }
}

#[tokio::test]
async fn what_happened_is_told_by_code_and_sentences() {
    let too_late = ApiError::field("data", "No files were supplied for import.");
    let cases = [
        (too_late, "400.1.3 Illegal value", "No files were supplied for import."),
        (ApiError::field("", "The body is not JSON"), "400.1 Bad Request Content", "The body is not JSON"),
        (ApiError::forbidden("No"), "403 Forbidden", "No"),
        (ApiError::not_found("Job", 7), "404 Not found", "Job with id 7 not found"),
        (ApiError::conflict("Later"), "409 Conflict", "Later"),
        (ApiError::internal(&"why"), "500.0 Internal Fault", "An unexpected error occurred"),
    ];
    for (error, code, text) in cases {
        let expected = json!({
            "detailCode": code,
            "trackingId": "0000000000000000000000000000002a",
            "messages": [{"locale": "en-US", "localeOrigin": "DEFAULT", "text": text}],
            "causes": [],
        });
        assert_eq!(rendered(error, "/v2025/sp-config/import").await, expected);
    }
}

#[tokio::test]
async fn who_is_not_known_and_who_asks_too_often_is_told_in_one_field() {
    let error = ApiError::unauthorized("JWT validation failed: JWT is expired");
    let expected = json!({"error": "JWT validation failed: JWT is expired"});
    assert_eq!(rendered(error, "/beta/sp-config/export").await, expected);
    let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Slower");
    assert_eq!(rendered(error, "/sp-config/v1/export").await, json!({"message": " Rate Limit Exceeded "}));
}
