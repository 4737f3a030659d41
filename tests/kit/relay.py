# SPDX-License-Identifier: GPL-2.0-or-later
"""priv under test: vnetd whose engine and workers do what the test says (tests/net/relay.h).

    priv = relay.Priv(host, folder)         host: ns.Host or ns.Netns
    priv.start()
    priv.engine.ask("BRIDGE_SET", net=8, mtu=1500)      -> the REPLY, .err 0 or the test fails
    priv.engine.ask("BRIDGE_DEL", net=9, err=errno.ENODEV).text
    priv.dhcpd.ask("LEASE_DIR", net=8).fds              -> descriptors, closed with the peer

Fixtures, to be imported by name: `host`, a machine of its own without an installation, whose
/dev/net/tun is its own too; `priv`, a Priv in it, started; `guest`, an empty namespace.
"""

import array
import fcntl
import os
import select
import signal
import socket

import pytest

from . import built, msg, ns, proc


class Closed(Exception):
    """The other side has closed the channel."""


class Peer:
    """The place of one child: sends and receives what its channel to priv carries."""

    def __init__(self, host, role):
        self.role, self._ids, self._fds = role, 0, []
        self.events = []  # messages with id 0, in order
        self.listener = []  # the client socket, of which an engine has the only copy
        self._sock = proc.wait_until(f"the {role} relay listens", lambda: self._connect(host))

    def _connect(self, host):
        with host.enter():
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            sock.connect(b"\0vnet-relay-" + self.role.encode())
        except OSError:
            sock.close()
            raise
        return sock

    def send(self, data, fds=()):
        """Raw bytes: well-formed or not."""
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        self._sock.sendmsg([data], rights)

    def receive(self, timeout=10):
        """The next message, its descriptors in `.fds`; Closed when there will be none."""
        if not select.select([self._sock], [], [], timeout)[0]:
            raise AssertionError(f"nothing from priv for {self.role} within {timeout} s")
        data, fds, _, _ = socket.recv_fds(self._sock, 65536, 32)
        if not data:
            raise Closed
        found = msg.decode(data)
        found.fds = list(fds)
        if found.type == "ENGINE_INIT":
            self.listener = fds
        self._fds += fds
        return found

    def tell(self, name, fds=(), **fields):
        """An event or a row: no answer."""
        self.send(msg.encode(name, **fields), fds)

    def request(self, name, fds=(), **fields):
        """Sends a request without waiting; its id."""
        self._ids += 1
        self.send(msg.encode(name, self._ids, **fields), fds)
        return self._ids

    def answer(self, ident):
        """Waits for the REPLY to a request: (rows before it, reply)."""
        rows = []
        while True:
            found = self.receive()
            if found.id == 0:
                self.events.append(found)
                continue
            assert found.id == ident, f"answers out of order: {found}"
            if found.type == "REPLY":
                return rows, found
            rows.append(found)

    def ask(self, name, fds=(), err=0, **fields):
        """Sends a request and returns its REPLY, which must carry this errno."""
        _, reply = self.answer(self.request(name, fds, **fields))
        assert reply.err == err, f"{name} {fields}: {os.strerror(reply.err)}: {reply.text}"
        assert err == 0 or not reply.fds
        return reply

    def ask_many(self, requests, window=64):
        """Sends (name, fields) one behind the other without waiting for each; all must succeed."""
        pending = []
        for name, fields in requests:
            pending.append(self.request(name, **fields))
            if len(pending) == window:
                self._succeeded(pending.pop(0))
        while pending:
            self._succeeded(pending.pop(0))

    def _succeeded(self, ident):
        _, reply = self.answer(ident)
        assert reply.err == 0, f"{os.strerror(reply.err)}: {reply.text}"

    def event(self, name, timeout=10):
        """The next event of that name."""
        while True:
            for n, found in enumerate(self.events):
                if found.type == name:
                    return self.events.pop(n)
            found = self.receive(timeout)
            assert found.id == 0, found
            self.events.append(found)

    def close(self):
        for fd in self._fds:
            try:
                os.close(fd)
            except OSError:
                pass  # the test has closed it
        self._sock.close()


class Priv:
    """One vnetd with relays for children. `config`, `state`, `run`: its folders; `log`."""

    def __init__(self, host, folder):
        self.host = host
        self.config, self.state, self.run = folder / "etc", folder / "lib", folder / "run"
        self.libexec = folder / "libexec"
        self.log = folder / "vnetd.log"
        self.program = built.program("tests/net/vnetd-relay")
        self.libexec.mkdir()
        for name in ("vnet-dhcpd", "vnet-natd", "vnet-redird"):
            (self.libexec / name).symlink_to(built.program("tests/net/worker-relay"))
        self.process, self._peers, self.environment = None, {}, {}

    @property
    def dirs(self):
        """The options that name its folders."""
        pairs = zip(("config", "state", "run", "libexec"), self._folders())
        return [f"--{name}-dir={path}" for name, path in pairs]

    def _folders(self):
        return self.config, self.state, self.run, self.libexec

    def argv(self, *args):
        return [self.program, *self.dirs, *args]

    def start(self, *args, **kw):
        """Starts it in the foreground; returns once its engine is there."""
        self.forget_peers()
        env = {**os.environ, **self.environment}
        self.process = self.host.popen(*self.argv("-dd", *args), log=self.log, env=env, **kw)
        self.peer("engine")
        return self

    def refused(self, *args, wrap=(), **kw):
        """Runs a vnetd that must not start; what it said."""
        res = self.host.run(*wrap, *self.argv("-d", *args), check=False, **kw)
        assert res.rc == 1, res
        return res.err

    def peer(self, role):
        """The test's end of a child's channel; made anew when the child was."""
        if role not in self._peers:
            self._peers[role] = Peer(self.host, role)
        return self._peers[role]

    def forget_peers(self, *roles):
        for role in roles or list(self._peers):
            if role in self._peers:
                self._peers.pop(role).close()

    engine = property(lambda self: self.peer("engine"))
    dhcpd = property(lambda self: self.peer("dhcpd"))
    natd = property(lambda self: self.peer("natd"))
    redird = property(lambda self: self.peer("redird"))

    def pid_of(self, role):
        """Process id of "priv" or of a child, once it runs its program."""
        return proc.wait_until(f"{role} runs", lambda: self._find(role))

    def _find(self, role, but=0):
        if role == "priv":
            return self.process.pid
        for pid in proc.descendants(self.process.pid)[1:]:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                argv = file.read().decode().split("\0")
            name = "engine" if "-Rengine" in argv else argv[0].removeprefix("vnet-")
            if name == role and pid != but:
                return pid
        return 0

    def successor(self, role, old):
        """Waits until a child is there that is not `old`; its process id."""
        self.forget_peers(role)
        return proc.wait_until(f"{role} is started again", lambda: self._find(role, old))

    # --- what most tests begin with ------------------------------------------------------------

    def bridge(self, net=8, mtu=1500, text="", profile="HOST"):
        """vmnetN and its sysctls."""
        self.engine.ask("BRIDGE_SET", net=net, mtu=mtu, text=text)
        number = msg.NUMBERS[f"SYSCTL_PROFILE_{profile}"]
        self.engine.ask("SYSCTL_SET", net=net, ifname=f"vmnet{net}", profile=number)

    def network(self, net=8):
        """A bridge with the addresses 10.0.N.1, .2 and .254, and the route."""
        self.bridge(net)
        for last in (1, 2, 254):
            self.engine.ask("ADDR_ADD", net=net, addr=f"10.0.{net}.{last}")
        self.engine.ask("ROUTE_ADD", net=net, dst=f"10.0.{net}.0", len=24, src=f"10.0.{net}.1")

    def gate(self, ifname="vmnet8p1", err=0, **fields):
        """Sets a port's gate; without fields its first address is its own, and there are no guards."""
        values = {"net": 8, "ifname": ifname, "mac_policy": msg.NUMBERS["MAC_POLICY_STICKY"],
                  **fields}
        return self.engine.ask("GATE_SET", err=err, **values)

    def plug(self, ifname="vmnet8p1", net=8):
        """What follows a new port: its gate, and up."""
        self.gate(ifname, net=net)
        self.engine.ask("PORT_SET", net=net, ifname=ifname, up=True)

    def tap(self, n=1, err=0, plug=True, **fields):
        """Port n of vmnet8 as a tap, up; the reply has its descriptors."""
        values = {"net": 8, "ifname": f"vmnet8p{n}", "mac": f"fe:00:08:00:00:{n:02x}",
                  "queues": 1, "owner": 0xFFFFFFFF, "mtu": 1500, "text": f"port={n}", **fields}
        reply = self.engine.ask("TAP_ADD", err=err, **values)
        if plug and not err:
            self.plug(values["ifname"], values["net"])
        return reply

    def veth(self, guest, n=1, err=0, plug=True, **fields):
        """Port n of vmnet8, up, as a pair whose other end is eth0 of a ns.Netns."""
        values = {"net": 8, "ifname": f"vmnet8p{n}", "mac": f"fe:00:08:00:00:{n:02x}", "mtu": 1500,
                  "peer_name": "eth0", "peer_mac": f"00:50:56:00:00:{n:02x}", "text": f"port={n}",
                  **fields}
        with open(f"/run/netns/{guest.name}", "rb") as namespace:
            reply = self.engine.ask("VETH_ADD", [namespace.fileno()], err=err, **values)
        if plug and not err:
            self.plug(values["ifname"], values["net"])
        return reply

    # --- the end -------------------------------------------------------------------------------

    def stop(self, sig=signal.SIGTERM, timeout=10):
        """Ends it; the exit status. Its children are gone too then."""
        tree = proc.descendants(self.process.pid)
        proc.kill(self.process.pid, sig)
        status = self.process.wait(timeout)
        proc.wait_until("all processes ended", lambda: not any(map(proc.alive, tree)))
        self.forget_peers()
        return status

    def teardown(self, **kw):
        """`vnetd --teardown`; the test's copy of the client socket ends as an engine's would."""
        if "engine" in self._peers:
            for fd in self._peers["engine"].listener:
                os.close(fd)
        return self.host.run(*self.argv("--teardown"), **kw)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.stop(signal.SIGKILL)
        self.forget_peers()


def memfd(content, sealed=True):
    """A memfd as an engine passes file contents."""
    fd = os.memfd_create("content", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, content)
    if sealed:
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def close(reply):
    """Closes the descriptors of a REPLY."""
    for fd in reply.fds:
        os.close(fd)


@pytest.fixture
def guest(host):
    """A namespace to put the other end of a veth into."""
    made = ns.Netns(f"{host.name}-g")
    yield made
    made.delete()


@pytest.fixture
def host(machine, folder):
    made = ns.Host(f"vt{os.getpid()}-priv", folder / "host")
    made.sh(
        """
        mkdir -p /dev/net
        mount -t tmpfs -o mode=0755 tmpfs /dev/net
        mknod -m 0666 /dev/net/tun c 10 200
        """
    )
    yield made
    made.delete()


PRELOADED = {"clsact": "old-kernel", "upgrades": "other-build"}


@pytest.fixture
def priv(host, folder, request):
    """With the parameter "clsact" as on a kernel without tcx; "upgrades": each start is as of another build."""
    made = Priv(host, folder)
    library = PRELOADED.get(getattr(request, "param", None))
    if library:
        made.environment = {"LD_PRELOAD": str(built.program(f"tests/net/lib{library}.so"))}
    yield made.start()
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed:
        print(f"--- vnetd's log\n{made.log_text()}")
    made.close()
