//! The words a company is made of.

/// Its name.
pub const COMPANY: &str = "Meridian Mutual";
/// Of its e-mail addresses; `.example` belongs to nobody.
pub const DOMAIN: &str = "meridian.example";

pub const FIRST: &[&str] = &[
    "Ana",
    "Ben",
    "Chloé",
    "Dmitri",
    "Elif",
    "Fatima",
    "Grace",
    "Hiro",
    "Ines",
    "Jürgen",
    "Kofi",
    "Lena",
    "Mateo",
    "Nia",
    "Óscar",
    "Priya",
    "Quentin",
    "Rosa",
    "Søren",
    "Tomasz",
    "Uma",
    "Viktor",
    "Wei",
    "Ximena",
    "Yusuf",
    "Zoë",
    "Aisha",
    "Björn",
    "Carmen",
    "David",
    "Emily",
    "François",
    "Giulia",
    "Hannah",
    "Ivan",
    "José",
    "Karen",
    "Liam",
    "Maria",
    "Noah",
    "Olivia",
    "Peter",
    "Renée",
    "Samuel",
    "Thị",
    "Walter",
];

pub const LAST: &[&str] = &[
    "Martinez",
    "Okafor",
    "Dubois",
    "Ivanov",
    "Yılmaz",
    "Haddad",
    "Lee",
    "Tanaka",
    "Ferreira",
    "Müller",
    "Mensah",
    "Schmidt",
    "García",
    "Williams",
    "Núñez",
    "Sharma",
    "Laurent",
    "Romano",
    "Ødegård",
    "Kowalski",
    "Patel",
    "Novák",
    "Zhang",
    "Castillo",
    "Demir",
    "van der Berg",
    "Khan",
    "Lindström",
    "Vega",
    "Cohen",
    "O'Brien",
    "Lefèvre",
    "Conti",
    "Becker",
    "Petrov",
    "Silva",
    "Smith",
    "Murphy",
    "Rossi",
    "Johnson",
    "Brown",
    "Jones",
    "Nguyễn",
    "Adeyemi",
    "Frey",
    "Kim",
];

/// Divisions with their departments.
pub const DIVISIONS: &[(&str, [&str; 8])] = &[
    (
        "Retail",
        ["Branches", "Cards", "Deposits", "Mortgages", "Contact Centre", "Savings", "Advice", "Retail Products"],
    ),
    (
        "Corporate",
        [
            "Lending",
            "Trade Finance",
            "Cash Management",
            "Leasing",
            "Syndication",
            "Key Accounts",
            "Credit Desk",
            "Export",
        ],
    ),
    ("Insurance", ["Claims", "Underwriting", "Actuarial", "Life", "Motor", "Property", "Reinsurance", "Brokers"]),
    (
        "Markets",
        [
            "Equities",
            "Fixed Income",
            "Foreign Exchange",
            "Treasury",
            "Research",
            "Custody",
            "Settlements",
            "Structuring",
        ],
    ),
    (
        "Technology",
        ["Platforms", "Networks", "Data", "Security", "Service Desk", "Architecture", "Quality", "Workplace"],
    ),
    (
        "Finance",
        ["Accounting", "Controlling", "Tax", "Payments", "Procurement", "Reporting", "Investor Relations", "Planning"],
    ),
    ("Risk", ["Credit Risk", "Market Risk", "Fraud", "Compliance", "Audit", "Legal", "Privacy", "Models"]),
    (
        "People",
        ["Recruiting", "Payroll", "Learning", "Facilities", "Travel", "Benefits", "Communications", "Works Council"],
    ),
];

/// Above all divisions.
pub const EXECUTIVE: &str = "Executive Office";

pub const OFFICES: &[&str] = &["Zürich", "New York", "São Paulo", "Kraków", "Singapore", "Lagos"];

pub const TITLES: &[&str] = &[
    "Analyst",
    "Senior Analyst",
    "Specialist",
    "Advisor",
    "Clerk",
    "Engineer",
    "Senior Engineer",
    "Consultant",
    "Officer",
    "Associate",
    "Coordinator",
    "Assistant",
];

/// Applications with the initials of their entitlements.
pub const APPLICATIONS: &[(&str, &str)] = &[
    ("Core Banking", "CB"),
    ("Payments", "PY"),
    ("Ledger", "LG"),
    ("Claims Desk", "CD"),
    ("Payroll", "PR"),
    ("Customer Records", "CR"),
    ("Trading", "TR"),
    ("Document Archive", "DA"),
    ("Data Warehouse", "DW"),
    ("Procurement", "PC"),
    ("Fraud Watch", "FW"),
    ("Service Desk", "SD"),
];

pub const VERBS: &[&str] =
    &["View", "Enter", "Approve", "Release", "Cancel", "Export", "Reconcile", "Report on", "Archive", "Administer"];

pub const OBJECTS: &[&str] = &[
    "loans",
    "payments",
    "journals",
    "claims",
    "customers",
    "limits",
    "invoices",
    "orders",
    "policies",
    "salaries",
    "positions",
    "documents",
    "suppliers",
    "cases",
    "templates",
    "rates",
];

pub const SERVICES: &[&str] = &["batch", "backup", "report", "sync", "monitor", "gateway", "archive", "mail"];

/// A name as log-ins and e-mail addresses have it: small letters of ASCII.
pub fn plain(name: &str) -> String {
    name.chars().filter_map(plain_letter).collect()
}

/// The letter without what stands on it; nothing for blanks and apostrophes.
fn plain_letter(letter: char) -> Option<char> {
    Some(match letter {
        'á' | 'à' | 'ã' | 'å' => 'a',
        'č' | 'ç' => 'c',
        'é' | 'è' | 'ë' | 'ễ' => 'e',
        'í' | 'ı' | 'ị' => 'i',
        'ñ' => 'n',
        'ó' | 'ö' | 'ø' | 'Ó' | 'Ø' => 'o',
        'ú' | 'ü' => 'u',
        other if other.is_ascii_alphabetic() => other.to_ascii_lowercase(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_plain_form_that_keeps_its_letters() {
        for name in FIRST.iter().chain(LAST) {
            let letters = name.chars().filter(|letter| letter.is_alphabetic()).count();
            assert_eq!(plain(name).len(), letters, "{name}");
        }
        assert_eq!((plain("Ødegård"), plain("van der Berg")), ("odegard".to_owned(), "vanderberg".to_owned()));
    }
}
