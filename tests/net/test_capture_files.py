# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of the files and pipes that are captured into."""

import os

import pytest

from tests.net.test_capture import Running, capture, check_file, numbered, ours, seg  # noqa: F401 - a fixture

OLD = b"an older capture" * 1000


@pytest.mark.parametrize("tool", ["vnetctl", "vnet-sniffer"])
def test_a_capture_that_does_not_begin_leaves_the_file(vnetd, folder, member, tool):
    folder.chmod(0o777)
    path = folder / "old.pcapng"
    ring = [folder / f"old.00{i}.pcapng" for i in (1, 2)]
    for one in [path, *ring]:
        one.write_bytes(OLD)
        one.chmod(0o666)
    if tool == "vnetctl":
        calls = [
            (member, "capture", "vmnet8", "-w", path),
            (member, "capture", "vmnet8", "-w", path, "--ring", "2,16K"),
            (None, "capture", "vmnet8", "-w", path, "--filter", "tcp prot 80"),
            (None, "capture", "vmnet8", "-w", path, "--port", "nobody"),
            (None, "capture", "vmnet77", "-w", path),
        ]
        for user, *args in calls:
            assert vnetd.ctl(*args, user=user, check=False).rc != 0
    else:
        argv = ["vnet-sniffer", f"--run-dir={vnetd.run}", "-w", path, "vmnet8"]
        assert vnetd.host.run(*argv, user=member, check=False).rc == 1
    assert all(one.read_bytes() == OLD for one in [path, *ring])


def test_a_capture_that_begins_empties_its_files_first(seg, folder):
    path = folder / "x.pcapng"
    ring = [folder / f"x.00{i}.pcapng" for i in (1, 2)]
    for one in [path, *ring]:
        one.write_bytes(OLD)
    sent = numbered(seg, "a", seg.mac["b"], 3)
    for used, args in ((path, []), (ring[0], ["--ring", "2,16K"])):
        run = capture(seg.vnetd, path, *args)
        seg.send("a", *sent)
        assert run.stop() == 0, run.said
        check_file(used)
        assert ours(used) == sent
    assert ring[1].read_bytes() == b""
    # What a shell has opened is the shell's.
    path.write_bytes(OLD)
    words = " ".join(map(str, ["vnetctl", *seg.vnetd.dirs, "capture", "vmnet8", "-c", "1", "-w", "-"]))
    run = Running(seg.vnetd.host, ["sh", "-c", f"exec {words} >> {path}"], path)
    seg.send("a", *sent)
    assert run.process.wait(10) == 0, run.said
    assert path.read_bytes().startswith(OLD) and path.stat().st_size > len(OLD)


@pytest.mark.parametrize("tool", ["vnetctl", "vnet-sniffer"])
def test_a_named_pipe_whose_reader_goes_ends_the_capture(seg, folder, tool):
    path = folder / "fifo.pcapng"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if tool == "vnetctl":
        run = capture(seg.vnetd, path)
    else:
        run = Running(seg.vnetd.host, ["vnet-sniffer", f"--run-dir={seg.vnetd.run}", "-w", path, "vmnet8"], path)
    os.close(reader)
    seg.send("a", *numbered(seg, "a", seg.mac["b"], 3))
    assert run.process.wait(10) == 0, run.said


@pytest.mark.parametrize("words", ["vnetctl capture vmnet8 -w -", "vnet-sniffer -w - vmnet8"], ids=lambda w: w.split()[0])
def test_a_terminal_is_not_written_to(vnetd, folder, words):
    name, *rest = words.split()
    call = f"timeout 5 {name} --run-dir={vnetd.run} {' '.join(rest)}"
    res = vnetd.host.run("script", "-qec", call, folder / "typescript", check=False)
    assert res.rc == 1
    assert f"{name}: a terminal cannot show packets. Write to a file or a pipe" in res.out
