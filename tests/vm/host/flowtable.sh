# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs inside the systemd host, whose kernel has flowtables: what NAT does with one.  A guest is the
# namespace g, the outside is o, by the link up0.  vm.HOST_PRELUDE gives result, check and within;
# test_flowtable.py asserts on the results.

OUT=198.51.100.2 HOST=198.51.100.1
guest() { ip netns exec g "$@"; }
outside() { ip netns exec o "$@"; }

# The flowtable's interfaces.
devices() { nft list flowtables | sed -n 's/.*devices = { \(.*\) }.*/\1/p' | tr -d ',"'; }
looks_at() { [[ " $(devices) " = *" $1 "* ]]; }
passes_over() { ! looks_at "$1"; }

# A connection's entry, by one of its words; the kernel marks it while it is in the flowtable.
entry() { grep "tcp .* $1 " /proc/net/nf_conntrack; }
offloaded() { entry "$1" | grep -q '\[OFFLOAD\]'; }
by_the_rules() { entry "$1" | grep -qv '\[OFFLOAD\]'; }
gone() { [[ -z $(entry "$1") ]]; }

# What vnetctl says of the latest connection with FIELD = VALUE: `told KEY FIELD VALUE`.
told() {
	vnetctl connections vmnet8 --json | tr -d ' \n' | grep -o "{[^{}]*\"$2\":$3[,}][^{}]*" | tail -n 1 |
		sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}
at_least() { if (($2 >= $1)); then echo yes; else echo "$2"; fi; }

# Packets of a port that a stranger's chain at the forward hook has seen.
seen() { nft list chain ip stranger forward | awk -v p="$1" '$3 == p { n += $6 } END { print n + 0 }'; }
# Some packets went by the rules, but at most $1.
few() {
	local n
	n=$(seen "$2")
	if ((n > 0 && n <= $1)); then echo few; else echo "$n packets"; fi
}

size() { stat -c %s "$1" 2>/dev/null || echo 0; }
grows() {
	local was
	was=$(size "$1")
	for _ in {1..100}; do
		if (($(size "$1") > was)); then return 0; fi
		sleep 0.1
	done
	return 1
}
# Nothing has come for two seconds.
rests() {
	local was
	was=$(size "$1")
	sleep 2
	(($(size "$1") == was))
}

# 8 MB at once, or numbered lines, 160 kB a second.
head -c 8000000 /dev/urandom >/tmp/blob
BLOB=$(sha256sum </tmp/blob)
cat >/tmp/lines <<'END'
for i in {1..20000}; do printf '%8191d\n' $i; sleep 0.05; done
END
serve() { ip netns exec "$1" systemd-socket-activate --accept --inetd -l "$2" "${@:3}" >/dev/null 2>&1 & }
fetch() { ip netns exec "$1" bash -c "exec cat <'/dev/tcp/$2/$3' >'$4'" & }
get() { ip netns exec "$1" timeout 60 bash -c "sha256sum <'/dev/tcp/$2/$3'"; }
whole() { head -c $(($(size "$1") / 8192 * 8192)) "$1" | awk '$1 != NR { exit 1 } END { if (!NR) exit 1 }'; }

result kernel "$(uname -r)"

# The kernel gets what the golden text says.
words() { nft list table inet vnetd | tr -s ' ,\n\t{}' '\n' | sort; }
/test/nft-commit text flows | nft -f -
words >/tmp/by_nft
nft list chain inet vnetd forward >>/tmp/by_nft
nft flush ruleset
check golden_commit /test/nft-commit commit flows
words >/tmp/by_us
nft list chain inet vnetd forward >>/tmp/by_us
result golden "$(grep -c 'flow add @flows' /tmp/by_us) $(diff /tmp/by_nft /tmp/by_us && echo same)"
nft flush ruleset

export SUDO_USER=alice
useradd -m alice
check quickstart /src/scripts/quickstart --from /stage
if ! systemctl -q is-active vnetd.service; then
	result journal "$(journalctl -u vnetd --no-pager -o cat | tr '\n' '|' | tail -c 3000)"
	return 0
fi
result no_uplink "$(devices)"
ip netns add g
ip netns add o
ip link add up0 type veth peer name eth0 netns o
ip addr add "$HOST/24" dev up0
ip link set up0 up
outside ip addr add "$OUT/24" dev eth0
outside ip link set eth0 up
check attach vnetctl attach vmnet8 --netns g --ifname eth0
check lease guest timeout 20 udhcpc -i eth0 -f -q -n -t 10 -T 1
address=$(guest ip -4 -o addr show dev eth0 | awk '{ sub("/.*", "", $4); print $4 }')
check uplink within 10 looks_at up0
result devices "$(devices)"

serve o "$OUT:7000" /bin/cat /tmp/blob
serve o "$OUT:7001" /bin/bash /tmp/lines
serve o "$OUT:21" /bin/bash /tmp/lines
serve g "$address:80" /bin/cat /tmp/blob
serve g "$address:81" /bin/bash /tmp/lines
check forward vnetctl forward add vmnet8 tcp 8080 "$address" 80
check forward_slow vnetctl forward add vmnet8 tcp 8081 "$address" 81
{
	echo 'table ip stranger { chain forward { type filter hook forward priority 10;'
	for port in 7000 7001 7003 80 81; do printf '%s\n' "tcp sport $port counter" "tcp dport $port counter"; done
	echo '}; }'
} | nft -f -

# Out, and in through a forward: the data are right and counted, and nearly no packet went by the rules.
result out "$([[ $(get g "$OUT" 7000) = "$BLOB" ]] && echo same)"
result out_seen "$(few 200 7000)"
result out_bytes "$(at_least 8000000 "$(told bytes_in peer_port 7000)")"
result in "$([[ $(get o "$HOST" 8080) = "$BLOB" ]] && echo same)"
result in_seen "$(few 200 80)"
result in_bytes "$(at_least 8000000 "$(told bytes_out forward 8080)")"

# Under way during all that follows.
fetch g "$OUT" 7001 /tmp/out
fetch o "$HOST" 8081 /tmp/in
check out_flow within 20 offloaded dport=7001
check in_flow within 20 offloaded dport=8081
result out_told "$(told state peer_port 7001) $(told left_s peer_port 7001)"
was=$(told bytes_in peer_port 7001)
counts() { (($(told bytes_in peer_port 7001) > was + 100000)); }
check counted within 10 counts
check captured_in timeout 20 tcpdump -c 20 -i vmnet8 tcp port 7001
check captured_out timeout 20 tcpdump -c 20 -i up0 tcp port 7001

# A reload without a change leaves it alone.
was=$(seen 7001)
check reload vnetctl reload
sleep 2
result reload_seen "$(($(seen 7001) - was))"
check reload_grows grows /tmp/out

# Neither what the FTP helper follows nor UDP is ever in it.
fetch g "$OUT" 21 /tmp/ftp
check ftp within 10 test -s /tmp/ftp
sleep 1
result ftp_offloaded "$(entry dport=21 | grep -c OFFLOAD)"
cat >/tmp/udp.pl <<'END'
use IO::Socket::INET;
my ($side, $addr) = @ARGV;
if ($side eq 'server') {
	my $s = IO::Socket::INET->new(LocalAddr => $addr, LocalPort => 7002, Proto => 'udp') or die;
	open(my $up, '>', '/tmp/udp.up');
	while (defined $s->recv(my $b, 2048)) { $s->send($b); }
}
my $s = IO::Socket::INET->new(PeerAddr => $addr, PeerPort => 7002, Proto => 'udp') or die;
for (my $answers = 0; $answers < 5; ) {
	$s->send('hello');
	eval { local $SIG{ALRM} = sub { die }; alarm 1; $answers++ if defined $s->recv(my $b, 2048); alarm 0; };
	select(undef, undef, undef, 0.1);
}
print "answered\n";
END
outside perl /tmp/udp.pl server "$OUT" &
within 60 test -e /tmp/udp.up
guest timeout 60 perl /tmp/udp.pl client "$OUT" >/tmp/udp
result udp "$(cat /tmp/udp)"
result udp_offloaded "$(grep 'udp .* dport=7002 ' /proc/net/nf_conntrack | grep -c OFFLOAD)"
result udp_left "$(at_least 1 $((31 - $(grep 'udp .* dport=7002 ' /proc/net/nf_conntrack | awk '{ print $5 }'))))"

# Other networks, other processes, another rule set, another bridge, another uplink.
check create vnetctl create vmnet9 nat
check created within 20 looks_at vmnet9
check created_flow within 20 offloaded dport=7001
check created_grows grows /tmp/out
pkill -9 -x vnet-natd
sleep 1
check killed within 20 looks_at up0
check killed_flow within 20 offloaded dport=8081
check killed_grows grows /tmp/in
# Meanwhile nothing is translated: what were sent now would be answered by the host, and end it.
pkill -STOP -f '^/bin/bash /tmp/lines'
sleep 1
nft delete table inet vnetd
check repaired within 20 looks_at up0
pkill -CONT -f '^/bin/bash /tmp/lines'
check repaired_flow within 20 offloaded dport=7001
check repaired_grows grows /tmp/out
ip link del vmnet9
check remade within 20 looks_at vmnet9
ip link add up1 type dummy
ip addr add 203.0.113.1/24 dev up1
check uplink_comes within 10 looks_at up1
ip addr flush dev up1
check uplink_goes within 10 passes_over up1
ip addr add 203.0.113.1/24 dev up1
check uplink_back within 10 looks_at up1
ip link del up1
check uplink_gone within 10 passes_over up1
check still offloaded dport=7001

# A forward that goes ends its download; the other one goes on.
check removed_not grows /tmp/in
check remove vnetctl forward remove vmnet8 tcp 8081
check removed within 10 gone dport=8081
check removed_rests rests /tmp/in
check removed_others grows /tmp/out

# One way out only: each packet is looked at again.
printf '[vmnet8]\negress = up0\n' >>/etc/vnet/vnetd.conf
check egress vnetctl reload
check egress_flow within 10 by_the_rules dport=7001
check egress_grows grows /tmp/out
sed -i '$d' /etc/vnet/vnetd.conf
check egress_gone vnetctl reload
check egress_back within 20 offloaded dport=7001
printf '[global]\nflowtable = no\n' >>/etc/vnet/vnetd.conf
check off vnetctl reload
check off_flow within 10 by_the_rules dport=7001
result off_devices "$(devices)"
check off_grows grows /tmp/out
result whole "$(whole /tmp/out && whole /tmp/in && echo yes)"

# The uplink goes down, and comes back: the kernel has forgotten the guest's connection, which was in it, and the guest learns
# of that by the first word that it says.
sed -i '$d' /etc/vnet/vnetd.conf
check on vnetctl reload
check on_devices within 20 looks_at up0
cat >/tmp/talk.pl <<'END'
use IO::Socket::INET;
$SIG{PIPE} = 'IGNORE';
my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 7003, Proto => 'tcp') or die;
sub word { print $s "word\n"; $s->flush; my $start = time; my $got = <$s>; return (defined $got, "$!", time - $start); }
word() for 1 .. 5;
open(my $up, '>', '/tmp/talk.up');
select(undef, undef, undef, 0.1) until -e '/tmp/talk.go';
alarm 60;
my ($got, $why, $took) = word();
printf "%s %s\n", $got ? 'answered' : $why, $took <= 1 ? 'at once' : "after $took s";
END
serve o "$OUT:7003" /bin/cat
guest perl /tmp/talk.pl "$OUT" >/tmp/talk &
talk=$!
check talk within 20 test -e /tmp/talk.up
check talk_flow within 20 offloaded dport=7003
ip link set up0 down
check down_forgotten within 20 gone dport=7003
ip link set up0 up
check down_back within 20 looks_at up0
within 20 ping -c 1 -W 1 "$OUT" >/dev/null
was=$(seen 7003)
touch /tmp/talk.go
wait "$talk"
result down_told "$(cat /tmp/talk)"
result down_seen "$(($(seen 7003) - was))"
# What begins now is in it again.
fetch g "$OUT" 7001 /tmp/again
check again_flow within 20 offloaded dport=7001
check again_grows grows /tmp/again
result journal "$(journalctl -u vnetd -p warning --no-pager -o cat | tr '\n' '|' | tail -c 2000)"
