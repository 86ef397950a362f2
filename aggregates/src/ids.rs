//! Ids that follow from what they name, so that a second run or a second server makes the same ones.

use uuid::Uuid;

/// The id of an account or entitlement: UUIDv5 of application, kind and native key (design §3).
pub fn native(application: Uuid, kind: &str, key: &str) -> Uuid {
    let mut name = Vec::with_capacity(kind.len() + 1 + key.len());
    name.extend_from_slice(kind.as_bytes());
    name.push(0);
    name.extend_from_slice(key.as_bytes());
    Uuid::new_v5(&application, &name)
}

/// The account that an application knows by `key`.
pub fn account(application: Uuid, key: &str) -> Uuid {
    native(application, crate::account::TYPE, key)
}

/// The entitlement that an application knows by `key`.
pub fn entitlement(application: Uuid, key: &str) -> Uuid {
    native(application, crate::entitlement::TYPE, key)
}

/// The id of the `number`th workflow or automation, so that "nobody made another one meanwhile" can be guarded: the next one's
/// stream is still empty.
pub fn numbered(kind: &str, number: i64) -> Uuid {
    native(Uuid::nil(), kind, &number.to_string())
}

/// The id of the `number`th stream of a kind that belongs to one thing: twelve bytes of their UUIDv5, then the number (RFC 9562
/// §5.8). Streams that are written together lie together in the log's index.
pub fn part(of: Uuid, kind: &str, number: u32) -> Uuid {
    let mut bytes = native(of, kind, "").into_bytes();
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
