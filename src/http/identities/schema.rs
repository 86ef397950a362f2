use aggregates::application::{Content, fields};
use aggregates::identity::schema::{Attribute, AttributeType, Schema, field, known_type};
use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::TAG;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::session::{Reads, Session};

/// What people's attributes are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentitySchemaBody {
    /// The fields with a meaning, then custom attributes by name.
    pub attributes: Vec<IdentityAttributeBody>,
}

/// An attribute of people, by the name under which file groups and identity profiles fill it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdentityAttributeBody {
    /// Its name.
    #[schema(example = "costCenter")]
    pub name: String,
    /// Its name for people; null if the schema has none.
    #[schema(example = "Cost Center")]
    pub display_name: Option<String>,
    /// string, int, boolean, date or identity.
    #[schema(example = "string")]
    pub r#type: &'static str,
    /// It may have several values.
    pub is_multi_valued: bool,
    /// It is no field with a meaning, but one of the schema's.
    pub is_custom: bool,
}

/// The attributes that people have: fields with a meaning, and custom attributes of the schema (`IDENTITY_OBJECT_CONFIG`), if there
/// is one. Without a schema any other name is a custom attribute, too.
#[utoipa::path(
    get, path = "/api/identities/schema", tag = TAG, operation_id = "getIdentitySchema", security(("token" = [])),
    responses(
        (status = 200, body = IdentitySchemaBody),
        (status = 401, description = "No valid token", body = ErrorBody),
    )
)]
pub async fn schema(session: Session<Reads>) -> Result<Json<IdentitySchemaBody>, ApiError> {
    let schema = crate::imports::configured::schema(session.pool()).await?.unwrap_or_default();
    Ok(Json(IdentitySchemaBody { attributes: attributes(&schema) }))
}

fn attributes(schema: &Schema) -> Vec<IdentityAttributeBody> {
    let known = fields::known(Content::Identities);
    let body = |name: &str, said: Option<&Attribute>, r#type: AttributeType| IdentityAttributeBody {
        name: name.to_owned(),
        display_name: said.and_then(|said| said.display_name.clone()),
        r#type: r#type.as_str(),
        is_multi_valued: said.is_some_and(|said| said.is_multi_valued),
        is_custom: !known.contains(&name),
    };
    let meant = |name: &str| schema.attributes().find(|(said, _)| field(said) == name).map(|(_, said)| said);
    // A field with a meaning has one value, of its own type, whatever a schema says of it.
    let with_meaning = known
        .iter()
        .map(|name| IdentityAttributeBody { is_multi_valued: false, ..body(name, meant(name), known_type(name)) });
    let custom = schema.attributes().filter(|(name, _)| !known.contains(&field(name)));
    with_meaning.chain(custom.map(|(name, said)| body(name, Some(said), said.r#type))).collect()
}
