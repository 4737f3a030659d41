# SPDX-License-Identifier: GPL-2.0-or-later
"""priv from outside: what it is, how it starts, keeps its children alive, and ends.

The verbs themselves are in test_priv_verbs.py, --teardown in test_teardown.py.
"""

import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from tests.kit import msg, proc, relay
from tests.kit.relay import host, priv  # noqa: F401 - fixtures

NET_BIND_SERVICE, NET_ADMIN, NET_RAW, SYS_CHROOT = 10, 12, 13, 18
CHILDREN = ["engine", "dhcpd", "natd"]


def caps(pid):
    status = proc.status(pid)
    return {name: int(status[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")}


def uid_of(user):
    return int(proc.run(["id", "-u", user]).out)


# --- privileges --------------------------------------------------------------------------------


def test_priv_holds_four_capabilities_and_no_more(priv):
    four = sum(1 << c for c in (NET_BIND_SERVICE, NET_ADMIN, NET_RAW, SYS_CHROOT))
    want = {"Inh": 1 << SYS_CHROOT, "Prm": four, "Eff": four, "Bnd": 0, "Amb": 0}
    assert caps(priv.pid_of("priv")) == want


@pytest.mark.parametrize("child", CHILDREN)
def test_child_holds_nothing(priv, child):
    priv.peer(child)  # it serves: it has entered its sandbox
    pid = priv.pid_of(child)
    assert set(caps(pid).values()) == {0}
    assert os.readlink(f"/proc/{pid}/root") == str(priv.run / "empty")
    assert os.readlink(f"/proc/{pid}/cwd") == str(priv.run / "empty")
    assert os.listdir(f"/proc/{pid}/root") == []


def test_every_process_has_the_name_of_its_program(priv):
    names = {"priv": "vnetd", "engine": "vnetd", "dhcpd": "vnet-dhcpd", "natd": "vnet-natd"}
    for who, name in names.items():
        if who != "priv":
            priv.peer(who)
        assert proc.comm(priv.pid_of(who)) == name


@pytest.mark.parametrize("who", ["priv", *CHILDREN])
def test_every_process_is_vnet_without_new_privileges_and_filtered(priv, who):
    if who != "priv":
        priv.peer(who)
    status = proc.status(priv.pid_of(who))
    assert status["Uid"].split() == [str(uid_of("_vnet"))] * 4
    assert status["Groups"].split() == []
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_child_has_only_its_own_descriptors(priv):
    for child, want in (("engine", {"0", "1", "2", "3"}), ("dhcpd", {"0", "1", "2", "3", "4"})):
        priv.peer(child)
        pid = priv.pid_of(child)
        found = set(os.listdir(f"/proc/{pid}/fd"))
        # The relay's own two sockets: its listener and the test.
        assert found - want <= {"4", "5", "6"} and want <= found
        for null in ("0", "1"):
            assert os.readlink(f"/proc/{pid}/fd/{null}") == "/dev/null"


def test_descriptors_of_the_caller_are_not_kept(host, folder):
    made = relay.Priv(host, folder)
    read, write = os.pipe()
    try:
        made.start(pass_fds=(read, write))
        pipe = os.readlink(f"/proc/self/fd/{read}")
        held = [os.readlink(f"/proc/{made.process.pid}/fd/{n}")
                for n in os.listdir(f"/proc/{made.process.pid}/fd")]
        assert pipe not in held
    finally:
        os.close(read)
        os.close(write)
        made.close()


def test_start_with_closed_standard_descriptors(host, folder):
    made = relay.Priv(host, folder)
    try:
        made.process = host.popen("sh", "-c", 'exec "$@" <&- >&- 2>&-', "-", *made.argv("-d"))
        assert made.engine.ask("IP_FORWARD")
        for n in "012":
            assert os.readlink(f"/proc/{made.process.pid}/fd/{n}") == "/dev/null"
    finally:
        made.close()


def test_folders_and_socket_have_owners_and_modes(priv):
    vnet, group = uid_of("_vnet"), int(proc.run(["getent", "group", "vnet"]).out.split(":")[2])
    for path, mode, owner in (
        (priv.config, 0o755, vnet), (priv.state, 0o755, vnet),
        (priv.run, 0o755, 0), (priv.run / "empty", 0o555, 0),
    ):
        st = path.stat()
        assert (stat.S_IMODE(st.st_mode), st.st_uid) == (mode, owner), path
    st = (priv.run / "vnetd.sock").stat()
    assert stat.S_ISSOCK(st.st_mode)
    assert (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid) == (0o660, 0, group)


def test_folders_that_root_made_become_vnets_but_links_are_not_followed(host, folder):
    made = relay.Priv(host, folder)
    victim = folder / "victim"
    victim.mkdir()
    for path in ("vmnet8/dhcpd", "vmnet8/nat", "other"):
        (made.config / path).mkdir(parents=True)
    (made.config / "vmnet9").symlink_to(victim)
    (made.config / "vmnet8" / "dhcpd" / "dhcpd.conf").write_text("")
    (made.state / "vmnet8").mkdir(parents=True)
    (made.state / "vmnet8" / "dhcpd.leases").write_text("")
    (folder / "linked").write_text("")
    os.link(folder / "linked", made.state / "vmnet8" / "dhcpd.leases~")
    try:
        made.start()
        vnet = uid_of("_vnet")
        for path in (made.config / "vmnet8", made.config / "vmnet8/dhcpd",
                     made.config / "vmnet8/nat", made.state / "vmnet8",
                     made.state / "vmnet8/dhcpd.leases"):
            assert path.stat().st_uid == vnet, path
        # Not a network's, behind a link, a file that is replaced and not written, two names.
        for path in (made.config / "other", victim, folder / "linked",
                     made.config / "vmnet8/dhcpd/dhcpd.conf"):
            assert path.stat().st_uid == 0, path
    finally:
        made.close()


# --- children ----------------------------------------------------------------------------------


def test_engine_is_told_the_group_and_gets_the_client_socket(priv):
    first = priv.engine.event("ENGINE_INIT")
    assert first.group_gid == int(proc.run(["getent", "group", "vnet"]).out.split(":")[2])
    assert not first.restarted
    listener = socket.socket(fileno=os.dup(first.fds[0]))
    assert listener.getsockname() == str(priv.run / "vnetd.sock")
    assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    listener.close()


def test_engine_and_workers_are_connected(priv):
    ups = {priv.engine.event("WORKER_UP").role for _ in range(2)}
    assert ups == {msg.NUMBERS["ROLE_DHCPD"], msg.NUMBERS["ROLE_NATD"]}


@pytest.mark.parametrize("worker", ["dhcpd", "natd"])
def test_killed_worker_comes_back_and_the_others_do_not_notice(priv, worker):
    role = msg.NUMBERS[f"ROLE_{worker.upper()}"]
    for _ in range(2):
        priv.engine.event("WORKER_UP")
    before = {who: priv.pid_of(who) for who in ["priv", *CHILDREN]}
    proc.kill(before[worker])
    gone = priv.engine.event("WORKER_GONE")
    assert (gone.role, gone.retry_ms) == (role, 0)
    assert "killed by signal 9" in gone.how
    up = priv.engine.event("WORKER_UP")
    assert up.role == role and len(up.fds) == 1
    after = {who: priv.pid_of(who) for who in ["priv", *CHILDREN]}
    changed = {who for who in before if before[who] != after[who]}
    assert changed == {worker}
    priv.forget_peers(worker)
    assert priv.peer(worker)


def test_killed_engine_comes_back_and_is_connected_with_the_same_workers(priv):
    workers = {who: priv.pid_of(who) for who in ("dhcpd", "natd")}
    old = priv.pid_of("engine")
    priv.dhcpd, priv.natd  # both listen
    proc.kill(old)
    priv.successor("engine", old)
    assert priv.engine.event("ENGINE_INIT").restarted
    for _ in range(2):
        priv.engine.event("WORKER_UP")
    for worker in ("dhcpd", "natd"):
        assert len(priv.peer(worker).event("ENGINE_CHAN").fds) == 1
    assert workers == {who: priv.pid_of(who) for who in ("dhcpd", "natd")}


def test_worker_and_engine_talk_over_the_channel_that_priv_made(priv):
    old = priv.pid_of("engine")
    proc.kill(old)
    priv.successor("engine", old)
    ends = {}
    for _ in range(2):
        up = priv.engine.event("WORKER_UP")
        ends[up.role] = socket.socket(fileno=os.dup(up.fds[0]))
    worker = socket.socket(fileno=os.dup(priv.natd.event("ENGINE_CHAN").fds[0]))
    worker.send(b"hello")
    engine = ends[msg.NUMBERS["ROLE_NATD"]]
    engine.settimeout(5)
    assert engine.recv(100) == b"hello"
    for sock in (worker, *ends.values()):
        sock.close()


def test_child_that_keeps_dying_is_started_less_and_less_often(priv):
    delays = []
    for _ in range(2):
        priv.engine.event("WORKER_UP")
    for _ in range(4):
        proc.kill(priv.pid_of("natd"))
        delays.append(priv.engine.event("WORKER_GONE").retry_ms)
        priv.engine.event("WORKER_UP")
    assert delays == [0, 100, 200, 400]


def test_missing_worker_is_reported_and_tried_again(host, folder):
    made = relay.Priv(host, folder)
    (made.libexec / "vnet-natd").unlink()
    try:
        made.start()
        gone = made.engine.event("WORKER_GONE")
        assert (gone.role, gone.how) == (msg.NUMBERS["ROLE_NATD"], "exit status 127")
        assert f"cannot start {made.libexec}/vnet-natd: No such file" in made.log_text()
        (made.libexec / "vnet-natd").symlink_to(relay.built.program("tests/net/worker-relay"))
        assert made.natd
    finally:
        made.close()


@pytest.mark.parametrize("child, data", [
    ("dhcpd", msg.encode("BRIDGE_SET", 1, net=8, mtu=1500)),  # another role's verb
    ("engine", msg.encode("SOCK_DNS", 1, net=8, addr="10.0.8.2")),
    ("natd", msg.encode("REPLY", 1)),  # nobody's verb
    ("engine", msg.encode("BRIDGE_DEL", 0, net=8)),  # a request without an id
    ("natd", msg.encode("NAT_BEGIN", 5)),  # a row with one
    ("engine", b"\0\0"),
    ("engine", msg.encode("BRIDGE_DEL", 1, net=8) + b"x"),
    ("dhcpd", b"\xff" * 4096),
])
def test_child_that_breaks_the_protocol_is_ended_and_started_again(priv, child, data):
    old = priv.pid_of(child)
    priv.peer(child).send(data)
    priv.successor(child, old)
    assert priv.peer(child)
    assert "ending it" in priv.log_text()
    assert "vmnet8" not in priv.host.links()


def test_descriptors_that_a_message_does_not_carry_end_the_child(priv):
    old = priv.pid_of("engine")
    read, write = os.pipe()
    priv.engine.send(msg.encode("BRIDGE_DEL", 1, net=8), [read])
    os.close(read)
    os.close(write)
    priv.successor("engine", old)
    assert "descriptors: ending it" in priv.log_text()


def test_refused_arguments_are_answered_and_harmless(priv):
    reply = priv.engine.ask("TAP_ADD", net=8, ifname="eth0", mac="fe:00:00:00:00:01", queues=1,
                            mtu=1500, err=1)
    assert reply.text == "TAP_ADD refused: not a name for a tap of this network"
    assert priv.engine.ask("IP_FORWARD").text in ("0", "1")


def test_hangup_is_a_reload(priv):
    proc.kill(priv.pid_of("priv"), signal.SIGHUP)
    priv.engine.event("RELOAD")


def test_log_level_reaches_the_workers_unless_it_was_given(host, folder):
    made = relay.Priv(host, folder)
    try:
        made.process = host.popen(*made.argv("-d"), log=made.log)
        made.engine.tell("LOG_LEVEL", level=3)
        assert made.dhcpd.event("LOG_LEVEL").level == 3
        made.engine.ask("IP_FORWARD")
        assert "engine: IP_FORWARD: done" in made.log_text()
        made.stop()
        made.start()  # -dd
        made.engine.tell("LOG_LEVEL", level=0)
        made.engine.ask("IP_FORWARD")
        assert made.log_text().count("engine: IP_FORWARD: done") == 2
    finally:
        made.close()


# --- start and end -----------------------------------------------------------------------------


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_stop_ends_every_process_and_leaves_every_link(priv, sig):
    priv.engine.ask("BRIDGE_SET", net=8, mtu=1500)
    assert priv.stop(sig) == 0
    assert "vmnet8" in priv.host.links()


def test_stop_ends_a_child_that_does_not_listen(priv):
    pid = priv.pid_of("natd")
    priv.natd
    proc.kill(pid, signal.SIGSTOP)
    assert priv.stop() == 0
    assert not proc.alive(pid)


def test_children_end_when_priv_is_killed(priv):
    priv.stop(signal.SIGKILL)  # waits for them


def test_next_start_after_a_kill(priv):
    priv.engine.ask("BRIDGE_SET", net=8, mtu=1500, text="NAT")
    before = priv.host.links()["vmnet8"]["ifindex"]
    priv.stop(signal.SIGKILL)
    priv.start()
    priv.engine.ask("BRIDGE_SET", net=8, mtu=1500, text="NAT")
    assert priv.host.links()["vmnet8"]["ifindex"] == before


def test_second_instance_is_refused(priv):
    said = priv.refused()
    assert f"vnetd runs already with this run folder ({priv.run}): process {priv.pid_of('priv')}" in said
    assert priv.engine.ask("IP_FORWARD")  # the first does not notice


def test_service_manager_hears_of_ready_status_and_stop(host, folder):
    made = relay.Priv(host, folder)
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(folder / "notify"))
    os.chmod(folder / "notify", 0o777)
    manager.settimeout(5)
    try:
        env = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}
        # Neither -d nor the background: the manager wants to see this very process.
        made.process = host.popen(*made.argv(), log=made.log, env=env)
        made.engine.tell("ENGINE_READY", text="2 networks")
        assert manager.recv(1000) == b"READY=1\nSTATUS=2 networks"
        made.engine.tell("ENGINE_READY", text="3 networks")
        assert manager.recv(1000) == b"STATUS=3 networks"
        made.stop()
        assert manager.recv(1000) == b"STOPPING=1"
    finally:
        made.close()
        manager.close()


ACTIVATE = """
import os, socket, sys
path = sys.argv[1]
sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
sock.bind(path)
sock.listen()
os.dup2(sock.fileno(), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_socket_of_the_service_manager_is_used(host, folder):
    made = relay.Priv(host, folder)
    made.run.mkdir()
    path = made.run / "vnetd.sock"
    try:
        argv = ["/usr/bin/python3", "-c", ACTIVATE, path, *made.argv("-d")]
        made.process = host.popen(*argv, log=made.log)
        inode = proc.wait_until("the socket", path.stat).st_ino
        first = made.engine.event("ENGINE_INIT")
        given = socket.socket(fileno=os.dup(first.fds[0]))
        assert given.getsockname() == str(path)
        given.close()
        assert path.stat().st_ino == inode
    finally:
        made.close()


def test_socket_that_somebody_else_serves_is_not_taken_away(host, folder):
    made = relay.Priv(host, folder)
    made.run.mkdir()
    with host.enter(), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
        other.bind(str(made.run / "vnetd.sock"))
        other.listen()
        assert "systemctl start vnetd" in made.refused()
    assert (made.run / "vnetd.sock").exists()


def test_background_start_returns_when_ready(host, folder):
    made = relay.Priv(host, folder)
    try:
        starter = host.popen(*made.argv(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        made.engine
        assert starter.poll() is None
        made.engine.tell("ENGINE_READY", text="2 networks")
        assert starter.wait(10) == 0
        assert starter.communicate() == (b"", b"")
        daemon = int((made.run / "vnetd.pid").read_text())
        assert proc.alive(daemon) and proc.status(daemon)["PPid"] != str(os.getpid())
        assert "ready: 2 networks" in (made.run / "vnetd.log").read_text()
        made.teardown()
        assert not proc.alive(daemon)
    finally:
        made.close()


def test_background_start_tells_why_it_was_refused(host, folder):
    made = relay.Priv(host, folder)
    starter = host.popen(*made.argv(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        made.engine.tell("ENGINE_REFUSED", text="networking:1:1: not a VERSION line")
        assert starter.wait(10) == 1
        said = starter.communicate()[1].decode()
        assert said == (
            "vnetd: not started: networking:1:1: not a VERSION line "
            f"({made.run}/vnetd.log)\n"
        )
        proc.wait_until("it has ended", lambda: not made.host.run(
            "flock", "-n", made.run / "vnetd.pid", "true", check=False).rc)
    finally:
        made.close()


def test_background_start_that_is_killed_says_so(host, folder):
    made = relay.Priv(host, folder)
    starter = host.popen(*made.argv(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        made.engine
        proc.kill(int((made.run / "vnetd.pid").read_text()))
        assert starter.wait(10) == 1
        said = starter.communicate()[1].decode()
        assert said == f"vnetd: ended before it was ready. See {made.run}/vnetd.log\n"
    finally:
        made.close()


def test_background_start_of_a_second_instance_is_refused(priv):
    res = priv.host.run(*priv.argv(), check=False)
    assert res.rc == 1
    assert res.err.count("\n") == 1 and "vnetd runs already" in res.err


def test_refused_configuration_ends_the_first_start_only(priv):
    priv.engine.tell("ENGINE_READY", text="")
    priv.engine.tell("ENGINE_REFUSED", text="networking:1:1: not a VERSION line")
    assert priv.engine.ask("IP_FORWARD")
    priv.stop()
    priv.start()
    priv.engine.tell("ENGINE_REFUSED", text="networking:1:1: not a VERSION line")
    assert priv.process.wait(10) == 1
    assert "not started: networking:1:1: not a VERSION line" in priv.log_text()


def test_start_without_root_says_what_to_do(host, folder, stranger):
    made = relay.Priv(host, folder)
    for args in (["-d"], ["--teardown"]):
        res = host.run(*made.argv(*args), user=stranger, check=False)
        assert res.rc == 1 and "needs root" in res.err and "sudo" in res.err
    assert not made.run.exists() and not made.config.exists()
    for args in (["--help"], ["--version"], ["-n"]):
        host.run(*made.argv(*args), user=stranger)


@pytest.mark.parametrize("args, said", [
    (["--config-dir=etc"], "not an absolute path"),
    (["-R", "priv"], "no such role"),
    (["surplus"], "unexpected argument"),
    (["--no-such-option"], "unrecognized option"),
])
def test_wrong_usage(host, folder, args, said):
    made = relay.Priv(host, folder)
    res = host.run(*made.argv(*args), check=False)
    assert res.rc == 2 and said in res.err


@pytest.mark.parametrize("file, line, said", [
    ("passwd", "_vnet:", "there is no user _vnet. Make it: useradd"),
    ("group", "vnet:", "there is no group vnet. Make it: groupadd"),
])
def test_missing_user_or_group(host, folder, file, line, said):
    rows = host.run("cat", f"/etc/{file}").out.splitlines()
    host.write_file(f"/etc/{file}", "".join(r + "\n" for r in rows if not r.startswith(line)))
    made = relay.Priv(host, folder)
    assert said in made.refused()
    assert not made.run.exists()


def test_kernel_without_locked_ports(host, folder):
    made = relay.Priv(host, folder)
    said = made.refused(wrap=["setarch", "x86_64", "--uname-2.6"])
    assert re.search(r"kernel 2\.6\.\S+ is too old: .*locked ports", said)


@pytest.mark.parametrize("call, said", [
    ("socket:error=EPROTONOSUPPORT", "the kernel has no nf_tables"),
    # The questions in their order: two kinds of links, two parts of netfilter.
    ("sendto:error=EOPNOTSUPP:when=1", "the kernel has no bridge links. Try: modprobe bridge"),
    ("sendto:error=EOPNOTSUPP:when=2", "the kernel has no veth links"),
    ("sendto:error=EINVAL:when=3", "the kernel has no nf_tables"),
    ("sendto:error=EINVAL:when=4", "the kernel has no connection tracking"),
    ("fsmount:error=EPERM", "chmod 0666 /dev/net/tun"),
    ("mknodat:error=EPERM", "chmod 0666 /dev/net/tun"),
])
def test_kernel_that_lacks_something(host, folder, call, said):
    host.run("chmod", "0600", "/dev/net/tun")  # in this host's own /dev, see the fixture
    made = relay.Priv(host, folder)
    wrap = ["strace", "-o", "/dev/null", "-e", f"inject={call}"]
    assert said in made.refused(wrap=wrap)


def test_no_tun_in_the_kernel(host, folder):
    host.run("rm", "/dev/net/tun")
    made = relay.Priv(host, folder)
    # The open of the node that vnetd has made itself.
    wrap = ["strace", "-o", "/dev/null", "-P", "tun", "-e", "inject=openat:error=ENXIO"]
    said = made.refused(wrap=wrap)
    assert "the kernel has no tun device" in said and "CONFIG_TUN" in said


@pytest.mark.parametrize("node", ["open to all", "root's", "missing"])
def test_taps_work_whatever_the_node_of_tun_looks_like(host, folder, node):
    host.run(*{
        "open to all": ["chmod", "0666", "/dev/net/tun"],
        "root's": ["chmod", "0600", "/dev/net/tun"],
        "missing": ["rm", "/dev/net/tun"],
    }[node])
    made = relay.Priv(host, folder)
    try:
        made.start()
        made.engine.ask("BRIDGE_SET", net=8, mtu=1500)
        for n in (1, 2):
            made.engine.ask("TAP_ADD", net=8, ifname=f"vmnet8p{n}", mac=f"fe:00:08:00:00:0{n}",
                            owner=1000, queues=1, mtu=1500)
        assert {"vmnet8p1", "vmnet8p2"} <= set(host.links())
        assert host.run("sh", "-c", "ls -l /dev/net/tun || true").out.startswith(
            {"open to all": "crw-rw-rw-", "root's": "crw-------", "missing": ""}[node])
    finally:
        made.close()


def test_run_folder_that_is_not_ours(host, folder):
    made = relay.Priv(host, folder)
    (made.run / "empty").mkdir(parents=True)
    (made.run / "empty").chmod(0o777)
    assert "/empty: not an empty folder of root" in made.refused()
    made.run.chmod(0o777)
    assert f"{made.run}: must belong to root and be writable by nobody else" in made.refused()


def test_hundred_networks_come_up_in_one_go(priv):
    def verbs(net):
        yield "BRIDGE_SET", {"net": net, "mtu": 1500, "text": "host-only"}
        yield "SYSCTL_SET", {"net": net, "ifname": f"vmnet{net}"}
        for last in (1, 2, 254):
            yield "ADDR_ADD", {"net": net, "addr": f"10.99.{net}.{last}"}
        subnet = {"net": net, "dst": f"10.99.{net}.0", "len": 24, "src": f"10.99.{net}.1"}
        yield "ROUTE_ADD", subnet

    priv.engine.ask_many(verb for net in range(1, 101) for verb in verbs(net))
    links = priv.host.links()
    assert sum(name.startswith("vmnet") for name in links) == 100
    assert len(priv.host.ip("-4", "route", "show", "proto", "118")) == 100
