use chrono::DateTime;

use super::*;

const ANN: Uuid = Uuid::from_u128(1);
const BEN: Uuid = Uuid::from_u128(2);
const EVE: Uuid = Uuid::from_u128(5);
const LEAVER: Uuid = Uuid::from_u128(9);
const AT: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// A token that stands for a person.
fn person(identity: Uuid) -> Party {
    Party { actor_id: format!("token of {identity}"), name: "somebody".to_owned(), identity_id: Some(identity) }
}

/// A token that stands for nobody.
fn token(name: &str) -> Party {
    Party { actor_id: format!("id of {name}"), name: name.to_owned(), identity_id: None }
}

fn voter(party: Party) -> Voter {
    Voter { party, is_administrator: false, responder: None, departed: Vec::new() }
}

fn administrator() -> Voter {
    Voter { is_administrator: true, ..voter(token("admin")) }
}

fn hr() -> Party {
    token("HR")
}

/// What the voter's yes amounts to when HR asked for something about a leaver.
fn says_yes(ballot: &Ballot, voter: &Voter) -> Result<Vec<Option<Uuid>>, Refusal> {
    let given = (Answer::Approved, AT, None);
    let responses = ballot.answers(voter, &hr(), Some(LEAVER), given)?;
    Ok(responses.into_iter().map(|response| response.responder).collect())
}

fn cast(ballot: &mut Ballot, voter: &Voter, answer: Answer) {
    let responses = ballot.answers(voter, &hr(), Some(LEAVER), (answer, AT, None)).unwrap();
    ballot.responses.extend(responses);
}

fn conflict<T>(text: &str) -> Result<T, Refusal> {
    Err(Refusal::Conflict(text.to_owned()))
}

// Who may answer

#[test]
fn a_responder_answers_for_himself() {
    let ballot = Ballot::of(vec![ANN, BEN]);
    assert_eq!(says_yes(&ballot, &voter(person(ANN))), Ok(vec![Some(ANN)]));
    let named = Voter { responder: Some(ANN), ..voter(person(ANN)) };
    assert_eq!(says_yes(&ballot, &named), Ok(vec![Some(ANN)]));
}

#[test]
fn an_answer_says_who_gave_it_for_whom_and_why() {
    let ballot = Ballot::of(vec![ANN]);
    let given = (Answer::Rejected, AT, Some("too early"));
    let responses = ballot.answers(&administrator(), &hr(), Some(LEAVER), given).unwrap();
    let expected = Response {
        responder: Some(ANN),
        by: token("admin"),
        answer: Answer::Rejected,
        at: AT,
        comment: Some("too early".to_owned()),
    };
    assert_eq!(responses, [expected]);
}

#[test]
fn whoever_is_no_responder_does_not_answer() {
    let ballot = Ballot::of(vec![ANN, BEN]);
    for stranger in [person(EVE), token("script")] {
        let message = format!("{} is no responder of this step, and no administrator", stranger.name);
        assert_eq!(says_yes(&ballot, &voter(stranger)), conflict(&message));
    }
}

#[test]
fn a_responder_does_not_answer_for_another() {
    let wanted = Voter { responder: Some(BEN), ..voter(person(ANN)) };
    let message = format!("Only identity {BEN} or an administrator answers for it");
    assert_eq!(says_yes(&Ballot::of(vec![ANN, BEN]), &wanted), conflict(&message));
}

#[test]
fn an_administrator_answers_for_the_responder_he_names_or_for_all_who_are_waited_for() {
    let mut ballot = Ballot::of(vec![ANN, BEN, EVE]);
    let for_ben = Voter { responder: Some(BEN), ..administrator() };
    assert_eq!(says_yes(&ballot, &for_ben), Ok(vec![Some(BEN)]));
    cast(&mut ballot, &for_ben, Answer::Approved);
    assert_eq!(says_yes(&ballot, &administrator()), Ok(vec![Some(ANN), Some(EVE)]));
}

#[test]
fn an_administrator_who_is_a_responder_answers_for_himself_unless_he_names_another() {
    let ballot = Ballot::of(vec![ANN, BEN]);
    let ann = Voter { is_administrator: true, ..voter(person(ANN)) };
    assert_eq!(says_yes(&ballot, &ann), Ok(vec![Some(ANN)]));
    assert_eq!(says_yes(&ballot, &Voter { responder: Some(BEN), ..ann }), Ok(vec![Some(BEN)]));
}

#[test]
fn a_responder_who_is_named_must_be_one_of_the_step() {
    let named = Voter { responder: Some(EVE), ..administrator() };
    let refusal = Err(Refusal::field("responderId", format!("Identity {EVE} is no responder of this step")));
    assert_eq!(says_yes(&Ballot::of(vec![ANN]), &named), refusal);
    assert_eq!(says_yes(&Ballot::default(), &named), refusal, "a step without responders has none of that name");
}

#[test]
fn where_nobody_in_particular_must_answer_anybody_may_once() {
    let mut ballot = Ballot::default();
    assert_eq!(ballot.outcome(&[]), Outcome::Open, "somebody must");
    assert_eq!(says_yes(&ballot, &voter(token("script"))), Ok(vec![None]));
    cast(&mut ballot, &voter(person(EVE)), Answer::Approved);
    assert_eq!(ballot.outcome(&[]), Outcome::Approved);
    assert_eq!(says_yes(&ballot, &voter(token("script"))), conflict("The step is answered already"));
}

// Nobody answers their own request

#[test]
fn nobody_answers_what_the_same_token_or_person_reported() {
    let message = "Nobody answers their own request: it was reported by the same token or person";
    let same_token = Party { identity_id: Some(ANN), ..hr() };
    for ballot in [Ballot::default(), Ballot::of(vec![ANN])] {
        for administrator in [false, true] {
            let voter = Voter { is_administrator: administrator, ..voter(same_token.clone()) };
            assert_eq!(says_yes(&ballot, &voter), conflict(message));
        }
        // Another token of the person who reported it.
        let reporter = Party { actor_id: "laptop".to_owned(), ..person(ANN) };
        let answers = ballot.answers(&voter(person(ANN)), &reporter, Some(LEAVER), (Answer::Approved, AT, None));
        assert_eq!(answers, conflict(message));
    }
}

#[test]
fn two_tokens_that_stand_for_nobody_are_not_the_same_person() {
    assert!(!token("HR").is(&token("script")));
    assert!(token("HR").is(&token("HR")));
    assert!(person(ANN).is(&Party { actor_id: "laptop".to_owned(), ..person(ANN) }));
}

#[test]
fn nobody_answers_a_request_about_themselves() {
    let message = format!("Nobody answers a request about themselves: it concerns identity {LEAVER}");
    let himself = Voter { is_administrator: true, ..voter(person(LEAVER)) };
    for ballot in [Ballot::default(), Ballot::of(vec![ANN])] {
        assert_eq!(says_yes(&ballot, &himself), conflict(&message));
    }
    // Nor does an administrator in their name.
    let for_himself = Voter { responder: Some(LEAVER), ..administrator() };
    assert_eq!(says_yes(&Ballot::of(vec![LEAVER]), &for_himself), conflict(&message));
}

#[test]
fn no_administrator_answers_in_the_name_of_the_reporter() {
    let for_ann = Voter { responder: Some(ANN), ..administrator() };
    let answers = Ballot::of(vec![ANN]).answers(&for_ann, &person(ANN), Some(LEAVER), (Answer::Approved, AT, None));
    assert_eq!(answers, conflict(&format!("Nobody answers their own request: identity {ANN} reported it")));
}

// When it is decided

#[test]
fn all_responders_must_answer() {
    let mut ballot = Ballot::of(vec![ANN, BEN]);
    assert_eq!(ballot.outcome(&[]), Outcome::Open);
    cast(&mut ballot, &voter(person(ANN)), Answer::Approved);
    assert_eq!(ballot.outcome(&[]), Outcome::Open);
    cast(&mut ballot, &voter(person(BEN)), Answer::Approved);
    assert_eq!(ballot.outcome(&[]), Outcome::Approved);
}

#[test]
fn one_no_rejects_once_all_have_answered() {
    let mut ballot = Ballot::of(vec![ANN, BEN]);
    cast(&mut ballot, &voter(person(ANN)), Answer::Rejected);
    assert_eq!(ballot.outcome(&[]), Outcome::Open, "Ann may still change her mind");
    cast(&mut ballot, &voter(person(BEN)), Answer::Approved);
    assert_eq!(ballot.outcome(&[]), Outcome::Rejected);
}

#[test]
fn nobody_waits_for_a_responder_who_has_left() {
    let mut ballot = Ballot::of(vec![ANN, BEN]);
    cast(&mut ballot, &voter(person(ANN)), Answer::Approved);
    assert_eq!(ballot.outcome(&[BEN]), Outcome::Approved);
    let for_ben = Voter { responder: Some(BEN), departed: vec![BEN], ..administrator() };
    assert_eq!(says_yes(&ballot, &for_ben), conflict(&format!("Responder {BEN} has left; nobody waits for them")));
}

#[test]
fn what_somebody_said_before_leaving_counts() {
    let mut ballot = Ballot::of(vec![ANN, BEN]);
    cast(&mut ballot, &voter(person(BEN)), Answer::Rejected);
    cast(&mut ballot, &voter(person(ANN)), Answer::Approved);
    assert_eq!(ballot.outcome(&[BEN]), Outcome::Rejected);
}

#[test]
fn when_all_responders_have_left_an_administrator_speaks_for_the_step() {
    let mut ballot = Ballot::of(vec![ANN, BEN]);
    let departed = vec![ANN, BEN];
    assert_eq!(ballot.outcome(&departed), Outcome::Open, "that they left is no yes");
    let administrator = Voter { departed: departed.clone(), ..administrator() };
    cast(&mut ballot, &administrator, Answer::Approved);
    assert_eq!(ballot.responses[0].responder, None);
    assert_eq!(ballot.outcome(&departed), Outcome::Approved);
    let stranger = Voter { departed, ..voter(person(EVE)) };
    assert_eq!(says_yes(&ballot, &stranger), conflict("somebody is no responder of this step, and no administrator"));
}

#[test]
fn an_administrator_settles_what_is_left_open_by_those_who_left_later() {
    let mut ballot = Ballot::of(vec![ANN, BEN]);
    cast(&mut ballot, &voter(person(ANN)), Answer::Approved);
    let administrator = Voter { departed: vec![BEN], ..administrator() };
    assert_eq!(says_yes(&ballot, &administrator), Ok(vec![None]));
}

// Taking it back

#[test]
fn an_answer_is_given_once_and_can_be_taken_back() {
    let mut ballot = Ballot::of(vec![ANN, BEN]);
    let ann = voter(person(ANN));
    cast(&mut ballot, &ann, Answer::Rejected);
    let message = format!("Identity {ANN} has answered; reset the answer to change it");
    assert_eq!(says_yes(&ballot, &ann), conflict(&message));
    assert_eq!(ballot.resets(&ann), Ok(vec![Some(ANN)]));
    ballot.reset(Some(ANN));
    assert_eq!(ballot, Ballot::of(vec![ANN, BEN]));
    assert_eq!(says_yes(&ballot, &ann), Ok(vec![Some(ANN)]));
}

#[test]
fn only_who_gave_an_answer_or_an_administrator_takes_it_back() {
    let mut ballot = Ballot::of(vec![ANN, BEN]);
    let nothing = conflict("There is no answer of yours to take back");
    assert_eq!(ballot.resets(&administrator()), nothing);
    cast(&mut ballot, &voter(person(ANN)), Answer::Approved);
    assert_eq!(ballot.resets(&voter(person(BEN))), nothing);
    assert_eq!(ballot.resets(&Voter { responder: Some(ANN), ..voter(person(BEN)) }), nothing);
    assert_eq!(ballot.resets(&administrator()), Ok(vec![Some(ANN)]));
    cast(&mut ballot, &voter(person(BEN)), Answer::Approved);
    assert_eq!(ballot.resets(&administrator()), Ok(vec![Some(ANN), Some(BEN)]));
    assert_eq!(ballot.resets(&Voter { responder: Some(BEN), ..administrator() }), Ok(vec![Some(BEN)]));
}

#[test]
fn a_responder_takes_back_what_was_answered_in_his_name() {
    let mut ballot = Ballot::of(vec![ANN, BEN]);
    cast(&mut ballot, &administrator(), Answer::Approved);
    assert_eq!(ballot.resets(&voter(person(ANN))), Ok(vec![Some(ANN)]));
}
