# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts single tests for scripts/test: report.py meson|junit|lines FILE -> "passed failed skipped".

meson   a testlog.json: the TAP lines that a program prints, or else the program counts
        as one test
junit   an XML report of pytest
lines   output with lines "ok NAME" and "FAIL NAME"
What failed is printed to stderr.  Exit status 1 when the file holds no test at all.
"""

import argparse
import json
import re
import sys
import xml.etree.ElementTree as xml

_TAP = re.compile(r"^(not ok|ok) \d+ .*?(# skip)?$", re.MULTILINE | re.IGNORECASE)


def meson(path):
    passed = failed = skipped = 0
    for row in open(path):
        test = json.loads(row)
        good = test["result"] in ("OK", "EXPECTEDFAIL")
        output = (test.get("stdout") or "") + (test.get("stderr") or "")
        found = [("skip" if skip else word.lower()) for word, skip in _TAP.findall(output)]
        if not found or (not good and "not ok" not in found):
            found.append("ok" if good else "not ok")  # the program itself
        passed += found.count("ok")
        failed += found.count("not ok")
        skipped += found.count("skip")
        if not good:
            print(f"--- {test['name']}: {test['result']}\n{output[-3000:]}", file=sys.stderr)
    return passed, failed, skipped


def junit(path):
    passed = failed = skipped = 0
    for case in xml.parse(path).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
            print(f"--- failed: {case.get('classname')}::{case.get('name')}", file=sys.stderr)
        elif "skipped" in kinds:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def lines(path):
    text = open(path).read()
    failed = re.findall(r"^FAIL (.*)", text, re.MULTILINE)
    for name in failed:
        print(f"--- failed: {name}", file=sys.stderr)
    return len(re.findall(r"^ok ", text, re.MULTILINE)), len(failed), 0


def main():
    args = argparse.ArgumentParser()
    args.add_argument("kind", choices=("meson", "junit", "lines"))
    args.add_argument("file")
    args = args.parse_args()
    counts = {"meson": meson, "junit": junit, "lines": lines}[args.kind](args.file)
    print(*counts)
    return 0 if sum(counts) else 1


if __name__ == "__main__":
    sys.exit(main())
