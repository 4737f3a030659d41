# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of medians, targets and MISSED; raw rows kept in a file."""

import statistics
import time


def spread(values):
    """"median (min-max)" as people read it."""
    return f"{statistics.median(values):.4g} ({min(values):.4g}-{max(values):.4g})"


class Table:
    """Rows of one benchmark. `missed` becomes true with the first row below its target."""

    def __init__(self, title, raw):
        self.title, self.missed = title, False
        self._rows = []
        raw.mkdir(parents=True, exist_ok=True)
        self._raw = raw / f"{title.split()[0]}.txt"

    def raw(self, **fields):
        """Keeps one measurement, as it came."""
        row = " ".join(f"{key}={value}" for key, value in fields.items())
        with open(self._raw, "a", encoding="utf-8") as out:
            out.write(f"{time.strftime('%F %T')} {row}\n")
        print(f"  {row}", flush=True)

    def at_most(self, what, values, limit, unit, peers=""):
        """A row whose median should be at most `limit`."""
        self._add(what, values, f"at most {limit:g}", statistics.median(values) <= limit, unit, peers)

    def ratio(self, what, ours, theirs, least):
        """A row of paired measurements, more being better; the median of the pairs' ratios counts."""
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        peers = f"{spread(ours)} beside {spread(theirs)}"
        self._add(what, ratios, f"at least {least:g}", statistics.median(ratios) >= least, "", peers)

    def info(self, what, values, unit):
        """A peer's figure: no target."""
        self._add(what, values, "", True, unit, "")

    def _add(self, what, values, target, good, unit, peers):
        self.missed = self.missed or not good
        text = f"{spread(values)} {unit}".strip()
        self._rows.append((what, text, target, peers, "" if good else "MISSED"))

    def text(self):
        rows = [(self.title, "median (min-max)", "target", "in the same run", ""), *self._rows]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows)
        return "\n".join(lines) + "\n"
