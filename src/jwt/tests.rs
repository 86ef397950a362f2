use chrono::TimeDelta;

use super::*;

const KEY: Uuid = Uuid::from_u128(1);

fn key() -> SigningKey {
    SigningKey::new(KEY, [7; 64])
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_773_576_000, 0).unwrap()
}

fn claims() -> Claims {
    Claims {
        iss: "muniment".to_owned(),
        sub: Uuid::from_u128(2).to_string(),
        client_id: Uuid::from_u128(2),
        user_name: "Deployment".to_owned(),
        scope: vec![Scope::ConfigRead],
        authorities: vec!["ORG_ADMIN".to_owned()],
        exp: now().timestamp() + 749,
        iat: now().timestamp(),
        jti: Uuid::from_u128(3),
        tenant_id: "t".to_owned(),
        org: "o".to_owned(),
        pod: "p".to_owned(),
        internal: false,
    }
}

/// A token with this header over these claims, signed by our key.
fn signed(header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = URL_SAFE_NO_PAD.encode(key().mac(&signed).finalize().into_bytes());
    format!("{signed}.{signature}")
}

fn header(alg: &str) -> String {
    format!(r#"{{"alg":"{alg}","kid":"{KEY}"}}"#)
}

#[test]
fn what_was_signed_is_read_again_until_it_expires() {
    let token = key().sign(&claims()).unwrap();
    assert_eq!(key().verify(&token, now()), Ok(claims()));
    assert_eq!(key().verify(&token, now() + TimeDelta::seconds(748)), Ok(claims()));
    assert_eq!(key().verify(&token, now() + TimeDelta::seconds(749)), Err(InvalidJwt::Expired));
}

#[test]
fn a_clock_may_be_a_minute_behind_and_no_more() {
    let token = key().sign(&claims()).unwrap();
    assert_eq!(key().verify(&token, now() - TimeDelta::seconds(60)), Ok(claims()));
    assert_eq!(key().verify(&token, now() - TimeDelta::seconds(61)), Err(InvalidJwt::NotYetValid));
}

/// The example of RFC 4231 §4.2: our HMAC is everybody's.
#[test]
fn the_signature_is_hmac_sha_256() {
    let mut secret = [0; 64];
    secret[..20].fill(0x0b);
    let mac = SigningKey::new(KEY, secret).mac("Hi There").finalize().into_bytes();
    let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
    assert_eq!(crate::tokens::hex(&mac), expected);
}

#[test]
fn another_algorithm_is_refused_even_if_the_signature_is_right() {
    let claims = serde_json::to_string(&claims()).unwrap();
    for alg in ["none", "None", "hs256", "HS512", "RS256", ""] {
        assert_eq!(key().verify(&signed(&header(alg), &claims), now()), Err(InvalidJwt::Algorithm), "{alg}");
    }
    assert!(key().verify(&signed(&header("HS256"), &claims), now()).is_ok());
    let token = signed(&header("none"), &claims);
    let unsigned = &token[..=token.rfind('.').unwrap()];
    assert_eq!(key().verify(unsigned, now()), Err(InvalidJwt::Algorithm));
}

#[test]
fn another_key_is_refused_by_its_name_and_by_its_signature() {
    let token = key().sign(&claims()).unwrap();
    assert_eq!(SigningKey::new(Uuid::from_u128(9), [7; 64]).verify(&token, now()), Err(InvalidJwt::Key));
    assert_eq!(SigningKey::new(KEY, [8; 64]).verify(&token, now()), Err(InvalidJwt::Signature));
    let nameless = signed(r#"{"alg":"HS256"}"#, &serde_json::to_string(&claims()).unwrap());
    assert_eq!(key().verify(&nameless, now()), Err(InvalidJwt::Key));
}

#[test]
fn whatever_is_changed_breaks_the_signature() {
    let token = key().sign(&claims()).unwrap();
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let more = Claims { scope: vec![Scope::All], exp: i64::MAX, ..claims() };
    let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&more).unwrap());
    assert_eq!(key().verify(&format!("{header}.{payload}.{signature}"), now()), Err(InvalidJwt::Signature));
    for cut in ["", &signature[..20]] {
        assert_eq!(key().verify(&format!("{head}.{cut}"), now()), Err(InvalidJwt::Signature), "{cut}");
    }
}

#[test]
fn garbage_is_malformed() {
    let token = key().sign(&claims()).unwrap();
    for garbage in ["", ".", "..", "a.b.c", "\u{0}.é.%", &format!("{token}=")] {
        assert_eq!(key().verify(garbage, now()), Err(InvalidJwt::Malformed), "{garbage}");
    }
    for claims in ["{}", "[]", "null", r#"{"exp":"never"}"#] {
        assert_eq!(key().verify(&signed(&header("HS256"), claims), now()), Err(InvalidJwt::Malformed), "{claims}");
    }
}
