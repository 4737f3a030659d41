# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that holds a tap and does with it what its holder may: runs inside the host as uid 65534.

    holder = holder.Holder(lab, "vmnet8", "evil")       `vnetctl attach vmnet8 --name evil -- ...`
    holder.do("mac", "00:50:56:c0:00:08")               SIOCSIFHWADDR; the error's name, or "ok"
    holder.do("persist", 1)  holder.do("owner", 0)  holder.do("carrier", 0)
    holder.send(frame)  holder.drain()                  it is an end for frames.exchange
    holder.do("storm", MAC, MAC, SECONDS)               sets the two addresses in turn meanwhile
"""

import subprocess
import sys

from . import frames

UID = 65534

_CODE = r"""
import errno, fcntl, os, select, struct, sys, threading, time
SIOCSIFHWADDR, TUNSETPERSIST, TUNSETOWNER, TUNSETCARRIER = 0x8924, 0x400454CB, 0x400454CC, 0x400454E2
TUNGETIFF, TUNGETVNETHDRSZ, IFF_VNET_HDR = 0x800454D2, 0x800454D7, 0x4000
if sys.argv[1:]:
    tap = os.open("/dev/net/tun", os.O_RDWR)
    flags = 0x1002 | (IFF_VNET_HDR if sys.argv[2:] else 0)
    fcntl.ioctl(tap, 0x400454CA, struct.pack("16sH22x", sys.argv[1].encode(), flags))
else:
    tap = int(os.environ["VNET_TAP_FD"])
ifr = fcntl.ioctl(tap, TUNGETIFF, bytes(40))
size = 0
if struct.unpack_from("H", ifr, 16)[0] & IFF_VNET_HDR:
    size = struct.unpack("i", fcntl.ioctl(tap, TUNGETVNETHDRSZ, bytes(4)))[0]
os.set_blocking(tap, False)

def set_mac(text):
    address = bytes.fromhex(text.replace(":", ""))
    fcntl.ioctl(tap, SIOCSIFHWADDR, struct.pack("16sH6s16x", b"", 1, address))

def do(word, *args):
    if word == "mac":
        set_mac(args[0])
    elif word == "storm":
        end = time.monotonic() + float(args[2])
        while time.monotonic() < end:
            for address in args[:2]:
                set_mac(address)
    elif word == "persist":
        fcntl.ioctl(tap, TUNSETPERSIST, int(args[0]))
    elif word == "owner":
        fcntl.ioctl(tap, TUNSETOWNER, int(args[0]))
    elif word == "carrier":
        fcntl.ioctl(tap, TUNSETCARRIER, struct.pack("i", int(args[0])))
    elif word == "send":
        os.write(tap, bytes(size) + bytes.fromhex(args[0]))
    elif word == "drain":
        got = []
        while select.select([tap], [], [], 0)[0]:
            got.append(os.read(tap, 65536)[size:].hex())
        return " ".join(["ok", *got])
    return "ok"

print("ready", ifr[:16].rstrip(b"\0").decode(), flush=True)
for line in sys.stdin:
    try:
        answer = do(*line.split())
    except OSError as why:
        answer = errno.errorcode.get(why.errno, str(why))
    print(answer, flush=True)
"""


class Holder:
    """name: the port's. tap: a static tap of that name is opened instead of attaching one."""

    def __init__(self, lab, network, name, mac="52:54:00:ee:ee:ee", tap=False, told=False):
        self.mac = mac
        code = ["/usr/bin/python3", "-c", _CODE]
        drop = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
        if tap:
            argv = [*drop, *code, name, "vnet-hdr"]
        else:
            extra = [f"--mac={mac}"] if told else []
            attach = ["vnetctl", *lab.vnetd.dirs, "attach", network, "--name", name, *extra]
            argv = [*attach, "--", *drop, *code]
        self.process = lab.host.popen(*argv, stdin=subprocess.PIPE, stderr=sys.stderr)
        ready = self.process.stdout.readline().decode().split()
        assert ready[:1] == ["ready"], f"the holder did not start: {ready}"
        self.ifname = ready[1]

    def do(self, *words):
        self.start(*words)
        return self.finish()

    def start(self, *words):
        """Begins it; finish() waits for its end."""
        self.process.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        self.process.stdin.flush()

    def finish(self):
        return self.process.stdout.readline().decode().rstrip("\n")

    def send(self, frame):
        assert self.do("send", frame.hex()) == "ok"

    def drain(self):
        words = self.do("drain").split()
        assert words[:1] == ["ok"], words
        return [bytes.fromhex(word) for word in words[1:]]

    def hello(self):
        """A broadcast of its own address."""
        return self.do("send", frames.ether(self.mac, frames.BROADCAST).hex())

    def end(self):
        self.process.stdin.close()
        self.process.stdin = None  # there is nothing to flush at the end of the test
        self.process.wait(10)
