"""How much memory this process may still take."""

from pathlib import Path


def available_bytes() -> int:
    """Bytes that this process may still take."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 1 << 62
