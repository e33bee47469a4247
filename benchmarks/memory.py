"""How much memory this process takes, as far as the system tells."""

import sys
from pathlib import Path

STATUS = Path("/proc/self/status")


def status_megabytes(field: str) -> float | None:
    """A line of Linux's /proc/self/status, such as RssAnon or VmHWM, in MB; None on other systems."""
    lines = STATUS.read_text(encoding="utf-8").splitlines() if STATUS.exists() else []
    kibibytes = (int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
    return next((round(number * 1024 / 1e6, 1) for number in kibibytes), None)


def peak_megabytes() -> float | None:
    """The most memory that this process has had resident so far, in MB; None where the system does not tell.

    On Linux from VmHWM: getrusage's figure would begin with the memory of whoever started this process.
    """
    if (peak := status_megabytes("VmHWM")) is not None:
        return peak
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)
