# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine without a disk: its card's iPXE takes `next-server` and `filename`, loads a Linux, and that
asks for an address in its turn."""

import shutil

import pytest

from tests.kit import images, proc, programs, vm

MAC = "52:54:00:50:58:45"
MENU = f"""#!ipxe
echo RESULT ipxe=${{net0/ip}}
echo RESULT server=${{next-server}}
echo RESULT file=${{filename}}
echo RESULT router=${{net0/gateway}}
kernel vmlinuz {vm.CONSOLE} initrd=guest.cpio
initrd guest.cpio
boot
"""


@pytest.fixture
def server(lab, vnetd, folder):
    """A TFTP server at the host's address; the folder that it serves."""
    files = folder / "tftp"
    files.mkdir()
    files.chmod(0o755)
    address, log = vnetd.address(8, 1), folder / "tftpd.log"
    running = lab.host.popen(
        programs.find("in.tftpd"), "-L", "--address", f"{address}:69", "-s", files, log=log
    )

    def listens():
        assert running.poll() is None, log.read_text()
        return lab.host.run("ss", "-Hlun", f"src {address}:69").out

    proc.wait_until("in.tftpd listens", listens)
    yield files
    proc.kill_group(running.pid)


def test_a_machine_boots_over_the_network_and_keeps_its_address(lab, vnetd, server, folder, member):
    path = "vmnet8/dhcpd/dhcpd.conf"
    vnetd.write(path, vnetd.read(path) + f"""
host diskless {{
	hardware ethernet {MAC};
	next-server {vnetd.address(8, 1)};
	filename "boot/menu.ipxe";
}}
""")
    vnetd.ctl("reload")
    (server / "boot").mkdir()
    (server / "boot/menu.ipxe").write_text(MENU)
    shutil.copy(images.kernel() / "vmlinuz", server / "boot/vmlinuz")
    shutil.copy(vm.initrd_for(folder, "lease\n"), server / "boot/guest.cpio")
    proc.run(["chmod", "-R", "a+rX", server])

    attach = ["vnetctl", *vnetd.dirs, "attach", "vmnet8", "--"]
    argv = ["-netdev", "tap,id=net0,fd=3", "-device", f"virtio-net-pci,netdev=net0,mac={MAC},bootindex=1"]
    machine = vm.Machine(lab.host, argv, kernel=None, memory=512, user=member, wrap=attach)
    try:
        assert machine.wait("ipxe", 120).startswith(vnetd.subnet(8).split("/")[0].rsplit(".", 1)[0])
        machine.wait("router")
        results = machine.finish(180)
    finally:
        proc.kill_group(machine.process.pid)
    assert results["server"] == vnetd.address(8, 1) and results["file"] == "boot/menu.ipxe"
    assert results["router"] == vnetd.address(8, 2)
    # iPXE's client identifier is another than udhcpc's; the address is that of the MAC.
    assert results["lease"] == results["ipxe"]
