# SPDX-License-Identifier: GPL-2.0-or-later
"""The messages of lib/msg.h, for tests that speak to a process of the suite directly.

The vocabulary is read from the header itself.  `encode("BRIDGE_SET", id=1, net=8, mtu=1500)` gives
bytes, fields that are not named are zero; `decode(bytes)` gives a `Message` with `.type`, `.id` and
the fields as attributes.  Enumerated fields take and give numbers; `NUMBERS` has their names:
NUMBERS["CONF_FILE_NAT"].
"""

import ipaddress
import re
import struct
from pathlib import Path

_LIB = Path(__file__).resolve().parents[2] / "lib"
_INT = {"U8": ">B", "U16": ">H", "U32": ">I", "U64": ">Q"}


def _uncommented(name):
    text = re.sub(r"/\*.*?\*/", " ", (_LIB / name).read_text(), flags=re.S)
    return text.replace("\\\n", " ")


def _read_types():
    """[(NAME, [(kind, field), ...]), ...] in the order of their numbers, from 1."""
    text = _uncommented("msg.h")
    fields = {}
    shared = dict(re.findall(r"#define ([A-Z_]+)\(F\)(.*)", text))
    for name, body in re.findall(r"#define FIELDS_(\w+)\(F\)(.*)", text):
        body = re.sub(r"\b([A-Z_]+)\(F\)", lambda m: shared[m[1]], body)
        fields[name] = re.findall(r"F\((\w+), (\w+), [^()]+\)", body)
    listed = re.search(r"#define MSG_LIST\(M\)(.*)", _uncommented("msg_list.h")).group(1)
    return [(big, fields[small]) for big, small in re.findall(r"M\((\w+), (\w+), \d+, \d+\)", listed)]


def _read_numbers():
    numbers = {}
    for name in ("kinds.h", "msg_kinds.h", "msg.h", "gate.h"):
        for body in re.findall(r"\benum \w+ \{(.*?)\}", _uncommented(name), flags=re.S):
            if "#" not in body:
                words = [word.split() for word in body.split(",") if word.strip()]
                # Counted, or flags: NAME, or NAME = 1 << BIT.
                numbers.update({w[0]: 1 << int(w[4]) if w[1:] else n for n, w in enumerate(words)})
    return numbers


TYPES = _read_types()
NUMBERS = _read_numbers()
_BY_NAME = {name: (n + 1, fields) for n, (name, fields) in enumerate(TYPES)}


class Message:
    """A decoded message: `.type`, `.id`, its fields, and `.fds` for whoever received it."""

    def __init__(self, kind, number, values):
        self.type, self.id, self.fds = kind, number, []
        self.__dict__.update(values)

    def __repr__(self):
        return f"Message({self.__dict__})"


def _put(kind, value):
    if kind in _INT:
        return struct.pack(_INT[kind], value or 0)
    if kind == "BOOL":
        return bytes([1 if value else 0])
    if kind == "IP4":
        return ipaddress.IPv4Address(value or 0).packed
    if kind == "MAC":
        return bytes.fromhex((value or "00:00:00:00:00:00").replace(":", ""))
    raw = value.encode() if isinstance(value, str) else value or b""
    return struct.pack(">H", len(raw)) + raw


def _get(kind, data):
    """(value, the rest)"""
    if kind in _INT:
        size = struct.calcsize(_INT[kind])
        return struct.unpack(_INT[kind], data[:size])[0], data[size:]
    if kind == "BOOL":
        return bool(data[0]), data[1:]
    if kind == "IP4":
        return str(ipaddress.IPv4Address(data[:4])), data[4:]
    if kind == "MAC":
        return data[:6].hex(":"), data[6:]
    size = struct.unpack(">H", data[:2])[0]
    raw = data[2 : 2 + size]
    return raw.decode() if kind == "STR" else raw, data[2 + size :]


def encode(name, id=0, **values):
    number, fields = _BY_NAME[name]
    unknown = set(values) - {field for _, field in fields}
    assert not unknown, f"{name} has no field {unknown}"
    head = struct.pack(">HHI", number, 0, id)
    return head + b"".join(_put(kind, values.get(field)) for kind, field in fields)


def decode(data):
    number, _, ident = struct.unpack(">HHI", data[:8])
    name, fields = TYPES[number - 1]
    rest, values = data[8:], {}
    for kind, field in fields:
        values[field], rest = _get(kind, rest)
    assert not rest, f"{name} has {len(rest)} bytes too many"
    return Message(name, ident, values)
