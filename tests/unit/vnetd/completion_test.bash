#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What <Tab> offers behind vnetctl. $1: the completion file, $2: the built vnetctl. Prints TAP.

# shellcheck source=/dev/null
source "$1"
tool=$2
failed=0 n=0

# A vnetctl that knows two networks and two ports, and asks the built one for its help.
# shellcheck disable=SC2317 # it is called by the completion
vnetctl()
{
	case $* in
	*networks) printf 'NETWORK  TYPE\nvmnet1   host-only\nvmnet8   NAT\n' ;;
	*ports) printf 'PORT  NETWORK\nweb1  vmnet8\ndb    vmnet8\n! db is down\n' ;;
	*"redirect list") printf 'NAME  LISTEN\nweb   [::]:80\n! web: is down\n' ;;
	*"leases vmnet8") printf '172.16.8.50  00:0c:29:00:00:01  db  vmnet8  reserved  -\n172.16.8.9  00:0c:29:00:00:02  w  vmnet8  active  in 1 h\n' ;;
	*"promisc list") printf 'PORT  NETWORK\nids   vmnet8\n' ;;
	*) "$tool" "$@" ;;
	esac
}

# shellcheck disable=SC2317 # found by its name
some_command_of_ours()
{
	true
}

# offers "the line up to the cursor" words...
offers()
{
	local line=$1 want got
	shift
	n=$((n + 1))
	read -ra COMP_WORDS <<<"$line"
	[[ $line == *' ' ]] && COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_vnetctl
	want=$(printf '%s\n' "$@" | sort | tr '\n' ' ')
	got=$(printf '%s\n' "${COMPREPLY[@]}" | sort | tr '\n' ' ')
	if [[ $got == "$want" ]]; then
		echo "ok $n - \"$line\""
	else
		echo "not ok $n - \"$line\": got $got, not $want"
		failed=1
	fi
}

offers 'vnetctl st' status
offers 'vnetctl ' status networks show check doctor reload events leases ip forward redirect connections dns ports port promisc \
	attach detach watch capture top create delete set reserve unreserve libvirt help
offers 'vnetctl --ru' --run-dir
offers 'vnetctl show ' vmnet1 vmnet8
offers 'vnetctl --run-dir /tmp show vmnet8' vmnet8
offers 'vnetctl -q leases --watch ' vmnet1 vmnet8
offers 'vnetctl leases --w' --watch
offers 'vnetctl leases --s' --stats
offers 'vnetctl detach ' web1 db
offers 'vnetctl detach w' web1
offers 'vnetctl forward ' list add remove
offers 'vnetctl forward add vmnet8 ' tcp udp
offers 'vnetctl forward remove vm' vmnet1 vmnet8
offers 'vnetctl connections ' vmnet1 vmnet8
offers 'vnetctl dns ' vmnet1 vmnet8
offers 'vnetctl forward list ' vmnet1 vmnet8
offers 'vnetctl create vmnet9 h' hostonly
offers 'vnetctl set vmnet8 mt' mtu
offers 'vnetctl set vmnet8 mtu '
offers 'vnetctl set vmnet8 promiscuous ' allow deny ask default
offers 'vnetctl port ' web1 db
offers 'vnetctl port web1 ' set unpin
offers 'vnetctl port web1 set mac-' mac-policy mac-learning
offers 'vnetctl port web1 set mac-policy ' given sticky any default
offers 'vnetctl port web1 set link d' down default
offers 'vnetctl port web1 set rate-in '
offers 'vnetctl port web1 set mirror-of ' web1 db
offers 'vnetctl port web1 unpin '
offers 'vnetctl port web1 --j' --json
offers 'vnetctl redirect ' list show kill
offers 'vnetctl redirect kill ' web
offers 'vnetctl redirect list '
offers 'vnetctl promisc ' list request cancel allow deny revoke
offers 'vnetctl promisc list ' vmnet1 vmnet8
offers 'vnetctl promisc request ' web1 db
offers 'vnetctl promisc allow ' ids
offers 'vnetctl promisc allow ids --' --for --once --always --json --quiet --help
offers 'vnetctl promisc allow ids --for '
offers 'vnetctl promisc allow --for 1h i' ids
offers 'vnetctl watch --port ' web1 db
offers 'vnetctl watch --p' --port --pid
offers 'vnetctl watch --port web1 --q' --qmp --quiet
offers 'vnetctl attach vmnet8 --q' --queues --quiet
offers 'vnetctl attach vmnet8 --queues '
offers 'vnetctl attach vmnet8 --queues 2 --m' --mac
offers 'vnetctl reserve ' vmnet1 vmnet8
offers 'vnetctl unreserve vmnet8 ' 00:0c:29:00:00:01
offers 'vnetctl reserve vmnet8 --s' --static-arp
offers 'vnetctl help lib' libvirt
offers 'vnetctl attach vmnet8 -- some_command_o' some_command_of_ours
echo "1..$n"
exit $failed
