//! Cutting a trace that fails down to the steps that it takes.

use std::time::Duration;
use std::time::Instant;

use crate::Death;
use crate::Life;
use crate::rig::world::Step;

/// What a person would wait for.
const PATIENCE: Duration = Duration::from_secs(90);

/// The shortest trace found that still fails, in whatever way, and how it does.
pub(super) fn shrink(life: &Life, steps: &[Step], death: &Death) -> (Vec<Step>, String) {
    let (mut trace, mut why) = (steps[..=death.at].to_vec(), death.why.clone());
    let begun = Instant::now();
    let mut width = trace.len().div_ceil(2);
    while width > 0 && begun.elapsed() < PATIENCE {
        let mut from = 0;
        while from < trace.len() && begun.elapsed() < PATIENCE {
            let mut shorter = trace.clone();
            shorter.drain(from..(from + width).min(trace.len()));
            match life.run(&shorter) {
                Err(death) => {
                    shorter.truncate(death.at + 1);
                    (trace, why) = (shorter, death.why);
                }
                Ok(_) => from += width,
            }
        }
        width /= 2;
    }
    (trace, why)
}
