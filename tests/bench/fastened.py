# SPDX-License-Identifier: GPL-2.0-or-later
"""Gates begin as filters, which cost more for each frame, and are fastened by tcx when nothing has changed for a while
(docs/decisions.md, 25). Measurements wait for that.
"""

import platform

from kit import proc, tcx

# Before Linux 6.6 gates stay filters.
HAS_TCX = tuple(map(int, platform.release().split(".")[:2])) >= (6, 6)


def wait(lab, least, timeout=120):
    """Until so many links of the lab's host have a program by tcx."""
    if not HAS_TCX:
        return
    proc.wait_until("gates are fastened",
                    lambda: int(lab.host.run("python3", tcx.__file__, "--count", "ingress").out) >= least, timeout)
