# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs inside the systemd host: installs the staged tree by quickstart, and tries what an
# administrator would do with it.  vm.HOST_PRELUDE gives result, check and within;
# test_systemd.py asserts on the results.

guest() { ip netns exec g "$@"; }
ifindex() { cat /sys/class/net/vmnet8/ifindex; }
address() { guest ip -4 -o addr show dev eth0 | awk '{ sub("/.*", "", $4); print $4 }'; }
ours_left() { find /sys/class/net -name '*vmnet*' | wc -l; }
main_pid() { systemctl show -P MainPID vnetd.service; }
subnet() {
	vnetctl networks | awk -v n="$1" 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i }
		$1 == n { print $col["SUBNET"] }'
}
# The host's address on a network, "10.1.2.0/24" -> "10.1.2.1".
host_address() { subnet "$1" | sed 's|0/24$|1|'; }

# A ping that runs meanwhile: its losses tell whether a command disturbed the guest.
ping_start() {
	ip netns exec g ping -q -i 0.1 -W 2 "$(host_address vmnet8)" >/tmp/ping &
	ping_pid=$!
	sleep 0.5
}
ping_end() {
	sleep 0.5
	kill -INT $ping_pid
	wait $ping_pid
	sed -n 's/.*received, \(.*\) packet loss.*/\1/p' /tmp/ping
}

# A redirection to a server that echoes: new connections, and one that is kept open.
echoes() { (exec 4<>/dev/tcp/127.0.0.1/7001 && echo hello >&4 && read -r -t 10 -u 4 line && [[ $line = hello ]]) 2>/dev/null; }
kept() { echo again >&3 && read -r -t 10 -u 3 line && [[ $line = again ]]; }

result kernel "$(uname -r)"
check multi_user within 60 systemctl is-active multi-user.target
export SUDO_USER=alice
useradd -m alice
useradd -m mallory

# Network managers that would take every link for theirs.
mkdir -p /etc/systemd/network
printf '[Match]\nName=*\n[Network]\nDHCP=yes\n' >/etc/systemd/network/90-everything.network
check networkd systemctl start systemd-networkd
check manager within 60 systemctl is-active NetworkManager

check quickstart /src/scripts/quickstart --from /stage
if ! systemctl -q is-active vnetd.service; then
	result journal "$(journalctl -u vnetd --no-pager -o cat | tr '\n' '|' | tail -c 3000)"
	return 0
fi
check service systemctl is-active vnetd.service
check socket systemctl is-active vnetd.socket
check service_enabled systemctl is-enabled vnetd.service
check socket_enabled systemctl is-enabled vnetd.socket
check alias systemctl is-active vmware-networks.service
result type "$(systemctl show -P Type vnetd.service)"
result socket_mode "$(stat -c '%a %U %G' /run/vnet/vnetd.sock)"
result status "$(vnetctl status | awk '$1 == "vmnet8" { print $NF }')"
result unit_processes "$(ps -o comm=,user= -p "$(tr '\n' ',' </sys/fs/cgroup/system.slice/vnetd.service/cgroup.procs | sed 's/,$//')" | sort | uniq -c | tr -s ' \n' ' ')"
check member runuser -u alice -- vnetctl status
if runuser -u mallory -- vnetctl status >/dev/null 2>&1; then result mallory allowed; else result mallory refused; fi

# Who leaves our links alone.
result mac_vmnet8 "$(cat /sys/class/net/vmnet8/address)"
result nm "$(nmcli -t -f DEVICE,STATE device | sed -n 's/^vmnet8://p')"
result networkd_setup "$(networkctl --no-legend list vmnet8 | awk '{ print $NF }')"
result link_file "$(udevadm info /sys/class/net/vmnet8 | sed -n 's/^E: ID_NET_LINK_FILE=//p')"

# A guest.
ip netns add g
check attach vnetctl attach vmnet8 --netns g --ifname eth0
check lease guest timeout 20 udhcpc -i eth0 -f -q -n -t 10 -T 1
check gateway guest ping -c 1 -W 2 "$(host_address vmnet8)"
port=$(vnetctl ports | awk 'NR == 2 { print $1 }')

# The host knows its guests: systemd-resolved is told whom to ask.
names_known() { [[ $(getent ahostsv4 web1.vmnet8 | awk 'NR == 1 { print $1 }') = "$(address)" ]]; }
told() { [[ $(resolvectl "$1" "$2" | sed 's/^.*): *//') = "$3" ]]; }
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
check resolved within 20 systemctl is-active vnet-resolved.service
result resolved_user "$(ps -o user:20= -C vnet-resolved)"
check named guest timeout 20 udhcpc -i eth0 -f -q -n -t 10 -T 1 -x hostname:web1
check names within 20 names_known
reverse="$(subnet vmnet8 | awk -F '[./]' '{ print $3 "." $2 "." $1 ".in-addr.arpa" }')"
check told_domain told domain vmnet8 "~vmnet8 ~$reverse"
check told_server told dns vmnet8 "$(subnet vmnet8 | sed 's|0/24$|2|')"
check told_route told default-route vmnet8 no
check told_dnssec told dnssec vmnet8 no
check names_back resolvectl query "$(address)"
check names_nobody told dns vmnet1 ""
result names_refused "$(runuser -u alice -- timeout 12 /usr/libexec/vnet/vnet-resolved 2>&1 | grep -c 'vmnet8: systemd-resolved does not take its names: ')"
systemctl stop systemd-resolved
rm -rf /run/systemd/resolve/netif # what it would know by itself
check resolved_again systemctl start systemd-resolved
check names_again within 20 names_known
check net_made vnetctl create vmnet9 nat
check net_told within 20 told dns vmnet9 "$(subnet vmnet9 | sed 's|0/24$|2|')"
check net_gone vnetctl delete vmnet9
systemctl kill -s KILL vnet-resolved.service
check resolved_back within 20 systemctl is-active vnet-resolved.service
check names_after_kill within 20 names_known

# A guest whose DHCP client is systemd-networkd: this machine's own, by another cable.
networkd_address() { ip -4 -o addr show dev nd0 | awk '{ sub("/.*", "", $4); print $4 }'; }
networkd_bound() { [[ $(networkctl --no-legend list nd0 | awk '{ print $4, $5 }') = "routable configured" ]]; }
printf '[Match]\nName=nd1\n[Link]\nUnmanaged=yes\n' >/etc/systemd/network/10-port.network
cat >/etc/systemd/network/10-client.network <<-'END'
	[Match]
	Name=nd0
	[Network]
	DHCP=ipv4
	LinkLocalAddressing=no
	[DHCPv4]
	UseRoutes=no
	UseDNS=no
END
networkctl reload
ip link add nd0 type veth peer name nd1
ip link set nd1 master vmnet8 up
ip link set nd0 up
check networkd_bound within 20 networkd_bound
networkd_was=$(networkd_address)
result networkd_lease "$(vnetctl leases | grep -c "^$networkd_was .* active ")"
check networkd_renew networkctl renew nd0
systemctl restart systemd-networkd
check networkd_again within 20 networkd_bound
result networkd_same "$([[ $(networkd_address) = "$networkd_was" ]] && echo same)"
ip link del nd0
ip link del nd0
result port_link_file "$(udevadm info "/sys/class/net/$port" | sed -n 's/^E: ID_NET_LINK_FILE=//p')"
result port_mac "$(cut -c 1-2 "/sys/class/net/$port/address")"
index=$(ifindex)
leased=$(address)

systemd-socket-activate --accept --inetd -l 127.0.0.1:7100 /bin/cat 2>/dev/null &
mkdir -p /etc/vnet/redirect.d
cat >/etc/vnet/redirect.d/echo <<-'END'
	service echo-test
	{
		type = UNLISTED
		bind = 127.0.0.1
		port = 7001
		redirect = 127.0.0.1 7100
		cps = 0 0
	}
END
check redirect_reload vnetctl reload
check redirect within 10 echoes
exec 3<>/dev/tcp/127.0.0.1/7001
check redirect_kept kept

# Restart: the networks stay.
ping_start
check restart systemctl restart vnetd.service
result restart_loss "$(ping_end)"
check restart_echoes within 10 echoes
check restart_kept kept

# The redirector that listens now is killed; the one that has the connection is another.
kill -9 "$(ss -Hltnp 'src 127.0.0.1:7001' | sed -n 's/.*"vnet-redird",pid=\([0-9]*\),.*/\1/p')"
sleep 1
check redird_echoes within 10 echoes
check redird_kept kept
result restart_index "$([[ $(ifindex) = "$index" ]] && echo same)"

# Stopped, the networks still work; asking starts it again through its socket.
ping_start
check stop systemctl stop vnetd.service
result stop_loss "$(ping_end)"
result stopped "$(systemctl is-active vnetd.service)"
check names_taken_back within 20 told dns vmnet8 ""
result names_stopped "$(resolvectl domain vmnet8 | sed 's/^.*): *//')$(systemctl is-active vnet-resolved.service)"
check activation within 20 vnetctl status
within 20 systemctl -q is-active vnetd.service
result activated "$(systemctl is-active vnetd.service)"
check names_activated within 20 names_known
result lease_kept "$(vnetctl leases | grep -c "^$leased ")"

# Killed: systemd brings it back.
killed=$(main_pid)
ping_start
if ((killed > 1)); then kill -9 "$killed"; fi
check revived within 20 vnetctl status
result killed_loss "$(ping_end)"
result revived_pid "$([[ $(main_pid) != "$killed" ]] && echo new)"
result killed_index "$([[ $(ifindex) = "$index" ]] && echo same)"

# Reload, good and bad.
check reload systemctl reload vnetd.service
echo 'no-such-key = 1' >>/etc/vnet/vnetd.conf
if systemctl reload vnetd.service 2>/dev/null; then result bad_reload accepted; else result bad_reload refused; fi
sed -i '$d' /etc/vnet/vnetd.conf
check good_again systemctl reload vnetd.service

# A rule set loaded by somebody: ours comes back (this kernel cannot lock a table).
check ruleset nft list table inet vnetd
nft flush ruleset
check ruleset_restored within 10 nft list chain inet vnetd forward
nft delete table inet vnetd
check table_restored within 10 nft list chain inet vnetd forward

# firewalld lets guests through while that is allowed, and whatever happens to vnetd.
in_zone() { nft list chain inet firewalld filter_FORWARD_ZONES | grep -q 'iifname "vmnet8" goto filter_FWD_vnetd'; }
no_zone() { nft list chain inet firewalld filter_FORWARD_ZONES && ! in_zone; }
zone_pid() { systemctl show -P MainPID vnet-firewalld.service; }
# Another process than before, which takes signals by now.
zone_revived() { [[ $(zone_pid) != "$zone_was" ]] && grep -q '^SigBlk:.*4002$' "/proc/$(zone_pid)/status"; }
taken_out() { journalctl -u vnet-firewalld --no-pager -o cat | grep -c 'vmnet8 is taken out'; }
check firewalld_unit systemctl is-active vnet-firewalld.service
result firewalld_user "$(ps -o user:20= -C vnet-firewalld)"
cp /etc/vnet/vnetd.conf /tmp/vnetd.conf 2>/dev/null || : >/tmp/vnetd.conf
printf '[global]\nforeign-rules = allow\n' >/etc/vnet/vnetd.conf
check allow_reload systemctl reload vnetd.service
systemctl unmask firewalld.service
check firewalld systemctl start firewalld.service
check zone within 20 in_zone
ping_start
check zone_restart systemctl restart vnetd.service
result zone_restart_loss "$(ping_end)"
check zone_kept in_zone
result zone_kept_all "$(taken_out)"
check zone_unit_back within 20 systemctl is-active vnet-firewalld.service
zone_was=$(zone_pid)
systemctl kill -s KILL vnet-firewalld.service
check zone_killed in_zone
check zone_unit_revived within 20 zone_revived
check zone_stop systemctl stop vnet-firewalld.service
check zone_left no_zone
result zone_left_once "$(taken_out)"
check zone_start systemctl start vnet-firewalld.service
check zone_again within 20 in_zone

# Upgrade: the same command again.
ping_start
while :; do stat -c %a / /usr /usr/lib; done >/tmp/modes &
watcher=$!
check upgrade /src/scripts/quickstart --from /stage
result upgrade_loss "$(ping_end)"
kill $watcher
result upgrade_modes "$(sort -u /tmp/modes | tr '\n' ' ')"
check upgrade_kept kept
result upgrade_index "$([[ $(ifindex) = "$index" ]] && echo same)"
check lease_again guest timeout 20 udhcpc -i eth0 -f -q -n -t 10 -T 1
result same_address "$([[ $(address) = "$leased" ]] && echo same)"

# It has left the zone alone, which goes with the word that allows it.
check zone_upgrade in_zone
result zone_upgrade_told "$(journalctl -u vnet-firewalld --no-pager -o cat | grep -c "vmnet8 is in firewalld's zone")"
cp /tmp/vnetd.conf /etc/vnet/vnetd.conf
check forbid_reload systemctl reload vnetd.service
check zone_forbidden within 20 no_zone
systemctl stop firewalld.service

# The end.
check networks_stop vnet-networks --stop
result links_left "$(ours_left)"
check networks_start vnet-networks --start
check back within 20 ip link show vmnet8
check uninstall /src/scripts/quickstart --uninstall
result after_uninstall "$(ours_left) $(find /usr /etc/systemd -path '*vnet*' ! -name vnet-test.service | wc -l) $(getent group vnet)$(getent passwd _vnet-resolved _vnet-firewalld)"
result failed_units "$(systemctl --failed --no-legend | awk '{ print $2 }' | tr '\n' ' ')"
result journal "$(journalctl -u vnetd -p warning --no-pager -o cat | tr '\n' '|' | tail -c 2000)"
