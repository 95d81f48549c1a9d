//! The table of volumes.

use crate::admin::wire::Replica;
use crate::admin::wire::Volume;
use crate::cli::human;

/// One line for each volume.
pub fn table(volumes: &[Volume]) -> String {
    let row = |volume: &Volume| {
        let Volume { id, path, state, health, capacity_bytes, available_bytes, .. } = volume;
        let free = available_bytes.map_or_else(|| "-".to_owned(), human::size);
        let health = if volume.replaced_elsewhere { format!("{health}, given up") } else { health.clone() };
        vec![
            super::short(id).to_owned(),
            path.clone(),
            human::size(*capacity_bytes),
            free,
            state.clone(),
            health,
            volume.metadata.as_ref().map_or_else(|| "-".to_owned(), replica),
        ]
    };
    let rows: Vec<_> = volumes.iter().map(row).collect();
    human::table(&["ID", "PATH", "SIZE", "FREE", "STATE", "HEALTH", "METADATA"], &rows)
}

fn replica(replica: &Replica) -> String {
    let share = || {
        let (done, total) = (replica.done_bytes?, replica.total_bytes.filter(|total| *total > 0)?);
        Some(format!(" {} %", done.min(total) * 100 / total))
    };
    let more = match replica.behind {
        Some(behind) => format!(" {behind} behind"),
        None => share().unwrap_or_default(),
    };
    format!("{}{more}", replica.role)
}
