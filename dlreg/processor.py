"""What the machine says of its processor."""

from pathlib import Path


def read_cpuinfo() -> list[str]:
    """The lines of `/proc/cpuinfo`; none where there is no such file."""
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
