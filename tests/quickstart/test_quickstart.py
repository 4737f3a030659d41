# SPDX-License-Identifier: GPL-2.0-or-later
"""The README's command on a fresh Debian, pasted by a user who has nothing else.

The tests build on each other, in this order: they are one user's first hour.
"""

import json
import re

import pytest

from tests.kit import fresh, proc

README = (fresh.TREE / "README.md").read_text()
QEMU_MAC = "52:54:00:12:34:56"


def readme_command(word):
    """The README's line that calls scripts/<word>, without its comment."""
    found = re.search(rf"^    (sudo \./scripts/{word})\b.*$", README, re.MULTILINE)
    assert found, f"README.md has no line for scripts/{word}"
    return found.group(1)


def test_readme_names_both_commands_and_they_exist():
    for word in ("quickstart", "test"):
        path = readme_command(word).split()[1]
        assert (fresh.TREE / path).stat().st_mode & 0o111


# --- before: what stands in the way is said, with a cure ------------------------------------------


@pytest.mark.parametrize("options", ["--help", "-h"])
def test_help_works_without_root(debian, options):
    res = debian.alice(f"cd vnetd && ./scripts/quickstart {options}")
    assert res.out.startswith("usage: sudo ./scripts/quickstart")


def test_without_root(debian):
    res = debian.alice("cd vnetd && ./scripts/quickstart", check=False)
    assert res.rc == 1
    assert res.err == "quickstart: needs root. Try: sudo ./scripts/quickstart\n"


def test_elsewhere_than_on_debian(debian):
    release = debian.root / "etc/os-release"
    kept = release.read_text()
    release.unlink()
    release.write_text('ID=fedora\nVERSION_ID=41\nPRETTY_NAME="Fedora 41"\n')
    res = debian.alice("cd vnetd && sudo ./scripts/quickstart", check=False)
    release.write_text(kept)
    assert res.rc == 1
    assert res.err.startswith("quickstart: needs Debian 12 or later, and this is Fedora 41.\n")


def test_without_tun(debian):
    debian.run("mount", "-t", "tmpfs", "tmpfs", "/sys/class/misc")
    res = debian.alice("cd vnetd && sudo ./scripts/quickstart", check=False)
    debian.run("umount", "/sys/class/misc")
    assert res.rc == 1
    assert res.err.startswith("quickstart: the kernel has no tun device (CONFIG_TUN)")


def test_without_an_archive(debian):
    conf = debian.root / "etc/apt/apt.conf.d/01proxy"
    kept = conf.read_text()
    conf.write_text('Acquire::http::Proxy "http://127.0.0.1:9";\n')
    # Nor are there packages from an earlier time.
    debian.run("mount", "-t", "tmpfs", "tmpfs", "/var/cache/apt/archives")
    res = debian.alice("cd vnetd && sudo ./scripts/quickstart", check=False, timeout=60)
    debian.run("umount", "/var/cache/apt/archives")
    conf.write_text(kept)
    assert res.rc == 1
    assert "quickstart: apt-get could not install" in res.err


# --- the first five minutes ------------------------------------------------------------------------


def test_quickstart_as_printed_and_its_qemu_line_pasted_into_the_same_shell(debian):
    debian.run("apt-get", "-qq", "update", timeout=120)
    qemu = ["qemu-system-x86", "qemu-utils", "ipxe-qemu"]
    apt = ["apt-get", "-qq", "-y", "--no-install-recommends", "install"]
    debian.run("env", "DEBIAN_FRONTEND=noninteractive", *apt, *qemu, timeout=300)
    # One shell from beginning to end: it was logged in before the group existed.
    script = f"""
        set -u
        cd vnetd
        {readme_command("quickstart")} </dev/null | tee ~/out
        [ "${{PIPESTATUS[0]}}" = 0 ] || exit 1
        cd
        id -nG >groups
        qemu-img create -q -f qcow2 disk.qcow2 64M
        line=$(grep -m 1 -o 'sg vnet -c .*' out)
        eval "$line" >qemu.log 2>&1 </dev/null &
        for i in $(seq 300); do
            sudo vnetctl leases --json >leases 2>/dev/null
            if grep -q {QEMU_MAC} leases; then break; fi
            sleep 0.2
        done
        for process in /proc/[0-9]*; do
            [ "$(cat $process/comm)" = qemu-system-x86 ] || continue
            stat -c %U $process >qemu.user
            kill ${{process#/proc/}}
        done
    """
    res = debian.alice(script, timeout=390, check=False)
    home = debian.root / "home" / fresh.USER

    def file(name):
        return (home / name).read_text() if (home / name).exists() else f"(no {name})"

    context = f"{res}\n--- qemu.log\n{file('qemu.log')}\n--- quickstart.log\n" + (
        (debian.root / "var/log/vnet-quickstart.log").read_text()[-3000:]
    )
    assert res.rc == 0, context
    out = file("out")
    steps = re.findall(r"^\[([1-5])/5\] (\w+) \.+ .+$", out, re.MULTILINE)
    assert [name for _, name in steps] == ["packages", "build", "install", "start", "networks"], out
    assert re.search(r"vmnet1 [\d.]+/24 \(host-only\), vmnet8 [\d.]+/24 \(NAT\)$", out, re.MULTILINE)
    assert "vnet" not in file("groups").split(), "the shell was in group vnet already"
    assert file("qemu.user").split() == [fresh.USER], context
    leases = json.loads(file("leases"))["leases"]
    assert [row["mac"] for row in leases] == [QEMU_MAC], context


def test_what_is_installed(debian):
    status = debian.run("vnetctl", "status").out
    assert re.search(r"^vmnet8 .* ok$", status, re.MULTILINE), status
    debian.run("getent", "passwd", "_vnet")
    assert fresh.USER in debian.run("getent", "group", "vnet").out
    for path in (
        "usr/sbin/vnetd",
        "usr/bin/vnetctl",
        "usr/libexec/vnet/vnet-bridge-helper",
        "usr/lib/systemd/system/vnetd.service",
        "usr/lib/systemd/network/10-vnet.link",
        "etc/vnet/networking",
        "etc/vnet/vmnet8/dhcpd/dhcpd.conf",
    ):
        assert (debian.root / path).exists(), path
    if (debian.root / "etc/qemu").exists():
        assert "allow vmnet8\n" in (debian.root / "etc/qemu/bridge.conf").read_text()


def test_source_tree_stays_the_users(debian):
    found = debian.run("find", f"/home/{fresh.USER}", "!", "-user", fresh.USER).out
    assert found == ""


def test_second_run_upgrades_and_keeps_networks_and_files(debian):
    index = debian.run("cat", "/sys/class/net/vmnet8/ifindex").out
    networking = (debian.root / "etc/vnet/networking").read_text()
    res = debian.alice(f"cd vnetd && {readme_command('quickstart')} -q", timeout=200)
    assert res.out == ""
    assert debian.run("cat", "/sys/class/net/vmnet8/ifindex").out == index
    assert (debian.root / "etc/vnet/networking").read_text() == networking
    debian.run("vnetctl", "status")
    conf = debian.root / "etc/qemu/bridge.conf"
    if conf.exists():
        assert conf.read_text().count("allow vmnet8") == 1


def test_uninstall_leaves_configuration_only(debian):
    res = debian.alice("cd vnetd && sudo ./scripts/quickstart --uninstall")
    assert res.out.startswith("vnetd is removed.")
    left = debian.run("bash", "-c", "ls /sys/class/net; command -v vnetd vnetctl || true").out
    assert "vmnet" not in left and "vnetctl" not in left, left
    assert debian.run("getent", "passwd", "_vnet", check=False).rc != 0
    found = debian.run("find", "/usr", "-path", "*vnet*").out
    assert found == "", found
    assert (debian.root / "etc/vnet/networking").exists()
    assert not [p for p in debian.pids() if proc.comm(p).startswith("vnet")]
