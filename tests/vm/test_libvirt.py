# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest of libvirt on our bridge: the domain as vnet-ports(7) has it, by libvirt's own QEMU driver.

virt-qemu-run runs one domain with the whole driver in its own process, so that no libvirtd has to serve
the machine: the tap, the bridge and QEMU's command line are libvirt's all the same.
"""

import re
import subprocess
from pathlib import Path

import pytest

from tests.kit import images, ports, proc, vm

MANUAL = Path(__file__).resolve().parents[2] / "vnetd/vnet-ports.7"
MAC = "52:54:00:4c:56:01"
SCRIPT = """
lease
result ping "$(reaches "$router")"
ifconfig eth0 promisc
result promisc on
sleep 600
"""
# The driver would ask systemd for a scope, and virtlogd for a console.
DRIVER = """
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
cgroup_controllers = [ ]
namespaces = [ ]
"""


def from_the_manual(qmp):
    """The part of the domain that the manual tells to add, with another path."""
    text = re.search(r"<domain type='kvm' (xmlns:qemu=\S+)>\n  \.\.\.\n(.*?)</domain>", MANUAL.read_text(), re.S)
    part, n = re.subn(r"unix:[^,]+", f"unix:{qmp}", text.group(2))
    assert n == 1
    return text.group(1), part


@pytest.fixture
def domain(lab, vnetd, folder):
    initrd, console, qmp = vm.initrd_for(folder, SCRIPT), folder / "console", folder / "vnet-lab.sock"
    namespace, part = from_the_manual(qmp)
    xml = folder / "lab.xml"
    xml.write_text(f"""<domain type='qemu' {namespace}>
  <name>lab</name>
  <memory unit='MiB'>256</memory>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <kernel>{images.kernel() / "vmlinuz"}</kernel>
    <initrd>{initrd}</initrd>
    <cmdline>{vm.CONSOLE}</cmdline>
  </os>
  <devices>
    <emulator>/usr/bin/{vm.QEMU}</emulator>
    <interface type='bridge'>
      <mac address='{MAC}'/>
      <source bridge='vmnet8'/>
      <model type='virtio'/>
    </interface>
    <serial type='file'><source path='{console}'/></serial>
    <memballoon model='none'/>
  </devices>
{part}</domain>
""")
    if lab.host.run("getent", "passwd", "libvirt-qemu", check=False).rc:
        lab.host.run("useradd", "--system", "--user-group", "libvirt-qemu")  # it looks for its default user
    root = folder / "libvirt"
    (root / "etc").mkdir(parents=True)
    (root / "etc/qemu.conf").write_text(DRIVER)
    log = (folder / "virt-qemu-run.log").open("w+")
    running = lab.host.popen("virt-qemu-run", f"--root={root}", xml, stdout=log, stderr=subprocess.STDOUT)

    def result(key, timeout=90):
        def seen():
            assert running.poll() is None, Path(log.name).read_text()
            text = console.read_text(errors="replace") if console.exists() else ""
            found = re.search(rf"RESULT {key}=(\S*)", text)
            return found and found.group(1)

        return proc.wait_until(f"the guest says {key}", seen, timeout)

    yield result, qmp
    proc.kill_group(running.pid)


def test_a_guest_of_libvirt_is_a_port_and_its_filter_is_heard(lab, vnetd, domain):
    result, qmp = domain
    assert result("lease").startswith("10.181.8.")
    assert result("ping") == "yes"
    port = ports.wait(vnetd, "vnet0", policy="sticky", mac=MAC)
    assert lab.host.links()["vnet0"]["address"].startswith("fe:")
    assert port["ifname"] == "vnet0"

    result("promisc")
    watch = lab.host.popen(
        "vnetctl", *vnetd.dirs, "watch", "--qmp", qmp, "--port", "vnet0", log=vnetd.run / "watch.log"
    )
    ports.wait(vnetd, "vnet0", promiscuous="pending")
    vnetd.ctl("promisc", "allow", "vnet0")
    ports.wait(vnetd, "vnet0", promiscuous="granted")
    proc.kill_group(watch.pid)
