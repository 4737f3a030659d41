# SPDX-License-Identifier: GPL-2.0-or-later
"""The gate's programs by themselves, in the kernel: gate-prog runs frames through them, by
BPF_PROG_TEST_RUN and at taps on bridges of its own network namespace, and says a line for each case.
"""

import os

import pytest

from tests.kit import built, proc

# Cases by the first word of their names, and how many there are at least: none may get lost.
GROUPS = {
    "load": (6, "the kernel takes the programs, or it is said why not"),
    "given": (10, "source addresses of a port whose address is given"),
    "any": (3, "a port that may use every address"),
    "sticky": (17, "the first address of a port is pinned"),
    "learn": (8, "so many addresses and no more"),
    "race": (2, "processors against each other at one port"),
    "control": (9, "frames between neighbours on one cable"),
    "rate": (21, "limits of broadcasts, of bytes and of messages to DHCP servers"),
    "ring": (10, "what our DHCP server is told"),
    "event": (8, "what the engine is told, and how often"),
    "odd": (6, "frames that are short, or of 802.3"),
    "guard": (570, "every message in every wrapping"),
    "random": (4, "100,000 random and mutated frames"),
    "adopt": (5, "the maps of an earlier instance"),
    "wire": (7, "what passes between taps"),
    "mirror": (30, "what a promiscuous port gets, exactly once"),
    "span": (28, "what a port gets that watches another one, exactly once"),
    "tap": (553, "every message in every wrapping, sent by a tap"),
    "claim": (2, "two ports claim the same addresses at once"),
}


# Those with ports: what differs with the way by which the programs are attached.
AT_PORTS = ("wire", "mirror", "span", "tap", "claim")


def run(*args):
    """What gate-prog says: name of a case -> "ok" or what is wrong."""
    assert os.geteuid() == 0, "gate-prog needs root"
    done = proc.run([built.program("tests/net/gate-prog"), *args], check=False, timeout=100)
    said = {}
    for line in done.out.splitlines():
        print(line)
        verdict, _, rest = line.partition(" ")
        name = rest.partition(":")[0]
        if verdict in ("ok", "FAIL"):
            assert name not in said, f"{name} is there twice"
            said[name] = "ok" if verdict == "ok" else line
    wrong = any(what != "ok" for what in said.values())
    assert done.rc == (1 if wrong else 0), f"it did not come to its end\n{done}"
    return said


@pytest.fixture(scope="module")
def cases():
    return run()


@pytest.fixture(scope="module")
def clsact_cases():
    """Attached as on kernels before 6.6."""
    return run("clsact")


def check(cases, group):
    least, about = GROUPS[group]
    mine = {name: what for name, what in cases.items() if name.split("-")[0] == group}
    wrong = [what for what in mine.values() if what != "ok"]
    assert not wrong, f"{about}:\n" + "\n".join(wrong)
    assert len(mine) >= least, f"{about}: only {sorted(mine)}"


@pytest.mark.parametrize("group", GROUPS)
def test_the_programs_in_the_kernel(cases, group):
    check(cases, group)


@pytest.mark.parametrize("group", AT_PORTS)
def test_the_programs_as_filters_on_clsact(clsact_cases, group):
    check(clsact_cases, group)


def test_no_case_is_in_no_group(cases):
    assert {name.split("-")[0] for name in cases} == set(GROUPS)
