//! Traces: what a seed stands for.

use crate::rig::Dice;
use crate::rig::client::BUCKETS;
use crate::rig::client::Content;
use crate::rig::client::KEYS;
use crate::rig::client::Place;
use crate::rig::client::Request;
use crate::rig::model::Condition;
use crate::rig::model::Query;
use crate::rig::world::Shape;
use crate::rig::world::Step;

const SMALL: [usize; 6] = [0, 1, 100, 700, 1500, 4096];
/// Just above the inline limit, around one block, and up to several buffers.
const LARGE: [usize; 8] = [4097, 5000, 6000, 9000, 20_000, 65_536, 65_537, 131_073];
const HUGE: [usize; 2] = [524_288, 600_000];

/// The steps of a seed. Every second life has faults; in the others all copies must be there all the time.
pub fn steps(seed: u64, count: usize, shape: Shape) -> Vec<Step> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let faults = shape.volumes > 1 && dice.below(4) > 0;
    let mut steps: Vec<Step> = (1..count).map(|_| step(&mut dice, faults)).collect();
    // Waiting for a volume takes seconds that nothing can shorten: one life in eight has a volume that hangs, once.
    if shape.volumes > 1 && seed % 8 == 7 && !steps.is_empty() {
        let at = dice.below(steps.len() as u64) as usize;
        steps[at] = Step::Hang(dice.below(16) as usize);
    }
    steps.push(Step::Settle);
    steps
}

fn step(dice: &mut Dice, faults: bool) -> Step {
    let step = match dice.below(10_000) {
        0..300 => Step::Reclaim,
        300..320 => Step::Sweep,
        320..330 => Step::Repair,
        330..345 => Step::Restart(dice.below(8) == 0),
        345..360 => Step::Cut(dice.next()),
        360..375 => Step::Settle,
        375..435 => Step::CutWithin(dice.below(30) as usize + 1, written(dice), dice.next()),
        435..465 => Step::Break(dice.below(16) as usize),
        465..475 => Step::Lose(dice.below(16) as usize),
        475..535 => Step::Rot(dice.next()),
        535..600 => Step::Mend,
        600..606 => Step::LoseMeta(dice.below(3) as usize),
        _ => Step::Ask(request(dice)),
    };
    let is_fault = matches!(step, Step::CutWithin(..) | Step::Break(_) | Step::Lose(_) | Step::Rot(_));
    if is_fault && !faults { Step::Ask(request(dice)) } else { step }
}

fn place(dice: &mut Dice) -> Place {
    // Most requests meet in one bucket.
    let bucket = if dice.below(4) == 0 { dice.below(BUCKETS.len() as u64) } else { 0 };
    (bucket as usize, dice.below(KEYS.len() as u64) as usize)
}

fn content(dice: &mut Dice, large_of_16: u64) -> Content {
    let length = match dice.below(16) {
        chance if chance >= large_of_16 => dice.one_of(&SMALL),
        0 if dice.below(8) == 0 => dice.one_of(&HUGE),
        _ => dice.one_of(&LARGE),
    };
    (dice.next(), length)
}

/// A request that writes files.
fn written(dice: &mut Dice) -> Request {
    match dice.below(8) {
        0..5 => Request::Put(place(dice), content(dice, 16), Condition::Always),
        5..7 => Request::Part(dice.below(3) as usize, dice.below(4) as u16 + 1, content(dice, 16)),
        _ => Request::Get(place(dice), 0, u64::MAX / 2),
    }
}

fn request(dice: &mut Dice) -> Request {
    let upload = dice.below(4) as usize;
    match dice.below(1000) {
        0..300 => {
            let always = Condition::Always;
            let conditions =
                [always, always, always, Condition::IfAbsent, Condition::IfMatch, Condition::IfOther];
            Request::Put(place(dice), content(dice, 3), dice.one_of(&conditions))
        }
        300..400 => Request::Delete(place(dice)),
        400..500 => Request::Copy(place(dice), place(dice)),
        500..600 => Request::Get(place(dice), 0, u64::MAX / 2),
        600..700 => Request::Get(place(dice), dice.below(150_000), dice.below(150_000)),
        700..780 => Request::List(dice.below(2) as usize, query(dice)),
        780..790 => Request::Uploads(dice.below(2) as usize),
        790..830 => Request::Begin(place(dice)),
        830..920 => Request::Part(upload, dice.below(4) as u16 * 2000 + 1, content(dice, 8)),
        920..955 => Request::Complete(upload),
        955..970 => Request::Abort(upload),
        970..985 => Request::CreateBucket(dice.below(2) as usize),
        _ => Request::DeleteBucket(dice.below(2) as usize),
    }
}

fn query(dice: &mut Dice) -> Query {
    let key = KEYS[dice.below(KEYS.len() as u64) as usize];
    Query {
        prefix: dice.one_of(&["", "", "a", "a/", "ü"]).to_owned(),
        delimiter: dice.one_of(&[None, Some("/"), Some("b")]).map(str::to_owned),
        after: dice.one_of(&[None, Some(key)]).map(str::to_owned),
        limit: dice.one_of(&[1, 2, 1000]),
    }
}
