//! Stub until the branch oauth is merged.
#[derive(Debug, serde::Serialize, utoipa::ToSchema)]
pub struct SailPointErrorBody {}
