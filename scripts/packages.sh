# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian packages: what quickstart builds with, and what the tests need besides.

BUILD_PACKAGES=(
	gcc libc6-dev meson ninja-build pkg-config
	libevent-dev libmnl-dev libnftnl-dev
	libjansson-dev libseccomp-dev libcap-ng-dev libpcap-dev
	libsystemd-dev # vnet-resolved, vnet-firewalld
	clang bpftool libbpf-dev # the eBPF programs
)

TEST_PACKAGES=(
	# sanitizers, unit tests, scripts/check
	clang-format libclang-rt-14-dev llvm libcmocka-dev shellcheck codespell mandoc
	# namespace tests: harness, real DHCP clients, tools that look
	python3-pytest python3-pytest-timeout python3-scapy python3-pyroute2 iproute2 iputils-ping
	nftables iptables ufw firewalld netbase dbus polkitd conntrack procps strace
	curl nginx-light nsd openssh-client openssh-server openssl postgresql stunnel4 unbound
	vsftpd bind9-dnsutils ldnsutils tftpd-hpa udhcpc isc-dhcp-client dhcpcd-base tcpdump tshark libnet-pcap-perl util-linux login passwd
	# VM tests
	qemu-system-x86 qemu-utils libvirt-daemon-driver-qemu ipxe-qemu busybox-static debootstrap eatmydata debian-archive-keyring
	e2fsprogs dpkg tar
)

# Prints those of the given packages that are not installed.
missing_packages() {
	local package
	for package; do
		if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
			echo "$package"
		fi
	done
}

# Runs a command while packages that are installed start no daemon: the tests start theirs in namespaces.
without_daemons() (
	policy=/usr/sbin/policy-rc.d
	if [[ ! -e $policy ]]; then
		trap 'rm -f "$policy"' EXIT
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	"$@"
)

# Installs the given packages; all output goes to stdout. Downloads what apt knows, and asks the
# archive for its list only when that is not enough.
install_packages() {
	local apt=(timeout 1200 apt-get -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=1)
	export DEBIAN_FRONTEND=noninteractive
	"${apt[@]}" --no-install-recommends install "$@" </dev/null && return
	"${apt[@]}" update </dev/null &&
		"${apt[@]}" --no-install-recommends install "$@" </dev/null
}
