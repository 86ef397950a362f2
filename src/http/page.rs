//! The page envelope (contracts §1.2).

use projections::page::{Page, SIZE};
use serde::Serialize;
use utoipa::ToSchema;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PageBody<T> {
    /// The rows of this page.
    pub items: Vec<T>,
    /// Rows on all pages.
    pub total_count: i64,
    /// 1-based.
    pub page: i64,
    /// Always 50.
    pub page_size: i64,
    /// 0 when the list is empty.
    pub total_pages: i64,
}

impl<T> PageBody<T> {
    /// The envelope of a page.
    pub fn of<R>(found: Page<R>, page: i64, render: impl FnMut(R) -> T) -> Self {
        Self {
            items: found.items.into_iter().map(render).collect(),
            total_count: found.total,
            page,
            page_size: SIZE,
            total_pages: (found.total + SIZE - 1) / SIZE,
        }
    }
}
