use crate::filter::{Catalogue, Kind};

/// An attribute of a row. Its source is the account with its person, its destination the entitlement, the grant what lies
/// between, and its predecessor the same row in the last certification of the workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "NAMES says them as filters do")]
pub enum Attribute {
    SourceId,
    SourceType,
    SourceName,
    SourceKey,
    SourceEmail,
    SourceEmployeeId,
    SourceDatasourceId,
    SourceDatasourceName,
    SourceIsActive,
    SourceLastLoginAt,
    /// Custom attributes of the account.
    SourceAttributes,
    IdentityId,
    IdentityType,
    IdentityStatus,
    IdentityIsActive,
    IdentityFirstName,
    IdentityLastName,
    IdentityDisplayName,
    IdentityEmail,
    IdentityEmployeeId,
    IdentityTitle,
    IdentityCompany,
    IdentityDivision,
    IdentityDepartment,
    IdentityOffice,
    IdentitySupervisor,
    IdentitySupervisorId,
    IdentityCreatedDate,
    IdentityUpdatedDate,
    IdentityInactivatedDate,
    /// Custom attributes of the person.
    IdentityAttributes,
    DestinationId,
    DestinationType,
    DestinationName,
    DestinationKey,
    DestinationDescription,
    DestinationOwner,
    DestinationDatasourceId,
    DestinationDatasourceName,
    DestinationIsActive,
    DestinationIsPrivileged,
    /// Custom attributes of the entitlement.
    DestinationAttributes,
    GrantGrantedAt,
    /// Attributes of the grant.
    GrantAttributes,
    PreviousDecision,
    PreviousNotes,
    PreviousSignedOffState,
    Decision,
    Notes,
    SignedOffState,
}

impl Attribute {
    /// What `filter` can name, by kind.
    pub const NAMES: [(&str, Kind, Self); 40] = [
        ("source.id", Kind::Text, Self::SourceId),
        ("source.type", Kind::Text, Self::SourceType),
        ("source.name", Kind::Text, Self::SourceName),
        ("source.key", Kind::Text, Self::SourceKey),
        ("source.email", Kind::Text, Self::SourceEmail),
        ("source.employee_id", Kind::Text, Self::SourceEmployeeId),
        ("source.datasource_id", Kind::Text, Self::SourceDatasourceId),
        ("source.datasource_name", Kind::Text, Self::SourceDatasourceName),
        ("source.is_active", Kind::Boolean, Self::SourceIsActive),
        ("source.last_login_at", Kind::Time, Self::SourceLastLoginAt),
        ("source.identity.id", Kind::Text, Self::IdentityId),
        ("source.identity.type", Kind::Text, Self::IdentityType),
        ("source.identity.status", Kind::Text, Self::IdentityStatus),
        ("source.identity.is_active", Kind::Boolean, Self::IdentityIsActive),
        ("source.identity.first_name", Kind::Text, Self::IdentityFirstName),
        ("source.identity.last_name", Kind::Text, Self::IdentityLastName),
        ("source.identity.display_name", Kind::Text, Self::IdentityDisplayName),
        ("source.identity.email", Kind::Text, Self::IdentityEmail),
        ("source.identity.employee_id", Kind::Text, Self::IdentityEmployeeId),
        ("source.identity.title", Kind::Text, Self::IdentityTitle),
        ("source.identity.company", Kind::Text, Self::IdentityCompany),
        ("source.identity.division", Kind::Text, Self::IdentityDivision),
        ("source.identity.department", Kind::Text, Self::IdentityDepartment),
        ("source.identity.office", Kind::Text, Self::IdentityOffice),
        ("source.identity.supervisor", Kind::Text, Self::IdentitySupervisor),
        ("source.identity.supervisor_id", Kind::Text, Self::IdentitySupervisorId),
        ("source.identity.created_date", Kind::Time, Self::IdentityCreatedDate),
        ("source.identity.updated_date", Kind::Time, Self::IdentityUpdatedDate),
        ("source.identity.inactivated_date", Kind::Time, Self::IdentityInactivatedDate),
        ("destination.id", Kind::Text, Self::DestinationId),
        ("destination.type", Kind::Text, Self::DestinationType),
        ("destination.name", Kind::Text, Self::DestinationName),
        ("destination.key", Kind::Text, Self::DestinationKey),
        ("destination.description", Kind::Text, Self::DestinationDescription),
        ("destination.owner", Kind::Text, Self::DestinationOwner),
        ("destination.datasource_id", Kind::Text, Self::DestinationDatasourceId),
        ("destination.datasource_name", Kind::Text, Self::DestinationDatasourceName),
        ("destination.is_active", Kind::Boolean, Self::DestinationIsActive),
        ("destination.is_privileged", Kind::Boolean, Self::DestinationIsPrivileged),
        ("grant.granted_at", Kind::Time, Self::GrantGrantedAt),
    ];

    /// What `filter` can name beneath: custom attributes of feeds.
    pub const OPEN: [(&str, Self); 4] = [
        ("source.attributes", Self::SourceAttributes),
        ("source.identity.attributes", Self::IdentityAttributes),
        ("destination.attributes", Self::DestinationAttributes),
        ("grant.attributes", Self::GrantAttributes),
    ];

    /// What `mutable_filter` can name.
    pub const PREVIOUS: [(&str, Kind, Self); 3] = [
        ("previous.decision", Kind::Text, Self::PreviousDecision),
        ("previous.notes", Kind::Text, Self::PreviousNotes),
        ("previous.signed_off_state", Kind::Text, Self::PreviousSignedOffState),
    ];

    /// What is decided about the row now: what filters over the rows of a certification can name beside.
    pub const NOW: [(&str, Kind, Self); 3] = [
        ("decision", Kind::Text, Self::Decision),
        ("notes", Kind::Text, Self::Notes),
        ("signed_off_state", Kind::Text, Self::SignedOffState),
    ];

    /// Is it what was decided last time?
    pub const fn is_previous(self) -> bool {
        matches!(self, Self::PreviousDecision | Self::PreviousNotes | Self::PreviousSignedOffState)
    }

    /// Is it what is decided now?
    pub const fn is_current(self) -> bool {
        matches!(self, Self::Decision | Self::Notes | Self::SignedOffState)
    }

    /// The name in filters.
    pub fn name(self) -> &'static str {
        self.named().0
    }

    /// The kind; of custom attributes, that of each.
    pub fn kind(self) -> Kind {
        self.named().1
    }

    fn named(self) -> (&'static str, Kind) {
        let named = Self::NAMES.into_iter().chain(Self::PREVIOUS).chain(Self::NOW);
        let mut all = named.chain(Self::OPEN.map(|(name, attribute)| (name, Kind::Text, attribute)));
        all.find(|(.., attribute)| *attribute == self).map_or(("", Kind::Text), |(name, kind, _)| (name, kind))
    }
}

/// The attributes of the row itself (rulings 33).
pub(super) fn of_filter() -> Catalogue<Attribute> {
    with_row(Catalogue::new())
        .elsewhere("previous", "source, destination or grant: previous.* belongs in mutable_filter")
}

/// The attributes of its predecessor (rulings 33).
pub(super) fn of_mutable_filter() -> Catalogue<Attribute> {
    without_row(with(Catalogue::new(), &Attribute::PREVIOUS), "previous")
}

/// What is and was decided about the row.
pub(super) fn of_results_mutable_filter() -> Catalogue<Attribute> {
    without_row(
        with(with(Catalogue::new(), &Attribute::NOW), &Attribute::PREVIOUS),
        "decision, notes, signed_off_state or previous",
    )
}

/// Everything.
pub(super) fn of_results_filter() -> Catalogue<Attribute> {
    with(with(with_row(Catalogue::new()), &Attribute::NOW), &Attribute::PREVIOUS)
}

fn with(catalogue: Catalogue<Attribute>, names: &[(&str, Kind, Attribute)]) -> Catalogue<Attribute> {
    names.iter().fold(catalogue, |catalogue, (name, kind, attribute)| catalogue.attribute(name, *kind, *attribute))
}

fn with_row(catalogue: Catalogue<Attribute>) -> Catalogue<Attribute> {
    let catalogue = with(catalogue, &Attribute::NAMES);
    Attribute::OPEN.iter().fold(catalogue, |catalogue, (prefix, attribute)| catalogue.open(prefix, *attribute))
}

fn without_row(catalogue: Catalogue<Attribute>, expected: &str) -> Catalogue<Attribute> {
    ["source", "destination", "grant"].iter().fold(catalogue, |catalogue, prefix| {
        catalogue.elsewhere(prefix, &format!("{expected}: {prefix}.* belongs in filter"))
    })
}
