# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP from a real QEMU guest to the host: on vmnet8 through our helper, and on a plain bridge through QEMU's.

Two guests of the same kernel and initramfs run at the same time (TCG); each serves zeros to whoever connects.
The host reads from one, then from the other, for the same time; every second pair begins with the other.
"""

import pathlib
import socket
import tempfile
import time

from kit import daemon, lab as labs, proc, vm
from table import Table

SECONDS = 2.0
QEMU_HELPER = "/usr/lib/qemu/qemu-bridge-helper"
PORT = 5001
SCRIPT = """
ip addr add {address}/24 dev eth0
ip link set eth0 up
result up yes
nc -ll -p {port} -e cat /dev/zero &
await_line
"""


def throughput(host, address):
    """Gbit/s that the host reads from the guest."""
    with host.enter():
        sock = socket.create_connection((address, PORT), timeout=10)
    with sock:
        buffer = bytearray(1 << 20)
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            sock.recv_into(buffer)
        got, begin = 0, time.monotonic()
        while (now := time.monotonic()) < begin + SECONDS:
            got += sock.recv_into(buffer)
        return got * 8 / (now - begin) / 1e9


def boot(lab, name, address, network, helper):
    folder = lab.tmp / name
    folder.mkdir()
    script = SCRIPT.format(address=address, port=PORT)
    made = vm.guest(lab.host, folder, script, user=None, network=network, helper=helper)
    made.wait("up")
    return made


def measure(*, tools, raw, pairs):
    """`pairs` interleaved pairs."""
    del tools
    labs.need_users()
    table = Table("guest: TCP from a QEMU guest to the host, Gbit/s", raw)
    with tempfile.TemporaryDirectory(prefix="vb-") as folder:
        tmp = pathlib.Path(folder)
        tmp.chmod(0o755)
        lab = labs.Lab(tmp, daemon.stage())
        try:
            lab.vnetd.write("networking", daemon.NETWORKING)
            lab.vnetd.start()
            lab.host.run("ip", "link", "add", "plain0", "type", "bridge", "stp_state", 0, "forward_delay", 0)
            lab.host.run("ip", "addr", "add", "10.181.9.1/24", "dev", "plain0")
            lab.host.run("ip", "link", "set", "plain0", "up")
            lab.host.sh("mkdir -p /etc/qemu && echo 'allow plain0' >/etc/qemu/bridge.conf")
            helper = f"{daemon.HELPER} --run-dir={lab.vnetd.run}"
            ours_vm = boot(lab, "ours", "10.181.8.50", "vmnet8", helper)
            plain_vm = boot(lab, "plain", "10.181.9.50", "plain0", QEMU_HELPER)
            ours, plain = [], []
            for i in range(pairs):
                turns = [("10.181.8.50", ours), ("10.181.9.50", plain)]
                for address, values in turns if i % 2 == 0 else reversed(turns):
                    values.append(throughput(lab.host, address))
                table.raw(pair=i, vmnet8=round(ours[-1], 3), plain_bridge=round(plain[-1], 3))
            table.ratio("vmnet8 / plain bridge", ours, plain, least=0.98)
            for machine in (ours_vm, plain_vm):
                proc.kill(machine.process.pid)
        finally:
            lab.close()
    return table
