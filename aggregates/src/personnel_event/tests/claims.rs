//! Which events can't be under way at the same time: those that claim the same.

use super::*;
use crate::Stream;

fn clash(one: Vec<Command>, other: Vec<Command>) -> bool {
    let (one, other) = (done(one).0.claims(), done(other).0.claims());
    one.iter().any(|claim| other.contains(claim))
}

#[test]
fn a_leaver_neither_moves_nor_takes_leave_nor_leaves_twice() {
    for kind in [Offboard, RoleTransition, Absence] {
        assert!(clash(vec![request(Offboard, 5, None)], vec![request(kind, 9, None)]), "{kind:?}");
    }
}

#[test]
fn two_moves_clash_and_two_leaves_but_who_is_on_leave_may_move() {
    assert!(clash(vec![request(RoleTransition, 5, None)], vec![request(RoleTransition, 9, None)]));
    assert!(clash(vec![request(Absence, 5, None)], vec![request(Absence, 9, None)]));
    assert!(!clash(vec![request(Absence, 5, None)], vec![request(RoleTransition, 5, None)]));
}

#[test]
fn what_happens_to_somebody_else_never_clashes() {
    let another = Requested { identity_id: Some(EVE), ..requested(Offboard, 5, None) };
    let command = Command::Request { request: another, reporter: hr(), responders: vec![], at: day(0) };
    assert!(!clash(vec![request(Offboard, 5, None)], vec![command]));
}

#[test]
fn nothing_clashes_with_what_has_ended() {
    for ended in [vec![request(Offboard, 5, None), cancel()], and(resolved(), vec![settle(true, true)])] {
        assert_eq!(done(ended).0.claims(), Vec::<String>::new());
    }
    assert_eq!(PersonnelEvent::default().claims(), Vec::<String>::new());
}

#[test]
fn nobody_joins_twice_at_once_by_the_same_address() {
    let twice = Requested {
        identity: IdentityRecord { email: Some("JANE@acme.example".to_owned()), ..Default::default() },
        ..requested(Onboard, 20, None)
    };
    let twice = vec![Command::Request { request: twice, reporter: hr(), responders: vec![], at: day(0) }];
    let asked = vec![request(Onboard, 0, None)];
    assert!(clash(asked.clone(), twice.clone()));
    assert!(clash(and(asked, vec![approve(Stage::Approval)]), twice.clone()), "she is joining still");
    assert!(clash(begun(Onboard, None), twice));
    let nameless = Requested { identity: IdentityRecord::default(), ..requested(Onboard, 0, None) };
    let nameless = vec![Command::Request { request: nameless, reporter: hr(), responders: vec![], at: day(0) }];
    assert!(!clash(nameless.clone(), nameless));
}

#[test]
fn who_joins_has_joined_before_anything_else_happens() {
    let joiner = |kind| {
        let request = Requested { identity_id: Some(JOINER), ..requested(kind, 5, None) };
        vec![Command::Request { request, reporter: hr(), responders: vec![], at: day(0) }]
    };
    let joined = and(begun(Onboard, Some(99)), vec![complete(Stage::Provision)]);
    for kind in [Offboard, RoleTransition, Absence] {
        assert!(clash(begun(Onboard, Some(99)), joiner(kind)), "{kind:?}");
        assert!(!clash(joined.clone(), joiner(kind)), "{kind:?}");
    }
}

#[test]
fn what_is_done_again_claims_nothing_anew() {
    // Somebody who joined may be on leave by now: the claim would be refused, and with it the responder's no.
    let joined = and(begun(Onboard, None), vec![complete(Stage::Provision)]);
    let again = and(joined.clone(), vec![reject(Stage::Verification)]);
    assert_eq!(done(joined).0.claims(), done(again).0.claims());
}
