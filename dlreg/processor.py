"""What the machine says of its processor, and how much of it this process may use."""

import math
import os
from contextlib import suppress
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def read_cpuinfo() -> list[str]:
    """The lines of `/proc/cpuinfo`; none where there is no such file."""
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []


def usable_cores() -> int:
    """How many cores this process may use: those it may run on, or as many as its container may take."""
    # Only Linux knows of them.
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min(affinity, _container_cores())))


def _container_cores() -> float:
    """How many cores the processes of a container may keep busy; infinite where nothing limits them."""
    # The two versions of the interface: https://docs.kernel.org/admin-guide/cgroup-v2.html
    for names in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):
        with suppress(OSError, ValueError):
            texts = [(_CGROUP / name).read_text() for name in names]
            quota, period = map(float, " ".join(texts).split())
            if quota > 0 and period > 0:
                return quota / period
    return math.inf
