# SPDX-License-Identifier: GPL-2.0-or-later
"""What is attached to a link by tcx, which tools from before Linux 6.6 do not show.

    host.run("python3", tcx.__file__, "vmnet8p1", "ingress").out     a line "ID NAME" for each program
    host.run("python3", tcx.__file__, "vmnet8p1", "ingress", "detach")    takes them all away
    host.run("python3", tcx.__file__, "vmnet8p1", "ingress", "empty")     adds one that does nothing
    host.run("python3", tcx.__file__, "--count", "ingress").out      how many links have some
"""

import ctypes
import errno
import os
import platform
import socket
import struct
import sys

SYS_BPF = {"x86_64": 321, "aarch64": 280, "riscv64": 280}[platform.machine()]
PROG_LOAD, PROG_ATTACH, PROG_DETACH, PROG_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD, PROG_QUERY = 5, 8, 9, 13, 15, 16
SCHED_CLS = 3
# r0 = -1 (TCX_NEXT); exit
NOTHING = struct.pack("=BBhi", 0xB7, 0, 0, -1) + struct.pack("=BBhi", 0x95, 0, 0, 0)
HOOKS = {"ingress": 46, "egress": 47}
NAME_AT, NAME_BYTES, INFO_BYTES = 64, 16, 128  # of struct bpf_prog_info

libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    """Attributes as bytes; as the kernel leaves them."""
    buffer = ctypes.create_string_buffer(attr, max(len(attr), 144))
    result = libc.syscall(SYS_BPF, command, buffer, len(buffer))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result, buffer.raw


def ids(ifindex, hook):
    found = (ctypes.c_uint32 * 64)()
    attr = struct.pack("=4IQ2I", ifindex, HOOKS[hook], 0, 0, ctypes.addressof(found), 64, 0)
    try:
        _, attr = bpf(PROG_QUERY, attr)
    except OSError as e:
        if e.errno in (errno.ENOENT, errno.EINVAL):  # nothing was ever attached; a kernel without tcx
            return []
        raise
    return list(found[: struct.unpack_from("=I", attr, 24)[0]])


def name(prog):
    info = ctypes.create_string_buffer(INFO_BYTES)
    bpf(OBJ_GET_INFO_BY_FD, struct.pack("=2IQ", prog, INFO_BYTES, ctypes.addressof(info)))
    return info.raw[NAME_AT : NAME_AT + NAME_BYTES].split(b"\0")[0].decode()


def empty():
    """A program that lets everything pass."""
    code, text = ctypes.create_string_buffer(NOTHING), ctypes.create_string_buffer(b"GPL")
    attr = struct.pack("=2I2Q", SCHED_CLS, len(NOTHING) // 8, ctypes.addressof(code), ctypes.addressof(text))
    return bpf(PROG_LOAD, attr)[0]


def main():
    if sys.argv[1] == "--count":
        print(sum(bool(ids(ifindex, sys.argv[2])) for ifindex, _ in socket.if_nameindex()))
        return
    ifindex = socket.if_nametoindex(sys.argv[1])
    if "empty" in sys.argv:
        bpf(PROG_ATTACH, struct.pack("=4I", ifindex, empty(), HOOKS[sys.argv[2]], 0))
    for ident in ids(ifindex, sys.argv[2]):
        prog, _ = bpf(PROG_GET_FD_BY_ID, struct.pack("=I", ident))
        print(ident, name(prog))
        if "detach" in sys.argv:
            bpf(PROG_DETACH, struct.pack("=4I", ifindex, prog, HOOKS[sys.argv[2]], 0))


if __name__ == "__main__":
    main()
