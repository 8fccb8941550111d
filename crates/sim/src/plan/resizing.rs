//! Changes of the number of shards: put into the plans of clients, between any two of their commands.
//!
//! Lots are drawn apart from those of the plans themselves, as those of moves are.

use super::client::{ClientPlan, Finish, SessionPlan};
use super::moving::says;
use super::requests::Request;

/// The most resizes that clients ask for in one run. Those that meet another are refused.
const RESIZES: usize = 6;

/// A place in a connection's plan.
#[derive(Clone, Copy)]
struct Place {
    client: usize,
    session: usize,
    index: usize,
}

/// Puts resizes into the plans of `clients`.
pub(super) fn add(rng: &mut fastrand::Rng, clients: &mut [ClientPlan]) {
    let mut places = Vec::new();
    for (client, plan) in clients.iter().enumerate() {
        for (session, plan) in plan.sessions.iter().enumerate() {
            places.extend(free(plan).map(|index| Place {
                client,
                session,
                index,
            }));
        }
    }
    rng.shuffle(&mut places);
    places.truncate(rng.usize(1..=RESIZES));
    // From the back, so that the places before stay what they are.
    places.sort_by_key(|place| std::cmp::Reverse(place.index));
    for place in places {
        let session = &mut clients[place.client].sessions[place.session];
        session
            .requests
            .insert(place.index, Request::resize(rng.u16(..)));
        if let Finish::Vanish { after, .. } = &mut session.finish
            && place.index <= *after
        {
            *after += 1;
        }
    }
}

/// Where a command can stand whose reply is wanted.
fn free(plan: &SessionPlan) -> impl Iterator<Item = usize> {
    let mut quiet = false;
    let mut skips = false;
    let mut free = Vec::new();
    for (index, request) in plan.requests.iter().enumerate() {
        if !quiet && !skips {
            free.push(index);
        }
        quiet = (quiet || says(request, "CLIENT REPLY OFF")) && !says(request, "CLIENT REPLY ON");
        skips = says(request, "CLIENT REPLY SKIP");
    }
    free.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Words;
    use corelane_wire::Value;

    #[test]
    fn a_resize_stands_where_its_reply_is_wanted() {
        let request = |text: &str| Request::fixed(text, Value::Null);
        let texts = [
            "PING",
            "CLIENT REPLY SKIP",
            "PING",
            "CLIENT REPLY OFF",
            "PING",
            "CLIENT REPLY ON",
            "QUIT",
        ];
        let requests: Vec<Request> = texts.iter().copied().map(request).collect();
        let mut met = std::collections::BTreeSet::new();
        for seed in 0..100 {
            let vanish = Finish::Vanish {
                after: 3,
                abort: false,
            };
            let sessions = vec![SessionPlan::plain(requests.clone(), vanish)];
            let mut clients = [ClientPlan { sessions }];
            add(&mut fastrand::Rng::with_seed(seed), &mut clients);
            let plan = &clients[0].sessions[0];
            let is_resize = |request: &Request| matches!(request.words, Words::Resize { .. });
            let others: Vec<String> = plan
                .requests
                .iter()
                .filter(|request| !is_resize(request))
                .map(Request::to_string)
                .collect();
            assert_eq!(others.len(), texts.len());
            for (index, request) in plan.requests.iter().enumerate() {
                if is_resize(request) {
                    let before = plan.requests[..index].iter().filter(|one| !is_resize(one));
                    met.insert(before.count());
                }
            }
            let Finish::Vanish { after, .. } = plan.finish else {
                unreachable!("it stays as it was");
            };
            let ahead = plan.requests[..after].iter().filter(|one| !is_resize(one));
            assert!((2..=3).contains(&ahead.count()), "about where it was");
        }
        // Neither what `SKIP` skips nor anything between `OFF` and `ON`; and nothing behind `QUIT`.
        assert_eq!(met.into_iter().collect::<Vec<_>>(), [0, 1, 3, 6]);
    }
}
