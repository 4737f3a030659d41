#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The files that vnetd generates, read by the rules of the strictest tools that read VMware's.

The rules are those of reference/vmware.md 2.6, 2.7, 4.1 and 5.4, written anew: Packer, Vagrant,
docker-machine, gns3vmnet. The texts come from the golden cases, where each file that a change writes
stands behind a line "---- FILE". Run by pytest or as a program.
"""

import pathlib
import re
import shlex
import unittest

HERE = pathlib.Path(__file__).parent


def written(case):
    """The files of a golden case's output as they were at its end."""
    files = {}
    name = None
    for line in (HERE / case).read_text().splitlines(keepends=True):
        if line.startswith("---- "):
            name = line[5:].strip()
            files[name] = ""
        elif line.startswith("==== ") or re.match(r"[EWN] ", line):
            name = None
        elif name:
            files[name] += line
    return files


# --- Packer ---


class PackerError(Exception):
    pass


def packer_dhcpd_tokens(text):
    for line in text.splitlines():
        lex = shlex.shlex(line, posix=False, punctuation_chars="{};")
        lex.whitespace_split = False
        lex.commenters = "#"
        lex.wordchars += ".:-/,_"
        yield from lex


def packer_dhcpd(text):
    """Statements and blocks; one bad statement rejects the whole file."""
    operands = {"option": 2, "hardware": 2}
    blocks = ("subnet", "subnet6", "host", "group", "pool", "shared-network")
    stack = [("file", [], [])]
    words = []
    for tok in packer_dhcpd_tokens(text):
        if tok == "{":
            if not words or words[0] not in blocks:
                raise PackerError(f"unknown block {words}")
            stack.append((words[0], words[1:], []))
            words = []
        elif tok == "}":
            if words or len(stack) == 1:
                raise PackerError(f"unexpected end of block {words}")
            done = stack.pop()
            stack[-1][2].append(done)
        elif tok == ";":
            if not words:
                raise PackerError("empty statement")
            want = operands.get(words[0])
            args = words[1:]
            if words[0] == "range":
                args = [a for a in args if a != "dynamic-bootp"]
                if len(args) > 2:
                    raise PackerError(f"range with {len(args)} addresses")
            elif want is not None and len(args) != want:
                raise PackerError(f"{words}: {want} operands wanted")
            elif want is None and len(args) > 1 and words[0] != "allow":
                raise PackerError(f"{words}: too many operands")
            stack[-1][2].append((words[0], args))
            words = []
        else:
            words.append(tok)
    if len(stack) != 1 or words:
        raise PackerError("unexpected end of file")
    return stack[0][2]


def packer_host(text, device):
    """Host address and MAC: exactly one block of that name, one hardware, one address."""
    found = [b for b in packer_dhcpd(text) if b[0] == "host" and b[1][0].lower() == device]
    if len(found) != 1:
        raise PackerError(f"{len(found)} host blocks named {device}")
    hw = [s[1] for s in found[0][2] if s[0] == "hardware"]
    ip = [s[1] for s in found[0][2] if s[0] == "fixed-address"]
    if len(hw) != 1 or len(ip) != 1:
        raise PackerError("hardware and address must be there once")
    return ip[0][0], hw[0][1]


def packer_networking(text):
    """Commands with the exact number of arguments; others are skipped."""
    arity = {"answer": 2, "remove_answer": 1, "add_nat_portfwd": 5, "remove_nat_portfwd": 3,
             "add_dhcp_mac_to_ip": 3, "remove_dhcp_mac_to_ip": 2, "add_bridge_mapping": 2,
             "remove_bridge_mapping": 1}
    rows = [r.split() for r in re.split(r"[\n\r]+", text) if r.strip()]
    if rows[0] != ["VERSION=1,0"]:
        raise PackerError("VERSION")
    skipped = [r for r in rows[1:] if arity.get(r[0]) != len(r) - 1]
    answers = {}
    for r in rows[1:]:
        m = re.fullmatch(r"VNET_(\d+)_([A-Z0-9_]+)", r[1]) if r[0] == "answer" else None
        if m and len(r) == 3:
            answers.setdefault(int(m[1]), {})[m[2]] = r[2]
    return answers, skipped


def packer_type(answers, n):
    a = answers.get(n, {})
    if "VIRTUAL_ADAPTER" not in a:
        return {0: "bridged", 1: "hostonly", 8: "nat"}.get(n)
    if a["VIRTUAL_ADAPTER"] != "yes":
        return "bridged"
    return "nat" if a.get("NAT") == "yes" else "hostonly"


def packer_netmap(text):
    """network<i>.attr = "value"; a malformed assignment is fatal."""
    nets = {}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        m = re.fullmatch(r'(network\d+)\.(\w+)\s*=\s*"([^"\\]*)"', line)
        if not m:
            raise PackerError(line)
        nets.setdefault(m[1], {})[m[2]] = m[3]
    return {v["name"].lower(): v["device"] for v in nets.values()}


# --- docker-machine, minikube ---


def docker_machine_reservations(text):
    """Line by line; nothing may follow the ';' and a block ends in column 0."""
    hosts = {}
    inside = ip = mac = None
    for line in text.splitlines():
        if m := re.match(r"^host (.+?) {", line):
            inside, ip, mac = m[1], None, None
        elif inside and re.match(r"^}", line):
            hosts[mac] = ip
            inside = None
        elif inside and (m := re.match(r"^\s*fixed-address (.+?);$", line)):
            ip = m[1]
        elif inside and (m := re.match(r"^\s*hardware ethernet (.+?);$", line)):
            mac = m[1]
    return hosts


# --- Vagrant ---


def vagrant_nat(text):
    """Sections by exact case; those of the forwards must exist."""
    sections = {}
    name = None
    for line in text.splitlines():
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if m := re.fullmatch(r"\[(.+)\]", line):
            name = m[1]
            sections.setdefault(name, {})
        else:
            key, _, value = line.partition("=")
            sections[name][key.strip()] = value.strip()
    return sections


def gns3_lines(text):
    """Every line behind the first must be exactly three fields."""
    lines = text.splitlines()[1:]
    return [line for line in lines if len(line.split(" ", 3)) != 3]


DEFAULTS = written("100-defaults.ok")
CREATED = written("101-create-nat.err")
RESERVED = written("112-reservations.ok")


class Readers(unittest.TestCase):
    def test_packer_finds_the_host_address_in_every_generated_dhcpd_conf(self):
        seen = 0
        for files in (DEFAULTS, CREATED, RESERVED, written("104-set-simple.ok")):
            for name, text in files.items():
                m = re.fullmatch(r"vmnet(\d+)/dhcpd/dhcpd\.conf", name)
                if not m:
                    continue
                ip, mac = packer_host(text, f"vmnet{m[1]}")
                self.assertRegex(ip, r"^\d+\.\d+\.\d+\.\d+$")
                self.assertEqual(mac, f"00:50:56:C0:00:{int(m[1]):02X}")
                seen += 1
        self.assertGreaterEqual(seen, 6)

    def test_the_reader_itself_refuses_what_packer_refuses(self):
        for bad in ("option routers 1.1.1.1, 2.2.2.2;", "class x { }", "host a {",
                    "hardware ethernet;", "range 1.1.1.1 1.1.1.2 1.1.1.3;"):
            with self.assertRaises(PackerError):
                packer_dhcpd(bad)
        with self.assertRaises(PackerError):
            packer_host("host vmnet8 { }\nhost VMnet8 { }\n", "vmnet8")

    def test_packer_reads_every_line_of_the_default_networking(self):
        answers, skipped = packer_networking(DEFAULTS["networking"])
        self.assertEqual(skipped, [])
        self.assertEqual([packer_type(answers, n) for n in (0, 1, 8)],
                         ["bridged", "hostonly", "nat"])

    def test_packer_reads_a_created_network(self):
        answers, _ = packer_networking(CREATED["networking"])
        self.assertEqual(packer_type(answers, 2), "nat")
        self.assertEqual(packer_type(answers, 3), "hostonly")
        self.assertEqual(answers[2]["HOSTONLY_NETMASK"], "255.255.255.0")

    def test_gns3_can_read_and_rewrite_the_defaults(self):
        self.assertEqual(gns3_lines(DEFAULTS["networking"]), [])
        self.assertEqual(DEFAULTS["networking"].splitlines()[0], "VERSION=1,0")

    def test_each_key_is_written_once(self):
        for files in (DEFAULTS, CREATED):
            keys = re.findall(r"^answer (\S+)", files["networking"], re.M)
            self.assertEqual(len(keys), len(set(keys)))

    def test_netmap_names_the_networks(self):
        self.assertEqual(packer_netmap(DEFAULTS["netmap.conf"]),
                         {"bridged": "vmnet0", "hostonly": "vmnet1", "nat": "vmnet8"})

    def test_docker_machine_finds_reservations_and_the_adapter(self):
        hosts = docker_machine_reservations(RESERVED["vmnet8/dhcpd/dhcpd.conf"])
        self.assertEqual(hosts["00:0c:29:11:22:36"], "172.16.204.25")
        self.assertEqual(hosts["00:50:56:C0:00:08"], "172.16.204.1")

    def test_vagrant_finds_its_sections(self):
        nat = vagrant_nat(DEFAULTS["vmnet8/nat/nat.conf"])
        self.assertEqual(nat["incomingtcp"], {})
        self.assertEqual(nat["incomingudp"], {})
        self.assertEqual(nat["host"]["device"], "/dev/vmnet8")

    def test_vagrant_reads_a_forward(self):
        text = written("110-forwards.ok")["networking"]
        rx = re.compile(r"^add_nat_portfwd\s+(\d+)\s+(udp|tcp)\s+(\d+)\s+(\S+)\s+(\d+)(.*)$",
                        re.I | re.M)
        self.assertIn(("8", "tcp", "8081", "172.16.204.130", "80", " web1's nginx"),
                      rx.findall(text))


if __name__ == "__main__":
    unittest.main()
