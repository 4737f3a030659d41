# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job, end to end: a real guest with an unmodified Debian kernel, QEMU unprivileged."""

import re

from tests.kit import lab as lab_module, outside, proc

SIZE = 1_000_000
QEMU_MAC = "52:54:00:12:34:56"  # QEMU's default for a first interface


def test_guest_on_vmnet8_downloads_from_the_outside_while_it_is_captured(
    lab, vnetd, boot, sniff
):
    listed = lab.host.run("tshark", "-D").out
    assert re.search(r"^\d+\. vmnet8\b", listed, re.MULTILINE), listed
    captures = [sniff("vmnet8", "tcpdump"), sniff("vmnet8", "tshark")]

    machine = boot(
        f"""
        lease
        address=$(resolve {lab_module.SERVER_NAME} "$router")
        result address "$address"
        download "http://$address/bytes/{SIZE}" sha256
        """
    )
    results = machine.finish()

    subnet = vnetd.subnet(8)
    assert results["router"] == results["dns"] == vnetd.address(8, 2)
    assert 128 <= int(results["lease"].split(".")[3]) <= 253, f"{results['lease']} of {subnet}"
    assert results["address"] == lab_module.SERVER_ADDRESS
    assert results["sha256"] == outside.sha256(SIZE)
    # Outside saw the host's address only, and was asked for the name by the proxy.
    assert lab.outside.http.requests == [(lab_module.HOST_ADDRESS, f"/bytes/{SIZE}")]
    assert lab.outside.dns.asked(lab_module.SERVER_NAME) >= 1

    for capture in captures:
        capture.stop()
        acks = capture.fields("dhcp.option.dhcp == 5", "dhcp.ip.your", "dhcp.hw.mac_addr")
        assert [results["lease"], QEMU_MAC] in acks
        answers = capture.fields(f"dns.a == {lab_module.SERVER_ADDRESS}", "ip.src", "ip.dst")
        assert [results["router"], results["lease"]] in answers
        assert capture.http_bodies() == [outside.sha256(SIZE)]


def test_leases_and_ports_show_the_guest_and_its_owner(lab, vnetd, boot, member):
    machine = boot("lease\nawait_line", mac="52:54:00:aa:00:01", pinned=True)
    address = machine.wait("lease")
    leases = vnetd.json("leases")["leases"]
    assert [(row["address"], row["mac"]) for row in leases] == [(address, "52:54:00:aa:00:01")]
    port = vnetd.json("ports")["ports"][0]
    assert port["network"] == "vmnet8"
    assert port["mac"] == "52:54:00:aa:00:01"
    assert port["owner"] == member
    assert re.fullmatch(r"vmnet8p\d+", port["ifname"])
    assert lab.host.links()[port["ifname"]]["address"].startswith("fe:")
    machine.send("done")
    machine.finish()
    proc.wait_until("the port is gone with QEMU", lambda: vnetd.json("ports")["ports"] == [])


def test_stranger_gets_no_port(lab, vnetd, stranger):
    argv = ["qemu-system-x86_64", "-display", "none", "-nodefaults", "-machine", "q35,accel=tcg"]
    helper = f"/usr/libexec/vnet/vnet-bridge-helper --run-dir={vnetd.run}"
    res = lab.host.run(
        *argv, "-nic", f"bridge,br=vmnet8,helper={helper}", user=stranger, check=False
    )
    assert res.rc not in (0, "timeout")
    assert "vnet" in res.err and "group" in res.err, res.err
    assert vnetd.json("ports")["ports"] == []


def test_guest_on_vmnet1_reaches_the_host_and_not_the_outside(lab, vnetd, boot):
    server = outside.Http(lab.host, port=8080)
    gateway = vnetd.address(1, 1)
    machine = boot(
        f"""
        lease
        result host_ping "$(reaches {gateway})"
        download "http://{gateway}:8080/bytes/1000" host_http
        ip route replace default via {gateway}
        result outside_ping "$(reaches {lab_module.OUTSIDE_ADDRESS})"
        result server_ping "$(reaches {lab_module.SERVER_ADDRESS})"
        if nc -w 2 {lab_module.SERVER_ADDRESS} 80 </dev/null; then result outside_tcp yes
        else result outside_tcp no; fi
        result vmnet8_ping "$(reaches {vnetd.address(8, 1)})"
        """,
        network="vmnet1",
    )
    results = machine.finish()
    server.close()
    assert results["lease"].startswith("10.181.1.")
    assert results["host_ping"] == "yes"
    assert results["host_http"] == outside.sha256(1000)
    assert results["outside_ping"] == "no"
    assert results["server_ping"] == "no"
    assert results["outside_tcp"] == "no"
    assert lab.outside.http.requests == []


def test_on_a_lan_segment_the_host_neither_answers_nor_sends(lab, boot, sniff):
    vnetd = lab.vnetd
    vnetd.write(
        "networking",
        "VERSION=1,0\n"
        "answer VNET_2_DHCP no\n"
        "answer VNET_2_HOSTONLY_NETMASK 255.255.255.0\n"
        "answer VNET_2_HOSTONLY_SUBNET 10.181.2.0\n"
        "answer VNET_2_VIRTUAL_ADAPTER no\n",
    )
    vnetd.start()
    assert lab.host.ip("addr", "show", "dev", "vmnet2")[0]["addr_info"] == []
    everything = sniff("vmnet2")
    peer = lab.guest("vmnet2", mac="52:54:00:aa:00:03")
    peer.run("ip", "addr", "add", "10.181.2.3/24", "dev", "eth0")
    machine = boot(
        """
        if udhcpc -i eth0 -f -q -n -t 3 -T 1 -s /udhcpc.sh; then result dhcp yes
        else result dhcp no; fi
        ip addr add 10.181.2.2/24 dev eth0
        result peer "$(reaches 10.181.2.3 5)"
        for n in 1 254; do result "host$n" "$(reaches 10.181.2.$n)"; done
        ip -6 addr show dev eth0 >/dev/null
        ping -c 2 -w 3 -I eth0 ff02::1 >/dev/null 2>&1 || true
        """,
        network="vmnet2",
        mac="52:54:00:aa:00:02",
    )
    results = machine.finish()
    assert results["dhcp"] == "no"
    assert results["peer"] == "yes"
    assert (results["host1"], results["host254"]) == ("no", "no")
    # With the host's end of a frame's path in view: every frame was one of the two guests'.
    senders = {row[0] for row in everything.stop().fields("eth", "eth.src")}
    assert senders == {"52:54:00:aa:00:02", "52:54:00:aa:00:03"}
    assert lab.host.ip("-6", "addr", "show", "dev", "vmnet2") in ([], [{}])
    assert lab.host.run("ip", "neigh", "show", "dev", "vmnet2").out == ""
