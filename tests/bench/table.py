# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables of medians, targets, PASS and MISSED; raw rows kept in a file."""

import statistics
import time


def figure(value):
    """Four digits, and none of a thousand left out."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


def spread(values):
    """"median (min-max)" as people read it."""
    return f"{figure(statistics.median(values))} ({figure(min(values))}-{figure(max(values))})"


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

    def at_most(self, what, values, limit, unit, note=""):
        """A row whose median should be at most `limit`."""
        good = statistics.median(values) <= limit
        self.judged(what, f"{spread(values)} {unit}", f"at most {limit:g}", good, note)

    def ratio(self, what, ours, theirs, *, least=None, most=None):
        """A row of measurements taken in pairs: the median of the pairs' ratios, and what these span. A machine that
        is faster for a while is it for both of a pair; the ratio of two medians would compare one while with another.

        least, most: the target. Without either it is a peer's row.
        """
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        value = statistics.median(ratios)
        text = f"{value:.3f} ({min(ratios):.3f}-{max(ratios):.3f})"
        beside = f"{spread(ours)} beside {spread(theirs)}"
        if least is not None:
            self.judged(what, text, f"at least {least:g}", value >= least, beside)
        elif most is not None:
            self.judged(what, text, f"at most {most:g}", value <= most, beside)
        else:
            self._rows.append((what, text, "", beside, ""))

    def judged(self, what, text, target, good, note=""):
        """A row that says itself whether it reaches its target."""
        self.missed = self.missed or not good
        self._rows.append((what, text, target, note, "PASS" if good else "MISSED"))

    def info(self, what, values, unit):
        """A peer's figure: no target."""
        self._rows.append((what, f"{spread(values)} {unit}", "", "", ""))

    def absent(self, what, why):
        """A peer that could not be measured."""
        self._rows.append((what, f"not measured: {why}", "", "", ""))

    def text(self):
        rows = [(self.title, "median (min-max)", "target", "in the same run", ""), *self._rows]
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = ("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows)
        return "\n".join(lines) + "\n"
