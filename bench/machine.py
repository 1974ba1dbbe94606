# SPDX-License-Identifier: MIT
"""What files of results say of a machine: no more of the system than its version."""

import platform
import re

SYSTEM = f"{platform.system()} {'.'.join(platform.release().split('.')[:2])}"


def processor():
    """Its name, and where the system knows them "family F model M"."""
    try:
        with open("/proc/cpuinfo") as file:
            text = file.read()
    except OSError:
        text = ""
    parts = (re.search(rf"^{key}\s*:\s*(.*)$", text, re.M) for key in ("model name", "cpu family", "model"))
    name, family, model = (part[1].strip() if part else "" for part in parts)
    return name or platform.processor() or platform.machine(), (
        f"family {family} model {model}" if family else ""
    )
