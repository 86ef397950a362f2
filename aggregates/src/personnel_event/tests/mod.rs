mod draft;

use super::*;
