#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lease file that vnet-dhcpd's own code writes, through the eyes of its strictest readers.

usage: test_leases_strict.py WRITER; see leases_writer.c and tests/kit/strict.py.
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parents[3]))

from tests.kit import strict  # noqa: E402

WRITER = sys.argv.pop(1) if len(sys.argv) > 1 else "dhcpd-leases-writer"

GOOD = """lease 10.0.0.5 {
	starts 2 2023/11/14 22:13:20;
	ends 2 2023/11/14 22:43:20;
	hardware ethernet 00:0c:29:00:00:01;
}
"""


class Leases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            said = subprocess.run([WRITER, folder], check=True, text=True, stdout=subprocess.PIPE).stdout
            # As they are on disk, with every byte.
            cls.files = [(pathlib.Path(folder) / name).read_bytes().decode("ascii")
                         for name in ("appended", "dhcpd.leases")]
        rows = [line.split(" ") for line in said.splitlines()]
        cls.now = int(rows[0][1])
        cls.active = {mac: (ip, name) for state, ip, mac, name in rows[1:] if state == "active"}
        cls.abandoned = {ip for state, ip, *_ in rows[1:] if state == "abandoned"}
        cls.ended = {mac: ip for state, ip, mac, _ in rows[1:] if state == "ended"}

    def test_the_day_had_everything_in_it(self):
        self.assertGreater(len(self.active), 60)
        self.assertEqual(len(self.abandoned), 1)
        self.assertEqual(set(self.ended), {"00:0c:29:00:00:cc", "00:0c:29:00:00:cd"})
        self.assertGreater(self.files[0].count("lease "), self.files[1].count("lease "))

    def test_every_line_has_the_form_that_all_can_read(self):
        for text in self.files:
            strict.form(text)

    def test_nothing_but_newlines_is_behind_the_last_brace(self):
        appended, written_anew = self.files
        self.assertTrue(appended.rstrip("\n").endswith("\n}"))
        self.assertTrue(appended.endswith("\n" * 1000))
        self.assertTrue(written_anew.endswith("\n}\n"))

    def test_packer_finds_each_guest_at_its_one_address(self):
        appended, written_anew = self.files
        for mac, (ip, _) in self.active.items():
            self.assertEqual(strict.packer_address(written_anew, mac, self.now), {ip}, mac)
            # It does not let a later block win: until the file is written anew it also tries the
            # address that a guest has given up for another one.
            before = {self.ended[mac]} if mac in self.ended else set()
            self.assertEqual(strict.packer_address(appended, mac, self.now), {ip} | before, mac)

    def test_packer_reads_names_ids_and_abandoned_blocks(self):
        for text in self.files:
            last = {b["ip"]: b for b in strict.packer(text)}
            for mac, (ip, name) in self.active.items():
                self.assertEqual((last[ip]["mac"], last[ip]["name"] or "-"), (mac, name))
            self.assertEqual({ip for ip, b in last.items() if b["abandoned"]}, self.abandoned)
            self.assertEqual([last[ip]["mac"] for ip in self.abandoned], [""])
            self.assertIn("ff:00:01:02:03:00:02:00:00:ab:11:cd:ef:00:09", {b["uid"] for b in last.values()})

    def test_vagrant_finds_the_same_and_rejects_no_mac(self):
        want = {mac: ip for mac, (ip, _) in self.active.items()}
        self.assertEqual(strict.vagrant(self.files[1], self.now), want)
        # Where the file still has history, a renewal's block and a given-up one do not confuse it either.
        found = strict.vagrant(self.files[0], self.now)
        self.assertEqual({mac: found.get(mac) for mac in want}, want)

    def test_docker_machine_and_awk_find_the_newest(self):
        for text in self.files:
            for mac, (ip, _) in self.active.items():
                self.assertEqual(strict.docker_machine(text, mac), ip, mac)
                self.assertEqual(strict.awk(text, mac), ip, mac)

    def test_a_released_lease_is_not_in_force(self):
        for mac in self.ended:
            if mac not in self.active:
                self.assertNotIn(mac, strict.vagrant(self.files[1], self.now))


class Readers(unittest.TestCase):
    """The readers refuse what the programs refuse: else they would prove nothing."""

    def test_packer_refuses_a_blank_behind_the_last_brace(self):
        self.assertEqual(len(strict.packer(GOOD)), 1)
        for junk in (" ", "\t", "x", "\n}\n"):
            with self.assertRaises(strict.Refused):
                strict.packer(GOOD + junk)

    def test_packer_refuses_a_block_without_its_head(self):
        for bad in ("{ }\n", "host a { }\n", "lease { }\n"):
            with self.assertRaises(strict.Refused):
                strict.packer(bad + GOOD)

    def test_packer_is_lost_by_a_name_with_a_brace_or_a_hash(self):
        def named(name):
            return GOOD.replace("}", f'\tclient-hostname "{name}";\n}}')
        self.assertEqual(strict.packer(named("a-b"))[0]["name"], "a-b")
        with self.assertRaises(strict.Refused):
            strict.packer(named("a}b"))
        self.assertEqual(strict.packer(named("a#b"))[0]["name"], "a")

    def test_packer_wants_two_digits_per_octet(self):
        self.assertEqual(strict.packer(GOOD.replace("00:0c", "0:c"))[0]["mac"], "")

    def test_vagrant_rejects_a_mac_with_two_leases(self):
        with self.assertRaises(strict.Refused):
            strict.vagrant(GOOD + GOOD.replace("10.0.0.5", "10.0.0.6"), 1700000000)

    def test_docker_machine_misses_what_is_not_written_exactly(self):
        mac = "00:0c:29:00:00:01"
        self.assertEqual(strict.docker_machine(GOOD, mac), "10.0.0.5")
        for bad in (GOOD.replace("5 {", "5{"), GOOD.replace("01;", "01; # a"),
                    GOOD.replace("0c", "0C")):
            self.assertIsNone(strict.docker_machine(bad, mac))

    def test_the_form_is_checked(self):
        strict.form(GOOD)
        for bad in (GOOD.replace("\t", "  "), GOOD.replace("starts 2", "starts 3"), GOOD[:-2], GOOD + "}\n",
                    GOOD.replace("\n", "\r\n"), GOOD.replace("0c", "0C"), GOOD[:-1]):
            with self.assertRaises(strict.Refused):
                strict.form(bad)


if __name__ == "__main__":
    unittest.main()
