//! Server settings sized to the machine.

const MB: u64 = 1 << 20;

/// Everything PostgreSQL is started with beside its folders; later ones win over earlier ones.
pub(super) fn for_this_machine() -> Vec<(&'static str, String)> {
    let memory = memory();
    let shared_buffers = shared_buffers(memory);
    let fixed = [
        ("max_connections", "100"),
        ("max_wal_size", "4GB"), // imports write in bursts
        ("checkpoint_timeout", "15min"),
        ("wal_compression", "on"),
        ("random_page_cost", "1.1"), // solid-state disks
        ("jit", "off"),              // our queries are short
    ];
    let sized = [
        ("shared_buffers", format!("{}MB", shared_buffers / MB)),
        ("effective_cache_size", format!("{}MB", (memory / 2).max(shared_buffers) / MB)),
    ];
    fixed.into_iter().map(|(name, value)| (name, value.to_owned())).chain(sized).collect()
}

/// An eighth: beyond that the system's own cache serves as well, and 2 GB hold our working set.
fn shared_buffers(memory: u64) -> u64 {
    (memory / 8).clamp(128 * MB, 2048 * MB)
}

/// Bytes of memory we may use: the machine's, or the container's limit.
fn memory() -> u64 {
    let info = rustix::system::sysinfo();
    let machine = info.totalram.saturating_mul(u64::from(info.mem_unit));
    // "max", or no such file, when there is no limit.
    let limit = std::fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    limit.map_or(machine, |limit: u64| limit.min(machine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_buffers_follow_the_memory_within_bounds() {
        let sizes = [512, 8192, 65536].map(|memory| shared_buffers(memory * MB) / MB);
        assert_eq!(sizes, [128, 1024, 2048]);
        assert!(memory() > 128 * MB);
    }
}
