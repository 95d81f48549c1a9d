//! Traces of up to three steps, and the power going at every operation of the disks in them; of what was not synced,
//! nothing, everything or any part is kept. After the next start, what was acknowledged is there, nothing that was
//! deleted has come back, listings and reads agree, and when the jobs have run no file is left that nobody names.

use crate::ALONE;
use crate::block_on;
use crate::for_each;
use crate::is_long;
use crate::rig::Dice;
use crate::rig::client::Request;
use crate::rig::model::Condition;
use crate::rig::world::Shape;
use crate::rig::world::Step;
use crate::rig::world::World;
use holdall::sys::disk::Lasts;

const EIO: i32 = 5;

/// Fewer states than this in the short form, and something is not tried any more.
const STATES_MIN: usize = 2000;

const LETTERS: usize = 8;

/// What a trace is made of. The first bucket begins with a large object under key 0, another under key 6 of
/// which a copy is bad and known to be, and an open upload of two parts; the second is empty.
fn letter(number: usize) -> Step {
    Step::Ask(match number {
        0 => Request::Put((1, 3), (1, 5000), Condition::IfAbsent),
        1 => Request::Put((0, 0), (2, 70_000), Condition::Always),
        2 => Request::Delete((0, 0)),
        3 => Request::Complete(0),
        4 => Request::Copy((0, 0), (1, 4)),
        5 => Request::DeleteBucket(1),
        6 => return Step::Reclaim,
        _ => return Step::Repair,
    })
}

/// Brings a world that may hold anything to where traces begin.
fn beginning() -> Vec<Step> {
    let ask = vec![
        Request::CreateBucket(1),
        Request::Delete((1, 3)),
        Request::Delete((1, 4)),
        Request::Delete((0, 5)),
        Request::Put((0, 0), (3, 6000), Condition::Always),
        Request::Abort(0),
        Request::Begin((0, 5)),
        Request::Part(0, 1, (4, 5000)),
        Request::Part(0, 2, (5, 100)),
        Request::Put((0, 6), (6, 5000), Condition::Always),
    ];
    ask.into_iter().map(Step::Ask).chain([Step::Damage((0, 6))]).collect()
}

fn traces(length: usize) -> Vec<Vec<usize>> {
    let number = |number: usize| (0..length).map(|at| number / LETTERS.pow(at as u32) % LETTERS).collect();
    (0..LETTERS.pow(length as u32)).map(number).collect()
}

/// The power goes at operation `at` of the trace; whether it came so far.
async fn cut(world: &mut World, trace: &[usize], at: usize, seed: u64) -> bool {
    for step in beginning() {
        world.walk(&step).await.unwrap();
    }
    world.clear_quarantine();
    let context = |why: &str| panic!("{trace:?} cut at operation {at}, seed {seed}: {why}");
    world.disk.inject(at, EIO, Lasts::Everywhere);
    for number in trace {
        match world.attempt(&letter(*number)).await {
            Ok(verdict) => verdict.unwrap_or_else(|why| context(&why)),
            Err(failure) if !world.disk.has_failed() => context(&failure.text),
            Err(_) => {}
        }
        if world.disk.has_failed() {
            break;
        }
    }
    let reached = world.disk.has_failed();
    world.cut(seed).await.unwrap_or_else(|why| context(&why));
    if reached {
        world.degraded();
    }
    world.walk(&Step::Settle).await.unwrap_or_else(|why| context(&why));
    reached
}

/// Cuts a trace everywhere; the number of states.
fn cut_everywhere(trace: &[usize], keeps: u64) -> usize {
    block_on(async {
        let mut world = World::new(Shape { volumes: 3, replicas: 3, metas: 1 }, 1).await;
        world.is_hasty = true;
        let mut states = 0;
        for keep in 0..keeps {
            for at in 1.. {
                let seed = Dice((at as u64) << 8 | keep << 1 | 1).next();
                if !cut(&mut world, trace, at, seed).await {
                    break;
                }
                states += 1;
            }
        }
        states
    })
}

#[test]
fn no_cut_in_a_short_trace_loses_or_revives_anything() {
    let _beside_others = ALONE.read();
    let mut chosen: Vec<Vec<usize>> = [traces(1), traces(2)].concat();
    let longest = traces(3);
    // In the short form a few, so that each letter is at each place.
    let every = if is_long() { 1 } else { 11 };
    chosen.extend(longest.into_iter().step_by(every));
    let keeps = if is_long() { 4 } else { 1 };
    let states = for_each(&chosen, |trace| cut_everywhere(trace, keeps));
    println!("{states} crash states of {} traces, 0 lost, 0 revived, 0 left over", chosen.len());
    assert!(states >= STATES_MIN, "{states} states");
}

/// The same for the commit, which the simulated disk does not see.
#[cfg(feature = "failpoints")]
#[test]
fn no_commit_that_is_cut_off_leaves_anything() {
    use holdall::sys::failpoint;
    use holdall::sys::failpoint::Action;
    let _alone = ALONE.write();
    let failpoint = "meta::commit::before_write";
    let chosen: Vec<Vec<usize>> = [traces(1), if is_long() { traces(2) } else { Vec::new() }].concat();
    for trace in &chosen {
        block_on(async {
            let mut world = World::new(Shape { volumes: 3, replicas: 3, metas: 1 }, 1).await;
            world.is_hasty = true;
            for step in beginning() {
                world.walk(&step).await.unwrap();
            }
            let (last, before) = trace.split_last().unwrap();
            for number in before {
                world.walk(&letter(*number)).await.unwrap();
            }
            failpoint::set(failpoint, Some(Action::Error));
            let attempted = world.attempt(&letter(*last)).await;
            failpoint::set(failpoint, None);
            if let Ok(verdict) = attempted {
                verdict.unwrap();
            }
            world.restart(true, &mut |_| 0).await.unwrap_or_else(|why| panic!("{trace:?}: {why}"));
            world.degraded();
            world.walk(&Step::Settle).await.unwrap_or_else(|why| panic!("{trace:?}: {why}"));
        });
    }
    println!("{} commits cut off, 0 lost, 0 revived, 0 left over", chosen.len());
}
