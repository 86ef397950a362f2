use serde::{Deserialize, Serialize};

/// What happens to a person (contracts §1.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PersonnelEventType {
    /// Joins.
    Onboard,
    /// Leaves.
    Offboard,
    /// Moves, for good or until an end date.
    #[serde(rename = "Role Transition")]
    RoleTransition,
    /// Is away for a while.
    Absence,
}

impl PersonnelEventType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Onboard, Self::Offboard, Self::RoleTransition, Self::Absence];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Onboard => "Onboard",
            Self::Offboard => "Offboard",
            Self::RoleTransition => "Role Transition",
            Self::Absence => "Absence",
        }
    }

    /// The stages in order; `has_end` = an end date was given.
    pub fn stages(self, has_end: bool) -> Vec<Stage> {
        use Stage::{Approval, Provision, Removal, TransitionIn, TransitionOut, Verification};
        match self {
            Self::Onboard if has_end => vec![Approval, Provision, Removal, Verification],
            Self::Onboard | Self::Offboard => vec![Approval, Provision, Verification],
            Self::RoleTransition if has_end => vec![Approval, TransitionIn, TransitionOut, Verification],
            Self::RoleTransition => vec![Approval, TransitionIn, Verification],
            // Whoever goes on leave comes back, though nobody may know when.
            Self::Absence => vec![Approval, Provision, Removal, Verification],
        }
    }
}

/// A step of an event (rulings 23).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Responders say yes or no.
    Approval,
    /// Access is given, taken or suspended.
    Provision,
    /// Access of the new role is given, that of the old one taken.
    #[serde(rename = "Transition In")]
    TransitionIn,
    /// What the transition gave is taken again, what it took is given back.
    #[serde(rename = "Transition Out")]
    TransitionOut,
    /// At the end date: suspended access is restored; access given for a time is taken.
    Removal,
    /// Imports, or responders, say that it is so.
    Verification,
}

impl Stage {
    /// All of them, in the order in which they come.
    pub const ALL: [Self; 6] =
        [Self::Approval, Self::Provision, Self::TransitionIn, Self::TransitionOut, Self::Removal, Self::Verification];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approval => "Approval",
            Self::Provision => "Provision",
            Self::TransitionIn => "Transition In",
            Self::TransitionOut => "Transition Out",
            Self::Removal => "Removal",
            Self::Verification => "Verification",
        }
    }

    /// As a segment of a path: `transition-in`.
    pub fn slug(self) -> String {
        self.as_str().to_lowercase().replace(' ', "-")
    }

    /// Responders answer it; any other is work.
    pub const fn is_answered(self) -> bool {
        matches!(self, Self::Approval | Self::Verification)
    }

    /// It waits for the end date.
    pub const fn is_at_end(self) -> bool {
        matches!(self, Self::TransitionOut | Self::Removal)
    }

    /// The word that people see (contracts §1.8, UI steps).
    pub const fn label(self, of: PersonnelEventType) -> &'static str {
        match (self, of) {
            (Self::Approval, _) => "Approve",
            (Self::Verification, _) => "Verify",
            (Self::Provision, PersonnelEventType::Offboard) => "Deprovision",
            (Self::Provision, PersonnelEventType::Absence) => "Suspend",
            (Self::Provision, _) => "Provision",
            (Self::TransitionIn, _) => "Transition In",
            (Self::TransitionOut, _) => "Transition Out",
            (Self::Removal, PersonnelEventType::Absence) => "Restore",
            (Self::Removal, _) => "Deprovision",
        }
    }
}
