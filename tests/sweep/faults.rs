//! The first, the second, the third, … operation of the disks fails, until the work ends without having met the fault;
//! once or from then on, on one volume or on all, with an error or for want of room.
//!
//! What is held: what one volume does must not fail a request while a quorum is left; what fails says why; nothing is
//! lost and no wrong byte served; and with healthy disks the same work succeeds and leaves no file behind.

use std::path::Path;
use std::sync::Arc;

use crate::ALONE;
use crate::block_on;
use crate::for_each;
use crate::is_long;
use crate::rig::client::Request;
use crate::rig::failure::Kind;
use crate::rig::model::Condition;
use crate::rig::open_volumes;
use crate::rig::world::Shape;
use crate::rig::world::Step;
use crate::rig::world::World;
use holdall::sys::disk::Disk;
use holdall::sys::disk::Lasts;
use holdall::sys::disk::SimDisk;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

const FAULTS: [(i32, Lasts); 6] = [
    (EIO, Lasts::Once),
    (EIO, Lasts::There),
    (EIO, Lasts::Everywhere),
    (ENOSPC, Lasts::Once),
    (ENOSPC, Lasts::There),
    (ENOSPC, Lasts::Everywhere),
];

/// In the short form, every place up to here, and every so many behind it: there, directory after directory is listed.
const PLACES: usize = 60;
const STRIDE: usize = 83;

/// More operations than any workload has: behind this many it does not end.
const OPERATIONS_MAX: usize = 2000;

struct Workload {
    name: &'static str,
    volumes: u8,
    /// Done on healthy disks.
    before: Vec<Step>,
    /// Done on failing ones, and once more on healthy ones.
    work: Vec<Step>,
}

fn workload(name: &'static str, volumes: u8, before: &[Step], work: &[Step]) -> Workload {
    Workload { name, volumes, before: before.to_vec(), work: work.to_vec() }
}

fn put(key: usize, length: usize) -> Step {
    Step::Ask(Request::Put((0, key), (key as u64 + 1, length), Condition::Always))
}

fn get(key: usize) -> Step {
    Step::Ask(Request::Get((0, key), 0, u64::MAX / 2))
}

fn workloads() -> Vec<Workload> {
    let delete = |key| Step::Ask(Request::Delete((0, key)));
    let copy = |from, to| Step::Ask(Request::Copy((0, from), (0, to)));
    let (begin, complete) = (Step::Ask(Request::Begin((0, 5))), Step::Ask(Request::Complete(0)));
    let abort = Step::Ask(Request::Abort(0));
    let part = |number, length| Step::Ask(Request::Part(0, number, (number.into(), length)));
    let upload = [begin, part(1, 5000), part(2, 70_000)];
    let completed = [&upload[..], &[complete]].concat();
    let aborted = [&upload[..], &[abort, Step::Reclaim]].concat();
    vec![
        workload("put small", 3, &[], &[put(0, 700)]),
        workload("put large, 1 volume", 1, &[], &[put(0, 70_000)]),
        workload("put large, 3 volumes", 3, &[], &[put(0, 70_000)]),
        workload("put in several buffers", 3, &[], &[put(0, 1_200_000)]),
        workload("overwrite", 3, &[put(0, 9000)], &[put(0, 5000), Step::Reclaim]),
        workload("delete and reclaim", 3, &[put(0, 9000)], &[delete(0), Step::Reclaim]),
        workload("multipart, completed", 3, &[], &completed),
        workload("multipart, aborted", 3, &[], &aborted),
        workload("copy", 3, &[put(0, 9000)], &[copy(0, 1), put(0, 6000), get(1), Step::Reclaim]),
        workload("read", 1, &[put(0, 600_000)], &[get(0)]),
        workload("read past a bad copy", 3, &[put(0, 70_000), Step::Rot(3)], &[get(0)]),
        workload("read past two bad copies", 3, &[put(0, 70_000), Step::Rot(1), Step::Rot(5)], &[get(0)]),
        workload(
            "sweep",
            3,
            &[put(0, 9000), Step::Cut(3), Step::CutWithin(16, written(), 3)],
            &[Step::Sweep],
        ),
        workload("repair", 3, &[put(0, 70_000), Step::Damage((0, 0))], &[Step::Repair]),
        workload("put, read, put", 3, &[put(0, 9000)], &[get(0), put(1, 5000), get(1)]),
    ]
}

/// A request that leaves orphans when it is cut off late.
fn written() -> Request {
    Request::Put((0, 2), (7, 9000), Condition::Always)
}

/// One workload with one kind of fault in every place; how many places there were.
async fn fail_everywhere(workload: &Workload, errno: i32, lasts: Lasts) -> usize {
    let shape = Shape { volumes: workload.volumes, replicas: usize::from(workload.volumes), metas: 1 };
    let mut world = World::new(shape, 1).await;
    world.is_hasty = true;
    let mut number = 0;
    while number < OPERATIONS_MAX {
        number += if number < PLACES || is_long() { 1 } else { STRIDE };
        world.clear_quarantine();
        let context = |why: &str| panic!("{}, {errno} {lasts:?} at {number}: {why}", workload.name);
        for step in &workload.before {
            world.walk(step).await.unwrap_or_else(|why| context(&why));
        }
        world.disk.inject(number, errno, lasts);
        // What one of three volumes does costs nobody anything.
        let is_covered = workload.volumes > 1 && lasts != Lasts::Everywhere;
        for step in &workload.work {
            match world.attempt(step).await {
                Ok(verdict) => verdict.unwrap_or_else(|why| context(&why)),
                Err(failure) => {
                    let fits = match (step, errno) {
                        _ if is_covered && matches!(step, Step::Ask(_)) => false,
                        (Step::Ask(Request::Get(..)), EIO) => {
                            matches!(failure.kind, Kind::Unavailable | Kind::Damaged)
                        }
                        (_, ENOSPC) => failure.kind == Kind::NoSpace,
                        _ => failure.kind == Kind::Unavailable,
                    };
                    if !fits {
                        context(&format!("{step:?} failed with {failure}"));
                    }
                }
            }
        }
        let happened = world.disk.take_fault();
        world.degraded();
        world.restart(false, &mut |_| 1).await.unwrap_or_else(|why| context(&why));
        for step in &workload.work {
            world.walk(step).await.unwrap_or_else(|why| context(&format!("afterwards, {step:?}: {why}")));
        }
        world.walk(&Step::Settle).await.unwrap_or_else(|why| context(&why));
        if !happened {
            return number;
        }
    }
    panic!("{} does not end", workload.name);
}

#[test]
fn no_failing_operation_costs_more_than_its_own_request() {
    let _beside_others = ALONE.read();
    let workloads = workloads();
    let cases: Vec<(&Workload, i32, Lasts)> =
        workloads.iter().flat_map(|workload| FAULTS.map(|(errno, lasts)| (workload, errno, lasts))).collect();
    let places = for_each(&cases, |(workload, errno, lasts)| {
        let places = block_on(fail_everywhere(workload, *errno, *lasts));
        println!("{:28} {errno:2} {lasts:?}: {places} places", workload.name);
        places
    });
    println!("{places} faults in {} workloads, 0 lost, 0 wrong bytes", workloads.len());
}

/// Formatting that failed in any place can be done again; opening fails or opens, and never makes another volume.
#[test]
fn formatting_and_opening_end_whole_or_can_be_repeated() {
    for (errno, lasts) in FAULTS {
        for number in 1.. {
            let sim = SimDisk::default();
            let disk: Arc<dyn Disk> = Arc::new(sim.clone());
            sim.inject(number, errno, lasts);
            let formatted = open_volumes(&disk, Path::new("/"), 1);
            let happened = sim.take_fault();
            assert!(formatted.is_ok() || happened);
            sim.crash();
            let again = open_volumes(&disk, Path::new("/"), 1).unwrap();
            let id = again[0].id();
            sim.inject(number, errno, lasts);
            let opened = holdall::volume::Volume::open(disk.clone(), Path::new("/disk0"));
            assert!(opened.is_ok_and(|volume| volume.id() == id) || sim.has_failed());
            sim.mend();
            assert!(holdall::volume::Volume::open(disk, Path::new("/disk0")).is_ok());
            if !happened {
                break;
            }
        }
    }
}
