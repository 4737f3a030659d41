# SPDX-License-Identifier: GPL-2.0-or-later
"""Table inet vnetd as the kernel gets it, and what it tells of others meanwhile."""

import json
import os
import re

import pytest

from tests.kit import built


def normal(listing):
    """`nft -j list table` without what differs from one making to the next."""
    def clean(value):
        if isinstance(value, dict):
            return {k: clean(v) for k, v in value.items() if k not in ("handle", "flags", "policy")}
        if isinstance(value, list):
            return sorted((clean(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
        return value

    rules = [r for r in json.loads(listing)["nftables"] if "metainfo" not in r]
    return [json.dumps(clean(r), sort_keys=True) for r in rules]


@pytest.mark.parametrize("plan", ["empty", "router", "two", "all", "ways"])
def test_the_kernel_gets_what_the_golden_text_says(lab, plan):
    commit = built.program("tests/net/nft-commit")
    text = lab.host.run(commit, "text", plan).out
    lab.host.run("nft", "-f", "-", stdin=text)
    by_nft = lab.host.run("nft", "-j", "list", "table", "inet", "vnetd").out
    lab.host.run("nft", "flush", "ruleset")
    lab.host.run(commit, "commit", plan)
    # By way of text, without the table's flags: of one that nft does not know its JSON shows what happens to lie in
    # memory behind the names of the others.
    listing = lab.host.run("nft", "list", "table", "inet", "vnetd").out
    listing = re.sub(r"^(table inet vnetd \{[^\n]*\n)\s+flags [^\n]*\n", r"\1", listing)
    lab.host.run("nft", "flush", "ruleset")
    lab.host.run("nft", "-f", "-", stdin=listing)
    by_us = lab.host.run("nft", "-j", "list", "table", "inet", "vnetd").out
    ours, theirs = normal(by_us), normal(by_nft)
    assert sorted(ours) == sorted(theirs)
    # Rules in order, chain by chain.
    in_order = lambda rows: [r for r in rows if r.startswith('{"rule"')]
    for chain in ("leaving", "forward", "from_nat", "gateway", "prerouting", "postrouting", "way_vmnet8"):
        mark = f'"chain": "{chain}"'
        assert [r for r in in_order(ours) if mark in r] == [r for r in in_order(theirs) if mark in r]


@pytest.mark.parametrize("forwards, meddler, words, heard", [
    (10, None, "owned made", (0, 1)),
    (3000, None, "owned made", (0, 1)),
    (10, "libmeddle.so", "owned made", (1, 1)),
    (3000, "libmeddle.so", "owned made missed", (0, 1)),
])
def test_what_others_change_during_a_large_transaction_is_not_missed(lab, forwards, meddler, words, heard):
    """Nobody listens meanwhile, so the kernel writes no 3,000 events that nobody wants; priv notices all the same."""
    commit = built.program("tests/net/nft-commit")
    env = {**os.environ, **({"LD_PRELOAD": str(built.program(f"tests/net/{meddler}"))} if meddler else {})}
    said, of_it, later = lab.host.run(commit, "hear", 2, forwards, env=env).out.strip().split(", ")
    assert [w for w in said.split() if not w.startswith("no-")] == words.split()
    assert (int(of_it) > 0, int(later) > 0) == tuple(map(bool, heard))
    assert "table ip later" in lab.host.run("nft", "list", "tables").out
