#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The guest's DHCP script: gives the interface what it was told and leaves it in /tmp/lease.
# The variables come from udhcpc.
# shellcheck disable=SC2154
case $1 in
deconfig)
	ip addr flush dev "$interface"
	ip link set "$interface" up
	;;
bound | renew)
	ip addr replace "$ip/$mask" dev "$interface"
	if [ -n "$router" ]; then ip route replace default via "$router" dev "$interface"; fi
	: >/etc/resolv.conf
	for server in $dns; do echo "nameserver $server" >>/etc/resolv.conf; done
	printf 'ip=%s\nrouter=%s\ndns="%s"\n' "$ip" "$router" "$dns" >/tmp/lease
	;;
esac
