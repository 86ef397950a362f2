//! Page tokens: where a page ends, with a digest of that, the list and the filter, so that one that was made up or is of another
//! list is told apart. It protects nothing: whoever may read a list may read any page of it.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::http::error::ApiError;

/// The token that leads on from a row.
pub fn of(list: Uuid, filter: &str, row: u32) -> String {
    format!("{row:08x}{:016x}", seal(list, filter, row))
}

/// The row from which a token leads on.
///
/// # Errors
/// 400: this server gave no such token for this list.
pub fn read(list: Uuid, filter: &str, token: &str) -> Result<u32, ApiError> {
    let row = token.get(..8).and_then(|row| u32::from_str_radix(row, 16).ok());
    let row = row.filter(|row| of(list, filter, *row) == token);
    row.ok_or_else(|| {
        ApiError::field("page_token", "It is no token that this list gave; send next_page_token with the same filter")
    })
}

fn seal(list: Uuid, filter: &str, row: u32) -> u64 {
    let mut hash = Sha256::new();
    hash.update(list);
    hash.update(row.to_be_bytes());
    hash.update(filter);
    hash.finalize().iter().take(8).fold(0, |seal, byte| seal << 8 | u64::from(*byte))
}
