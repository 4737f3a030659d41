# SPDX-License-Identifier: GPL-2.0-or-later
"""dhcpd.leases as the programs read it that read VMware's, rule by rule (reference/vmware.md 5.4).

Each reader is written from its rules and shares no code with the others, or with what writes the file.
A reader that would discard leases raises Refused.
"""

import calendar
import re
import time


class Refused(Exception):
    pass


def utc(text):
    return calendar.timegm(time.strptime(text, "%Y/%m/%d %H:%M:%S"))


# --- what every block must look like, so that all of them can read it ---


def form(text):
    """Rules about bytes, whoever reads: a block per lease, a statement per line, and nothing else."""
    statements = (r"\tstarts (\d) (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d);", r"\tends (\d) (\d{4}/\d\d/\d\d \d\d:\d\d:\d\d);",
                  r"\tends never;", r"\thardware ethernet [0-9a-f]{2}(:[0-9a-f]{2}){5};",
                  r"\tuid [0-9a-f]{2}(:[0-9a-f]{2})*;", r"\tclient-hostname \"[A-Za-z0-9._-]+\";", r"\tabandoned;")
    inside = False
    if not text.isascii() or "\r" in text or not text.endswith("\n"):
        raise Refused("not lines of ASCII")
    for n, line in enumerate(text.splitlines(), 1):
        if not inside and (line == "" or line.startswith("#")):
            continue
        if not inside and re.fullmatch(r"lease \d+\.\d+\.\d+\.\d+ \{", line):
            inside = True
        elif inside and line == "}":
            inside = False
        elif inside and any(m := [m for m in (re.fullmatch(s, line) for s in statements) if m]):
            when = m[0]
            if when.lastindex == 2 and "/" in when[0]:
                day = time.gmtime(utc(when[2])).tm_wday
                if int(when[1]) != (day + 1) % 7:
                    raise Refused(f"line {n}: {when[2]} is another day of the week")
        else:
            raise Refused(f"line {n}: {line!r}")
    if inside:
        raise Refused("ends inside a block")


# --- Packer ---


def packer(text):
    """Blocks in order. Anything behind the last brace discards every lease."""
    # Comments go to the end of their line, and a '#' in a name is one too; then newlines go.
    flat = "".join(re.sub(r"#.*", "", line) for line in text.split("\n"))
    found = []
    while flat:
        head, brace, flat = flat.partition("{")
        body, close, flat = flat.partition("}")
        words = head.split()
        if not brace or not close or len(words) != 2 or words[0] != "lease" or "{" in body:
            raise Refused(f"no block: {head!r}")
        found.append(packer_block(words[1], body))
    return found


def packer_octets(text):
    """Octets are exactly two digits; else the field is empty."""
    return text.lower() if all(re.fullmatch(r"[0-9A-Fa-f]{2}", o) for o in text.split(":")) else ""


def packer_block(ip, body):
    block = {"ip": ip, "starts": None, "ends": None, "mac": "", "uid": "", "name": "", "abandoned": False}
    for statement in filter(None, (s.strip() for s in body.split(";"))):
        word, _, rest = statement.partition(" ")
        if word in ("starts", "ends"):
            block[word] = None if rest == "never" else utc(rest.split(" ", 1)[1])
        elif word == "hardware":
            block["mac"] = packer_octets(rest.split()[1])
        elif word == "uid":
            block["uid"] = packer_octets(rest)
        elif word == "client-hostname":
            block["name"] = rest.strip('"')
        elif word == "abandoned":
            block["abandoned"] = True
        else:
            raise Refused(f"statement {statement!r}")
    return block


def packer_address(text, mac, now):
    """Addresses of a MAC whose blocks are in force, else all of its blocks' (slow: it tries them)."""
    own = [b for b in packer(text) if b["mac"] == mac]
    strict = {b["ip"] for b in own if b["ends"] is not None and b["starts"] <= now <= b["ends"]}
    return strict or {b["ip"] for b in own}


# --- Vagrant ---


def vagrant(text, now):
    """MAC -> address of active leases. A MAC with two of them and no common name is rejected."""
    active = {}
    for ip, body in re.findall(r"^\s*lease\s+(\d+\.\d+\.\d+\.\d+)\s*\{(.*?)\}", text, re.M | re.S):
        def value(pattern, body=body):
            m = re.search(r"^\s+" + pattern + r";", body, re.M)
            return m and m[1]
        starts, ends = value(r"starts\s+\d+\s+(.+?)"), value(r"ends\s+\d+\s+(.+?)")
        mac, name = value(r"hardware\s+ethernet\s+(\S+?)"), value(r'client-hostname\s+"(.*?)"')
        if mac and starts and ends and utc(starts) <= now <= utc(ends):
            active.setdefault(mac.lower(), []).append((utc(starts), ip, name))
    found = {}
    for mac, leases in active.items():
        if len({ip for _, ip, _ in leases}) > 1 and (len({n for *_, n in leases}) > 1 or not leases[0][2]):
            raise Refused(f"{mac} has {leases}")
        found[mac] = max(leases)[1]
    return found


# --- docker-machine, minikube ---


def docker_machine(text, mac):
    """Line by line; the MAC as it stands; the block that ends last counts, expired or not."""
    best = None
    ip = ends = None
    for line in text.splitlines():
        if m := re.match(r"^lease (.+?) {$", line):
            ip, ends = m[1], None
        elif m := re.match(r"^\s*ends \d (.+?);$", line):
            ends = utc(m[1])
        elif (m := re.match(r"^\s*hardware ethernet (.+?);$", line)) and m[1] == mac and ends is not None:
            if best is None or ends >= best[0]:
                best = (ends, ip)
    return best and best[1]


# --- Fission and one-liners of awk ---


def awk(text, mac):
    """The address of the block with the newest start, by the words of lines."""
    best = None
    ip = starts = None
    for line in text.splitlines():
        words = line.split()
        if line.startswith("lease"):
            ip = words[1]
        elif "starts" in line and not line.startswith("#"):
            starts = " ".join(words[2:]).rstrip(";")
        elif "hardware" in line and words[2].rstrip(";") == mac and (best is None or starts >= best[0]):
            best = (starts, ip)
    return best and best[1]
