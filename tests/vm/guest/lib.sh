# shellcheck shell=dash disable=SC1091,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# What a guest's test script may use.

# A line for the test outside: RESULT key=value.
result() {
	key=$1
	shift
	echo "RESULT $key=$*"
}

# Waits for a line from the test outside (its vm.send()); the line is printed.
await_line() {
	read -r line
	echo "$line"
}

# Takes a lease on eth0 (or interface $1), reports lease, router and dns; fails without an answer.
lease() {
	if ! udhcpc -i "${1:-eth0}" -f -q -n -t 10 -T 1 -s /udhcpc.sh >/tmp/udhcpc.log 2>&1; then
		result lease none
		return 1
	fi
	. /tmp/lease
	result lease "$ip"
	result router "$router"
	result dns "$dns"
	result uptime "$(cut -d' ' -f1 /proc/uptime)"
}

# First address of a name, asked at the server; empty when there is none.
resolve() {
	nslookup -type=a "$1" "$2" 2>/dev/null | sed -n '/^Name:/,$s/^Address: *//p' | head -n 1
}

# Downloads $1 into memory, and reports the SHA-256 as $2. (wget's own -T crashes Debian 12's
# static busybox.)
download() {
	if timeout 60 wget -q -O /tmp/body "$1"; then
		result "$2" "$(sha256sum /tmp/body | cut -d' ' -f1)"
	else
		result "$2" failed
	fi
}

# "yes" when $1 answers one of $2 pings, else "no".
reaches() {
	for _ in $(seq "${2:-2}"); do
		if ping -c 1 -W 1 "$1" >/dev/null 2>&1; then
			echo yes
			return
		fi
	done
	echo no
}
