//! The child: seeded operations in several tasks, each on keys of its own, until a failpoint ends it.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use holdall::meta::Durability;
use holdall::sys::failpoint;
use holdall::sys::failpoint::Action;

use crate::rig::Dice;
use crate::rig::Outcome;
use crate::rig::Rig;
use crate::rig::body;

const TASKS: u64 = 4;
const KEYS: u64 = 4;
const LENGTHS: [usize; 5] = [0, 300, 4096, 50_000, 700_000];

/// Operations of each task, when nothing kills the process before.
const STEPS: u64 = 60;

/// What an object holds: bytes made of a seed, so that only this is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value {
    seed: u64,
    length: usize,
    /// Of a multipart object: the length of a second part.
    second: usize,
}

impl Value {
    pub fn bytes(&self) -> Vec<u8> {
        [body(self.seed, self.length), body(self.seed + 2, self.second)].concat()
    }

    /// Reads what [`Value::write`] wrote; `None` for a deleted object.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<u64> = text.split(' ').map(|number| number.parse().unwrap()).collect();
        match numbers[..] {
            [seed, length, second] => Some(Self { seed, length: length as usize, second: second as usize }),
            _ => None,
        }
    }

    fn write(value: Option<Self>) -> String {
        match value {
            Some(Self { seed, length, second }) => format!("{seed} {length} {second}"),
            None => "0".to_owned(),
        }
    }
}

/// One write to the pipe, so that a death leaves whole lines.
fn say(word: char, text: &str) {
    let line = format!("{word}{text}\n");
    std::io::stdout().write_all(line.as_bytes()).unwrap();
}

static PASSES: AtomicU64 = AtomicU64::new(0);

/// Opens the store, arms the failpoint after `passes` operations, and works.
pub fn run(directory: &Path, failpoint: &str, passes: u64, seed: u64, volumes: u8) {
    let (name, action) = failpoint.split_once('=').unwrap();
    let action = if action == "kill" { Action::Kill } else { Action::Error };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let replicas = usize::from(volumes);
    let rig = runtime.block_on(Rig::open(directory, volumes, replicas, Durability::Strict)).unwrap();
    PASSES.store(passes, Ordering::Relaxed);
    let arm = || {
        if PASSES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            failpoint::set(name, Some(action));
            if action == Action::Error {
                say('R', "");
            }
        }
    };
    runtime.block_on(async {
        let tasks = (0..TASKS).map(|task| work(&rig, task, Dice((seed * TASKS + task) << 8 | 1), &arm));
        let jobs = async {
            let mut dice = Dice(seed << 1 | 1);
            for _ in 0..STEPS {
                if volumes > 1 {
                    let _ = rig.damage(&mut dice).await;
                }
                // A failure here is that of the armed failpoint.
                let _ = rig.tidy_up().await;
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(futures_util::future::join_all(tasks), jobs);
        // The sweep meets its failpoint only with an orphan before it, left by an earlier death.
        failpoint::set(name, Some(action));
        let _ = rig.tidy_up().await;
    });
}

async fn work(rig: &Rig, task: u64, mut dice: Dice, arm: &impl Fn()) {
    for _ in 0..STEPS {
        let key = format!("task{task}/key{}", dice.below(KEYS));
        let value = Value { seed: dice.next() >> 1, length: dice.one_of(&LENGTHS), second: 0 };
        arm();
        let outcome = match dice.below(8) {
            0..=3 => {
                say('B', &format!("{key} {}", Value::write(Some(value))));
                rig.put(&key, &value.bytes()).await
            }
            4 => {
                say('B', &format!("{key} {}", Value::write(None)));
                rig.delete(&key).await.map(drop)
            }
            5 => {
                let copy = format!("task{task}/copy");
                // Made anew first, so that what is copied is known.
                say('B', &format!("{key} {}", Value::write(Some(value))));
                if let Err(error) = rig.put(&key, &value.bytes()).await {
                    settle(&key, Err(error));
                    continue;
                }
                settle(&key, Ok(()));
                say('B', &format!("{copy} {}", Value::write(Some(value))));
                settle(&copy, rig.copy(&key, &copy).await.map(drop));
                continue;
            }
            6 => {
                let value = Value { second: dice.one_of(&LENGTHS), ..value };
                say('B', &format!("{key} {}", Value::write(Some(value))));
                multipart(rig, &key, value, dice.below(4) == 0).await
            }
            _ => {
                let _ = rig.abandon(&value.bytes()).await;
                continue;
            }
        };
        settle(&key, outcome);
    }
}

fn settle(key: &str, outcome: Outcome<()>) {
    match outcome {
        Ok(()) => say('A', key),
        Err(_) => say('E', key),
    }
}

/// Begins an upload beside it that is never ended, now and then.
async fn multipart(rig: &Rig, key: &str, value: Value, leave_one: bool) -> Outcome<()> {
    if leave_one {
        let left = rig.begin(key).await?;
        rig.part(key, &left, 9, &body(value.seed, value.length)).await?;
    }
    let id = rig.begin(key).await?;
    rig.part(key, &id, 1, &body(value.seed, value.length)).await?;
    rig.part(key, &id, 2, &body(value.seed + 2, value.second)).await?;
    match rig.complete(key, &id).await? {
        true => Ok(()),
        false => Err("the upload has gone".into()),
    }
}
