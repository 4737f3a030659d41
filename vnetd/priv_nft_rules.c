/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft_rules.c - the constant part of table `inet vnetd`: its sets, chains and rules. Pure.
 *
 * How a packet is judged:
 *  - forward: TCP that a guest and the outside have established is given to the flowtable, after which its packets
 *    come here no more. Known connections first, then the input interface sends new connections of
 *    guests to the chain of their kind of network. What is left came from elsewhere: into a
 *    network it needs a forward (dnat); between interfaces that are not ours it passes, or not,
 *    as forward_others says.
 *  - prerouting and output, with the first forward: one map decides about forwards, for packets from outside, from guests
 *    and from the host itself. Loopback addresses other than 127.0.0.1 are left to the host's own
 *    services, as a resolver on 127.0.0.53 must not be taken over by a forward of port 53.
 *    Before it, redirections take what is meant for one address and port of the host to another port of
 *    that address.
 *    What is said about a network's way out comes in between: by which interface it may leave, of which
 *    guests it is served. A network that does not simply masquerade has a chain of its own in postrouting.
 *  - postrouting: a forwarded connection gets its network's timeouts; one that comes from the guest's own network
 *    (hairpin) or from a loopback address gets our address, or the answer would not come back to us.
 *  - input: the gateway address serves DNS and ping and refuses the rest; a network without
 *    adapter reaches nothing of the host but that and DHCP. 127.0.0.0/8 on the wire is dropped:
 *    the bridges have route_localnet on for forwards from 127.0.0.1, which would open the host's
 *    loopback to guests.
 *
 * What a look-up costs a new connection is the cache lines that it touches. So a name is compared with "vmnet" before it
 * is looked up, and what most packets ask for is asked for in one set.
 *
 * With bridge-nf-call-iptables on, frames between guests of one network appear in the forward
 * hook as well, with the bridge on both sides; they are never ours to drop (NFT_SET_TOGETHER,
 * NFT_OP_BRIDGED).
 */
#include "priv_nft_plan.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>

#include "lib/util.h"

enum {
	/* nf_conntrack's own names for the bits of ct state. */
	STATE_INVALID = 1 << 0,
	STATE_ESTABLISHED = 1 << 1,
	STATE_RELATED = 1 << 2,
};

#define LOOPBACK 0x7f000001u

const struct nft_set_def nft_sets[NFT_SET_N] = {
    [NFT_SET_NETS] = {"nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_NAT_NETS] = {"nat_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_TOGETHER] =
	{"together", {NFT_T_IFNAME, NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_GATEWAYS] = {"gateways", {NFT_T_IFNAME, NFT_T_ADDR}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_HAIRPIN] = {"hairpin", {NFT_T_IFNAME, NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_NEAR] = {"near", {NFT_T_IFNAME, NFT_T_ADDR}, {NFT_T_NONE}, true, NFT_ALWAYS},
    [NFT_MAP_SELF] = {"self", {NFT_T_IFNAME}, {NFT_T_ADDR}, false, NFT_ALWAYS},
    [NFT_MAP_FORWARDS] =
	{"forwards", {NFT_T_PROTO, NFT_T_PORT}, {NFT_T_ADDR, NFT_T_PORT}, false, NFT_ALWAYS},
    [NFT_MAP_BOUND_TCP] =
	{"bound_tcp", {NFT_T_ADDR, NFT_T_PORT}, {NFT_T_ADDR, NFT_T_PORT}, false, NFT_IF_BOUND},
    [NFT_MAP_BOUND_UDP] =
	{"bound_udp", {NFT_T_ADDR, NFT_T_PORT}, {NFT_T_ADDR, NFT_T_PORT}, false, NFT_IF_BOUND},
    [NFT_MAP_CAPTURES] =
	{"captures", {NFT_T_ADDR, NFT_T_PORT}, {NFT_T_ADDR, NFT_T_PORT}, false, NFT_IF_CAPTURES},
    [NFT_MAP_CAPTURES6] =
	{"captures6", {NFT_T_ADDR6, NFT_T_PORT}, {NFT_T_ADDR6, NFT_T_PORT}, false, NFT_IF_CAPTURES},
    [NFT_MAP_TIMEOUTS] =
	{"timeouts", {NFT_T_IFNAME, NFT_T_PROTO}, {NFT_T_VERDICT}, false, NFT_IF_TIMEOUTS},
    [NFT_MAP_WAYS] = {"ways", {NFT_T_IFNAME}, {NFT_T_VERDICT}, false, NFT_IF_WAYS},
    [NFT_SET_EGRESS_NETS] = {"egress_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_IF_EGRESS},
    [NFT_SET_EGRESS] = {"egress", {NFT_T_IFNAME, NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_IF_EGRESS},
    [NFT_SET_VMWARE_NETS] = {"vmware_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_IF_VMWARE},
    [NFT_SET_VMWARE_MACS] =
	{"vmware_macs", {NFT_T_IFNAME, NFT_T_MAC}, {NFT_T_NONE}, true, NFT_IF_VMWARE},
    [NFT_SET_OPEN_GATEWAYS] = {"open_gateways", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_RESET_NETS] = {"reset_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_ALWAYS},
    [NFT_SET_FTP_NETS] = {"ftp_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_IF_FTP},
    [NFT_SET_FTP_PORTS] = {"ftp_ports", {NFT_T_PORT}, {NFT_T_NONE}, false, NFT_IF_FTP_FORWARDS},
    [NFT_SET_FLOW_NETS] = {"flow_nets", {NFT_T_IFNAME}, {NFT_T_NONE}, false, NFT_IF_FLOWS},
    [NFT_MAP_FROM_GUESTS] = {"from_guests", {NFT_T_IFNAME}, {NFT_T_VERDICT}, false, NFT_ALWAYS},
    [NFT_MAP_TO_HOST] = {"to_host", {NFT_T_IFNAME}, {NFT_T_VERDICT}, false, NFT_ALWAYS},
};

const struct nft_chain_def nft_chains[NFT_CHAIN_N] = {
    [NFT_CHAIN_EGRESS] = {"leaving", NULL, NULL, 0, 0},
    [NFT_CHAIN_FROM_NAT] = {"from_nat", NULL, NULL, 0, 0},
    [NFT_CHAIN_NAT_INSIDE] = {"nat_inside", NULL, NULL, 0, 0},
    [NFT_CHAIN_FROM_HOSTONLY] = {"from_hostonly", NULL, NULL, 0, 0},
    [NFT_CHAIN_FROM_CLOSED] = {"from_closed", NULL, NULL, 0, 0},
    [NFT_CHAIN_GATEWAY] = {"gateway", NULL, NULL, 0, 0},
    [NFT_CHAIN_HOST_OPEN] = {"host_open", NULL, NULL, 0, 0},
    [NFT_CHAIN_HOST_CLOSED] = {"host_closed", NULL, NULL, 0, 0},
    [NFT_CHAIN_INSIDE] = {"inside", NULL, NULL, 0, 0},
    [NFT_CHAIN_FORWARDED] = {"forwarded", NULL, NULL, 0, 0},
    [NFT_CHAIN_INPUT] = {"input", "filter", "input", NF_INET_LOCAL_IN, 0},
    [NFT_CHAIN_FORWARD] = {"forward", "filter", "forward", NF_INET_FORWARD, 0},
    [NFT_CHAIN_PREROUTING] = {"prerouting", "nat", "prerouting", NF_INET_PRE_ROUTING, -100},
    [NFT_CHAIN_OUTPUT] = {"output", "nat", "output", NF_INET_LOCAL_OUT, -100},
    [NFT_CHAIN_POSTROUTING] = {"postrouting", "nat", "postrouting", NF_INET_POST_ROUTING, 100},
};

/* Shorthands for the table below; each is one statement. */
#define OP(op)                                                                                     \
	{                                                                                          \
		NFT_OP_##op, 0, 0                                                                  \
	}
#define OP1(op, arg)                                                                               \
	{                                                                                          \
		NFT_OP_##op, arg, 0                                                                \
	}
#define IN(op, set)                                                                                \
	{                                                                                          \
		NFT_OP_##op, NFT_SET_##set, 0                                                      \
	}
#define MAP(op, map)                                                                               \
	{                                                                                          \
		NFT_OP_##op, NFT_MAP_##map, 0                                                      \
	}
#define JUMP(chain)                                                                                \
	{                                                                                          \
		NFT_OP_JUMP, NFT_CHAIN_##chain, 0                                                  \
	}
#define TO(chain)                                                                                  \
	{                                                                                          \
		NFT_OP_GOTO, NFT_CHAIN_##chain, 0                                                  \
	}
#define IF(cond, ch, ...)                                                                          \
	{                                                                                          \
		NFT_CHAIN_##ch, NFT_##cond,                                                        \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}
#define RULE(ch, ...) IF(ALWAYS, ch, __VA_ARGS__)

#define KNOWN  OP1(CT_STATE, STATE_ESTABLISHED | STATE_RELATED)
#define DNATED OP1(CT_STATUS, IPS_DST_NAT)

const struct nft_rule_def nft_rules[] = {
    IF(IF_EGRESS, EGRESS, IN(OIF_IN, NETS), OP(RETURN)),
    IF(IF_EGRESS, EGRESS, IN(IIF_OIF_IN, EGRESS), OP(RETURN)),
    IF(IF_EGRESS, EGRESS, OP(IPV4), OP(REJECT_ADMIN)),

    IF(IF_TIMEOUTS, FROM_NAT, OP1(L4PROTO, IPPROTO_UDP), MAP(IIF_PROTO_VMAP, TIMEOUTS)),
    IF(IF_TCP_TIMEOUTS, FROM_NAT, OP1(L4PROTO, IPPROTO_TCP), MAP(IIF_PROTO_VMAP, TIMEOUTS)),
    RULE(FROM_NAT, OP(OIF_VMNET), IN(OIF_IN, NETS), TO(NAT_INSIDE)),
    /* An invalid packet is not translated and would leave with the guest's private address. */
    RULE(FROM_NAT, OP1(CT_STATE, STATE_INVALID), OP(DROP)),
    IF(IF_VMWARE, FROM_NAT, OP(IPV4), IN(IIF_IN, VMWARE_NETS), IN(IIF_MAC_NOT_IN, VMWARE_MACS),
       OP(REJECT_ADMIN)),
    RULE(FROM_NAT, OP(IPV4), OP1(L4PROTO, IPPROTO_TCP), OP(NO_SYN), IN(IIF_IN, RESET_NETS),
	 OP(REJECT_RESET)),
    /* Who follows a connection has to be known before it is translated. Not in prerouting, which would be one more chain for
     * every connection. */
    IF(IF_FTP, FROM_NAT, OP1(L4PROTO, IPPROTO_TCP), OP1(DPORT, NFT_FTP_PORT), IN(IIF_IN, FTP_NETS),
       OP(FTP_HELPER)),
    RULE(FROM_NAT, OP(IPV4), OP(ACCEPT)),
    RULE(FROM_NAT, OP(DROP)),

    RULE(NAT_INSIDE, IN(IIF_OIF_IN, TOGETHER), OP(ACCEPT)),
    RULE(NAT_INSIDE, OP1(CT_STATE, STATE_INVALID), OP(DROP)),
    IF(IF_VMWARE, NAT_INSIDE, OP(IPV4), IN(IIF_IN, VMWARE_NETS), IN(IIF_MAC_NOT_IN, VMWARE_MACS),
       OP(REJECT_ADMIN)),
    RULE(NAT_INSIDE, DNATED, OP(ACCEPT)),
    RULE(NAT_INSIDE, OP(REJECT_ADMIN)),

    RULE(FROM_HOSTONLY, IN(IIF_OIF_IN, TOGETHER), OP(ACCEPT)),
    RULE(FROM_HOSTONLY, DNATED, OP(ACCEPT)),
    RULE(FROM_HOSTONLY, OP(REJECT_ADMIN)),

    RULE(FROM_CLOSED, IN(IIF_OIF_IN, TOGETHER), OP(ACCEPT)),
    RULE(FROM_CLOSED, OP(DROP)),

    RULE(GATEWAY, OP1(L4PROTO, IPPROTO_UDP), OP1(DPORT, 53), OP(ACCEPT)),
    RULE(GATEWAY, OP1(L4PROTO, IPPROTO_TCP), OP1(DPORT, 53), OP(ACCEPT)),
    RULE(GATEWAY, OP(ECHO_REQUEST), OP(ACCEPT)),
    RULE(GATEWAY, IN(IIF_IN, OPEN_GATEWAYS), OP(ACCEPT)),
    RULE(GATEWAY, OP1(L4PROTO, IPPROTO_TCP), OP(REJECT_RESET)),
    RULE(GATEWAY, OP(REJECT_PORT)),

    RULE(HOST_OPEN, OP(DADDR_LOOPBACK), OP(DROP)),
    RULE(HOST_OPEN, OP(SADDR_LOOPBACK), OP(DROP)),
    RULE(HOST_OPEN, IN(IIF_DADDR_IN, GATEWAYS), TO(GATEWAY)),

    RULE(HOST_CLOSED, OP1(L4PROTO, IPPROTO_UDP), OP1(DPORT, 67), OP(ACCEPT)),
    RULE(HOST_CLOSED, IN(IIF_DADDR_IN, GATEWAYS), TO(GATEWAY)),
    RULE(HOST_CLOSED, OP(DROP)),

    RULE(INPUT, KNOWN, OP(ACCEPT)),
    RULE(INPUT, MAP(IIF_VMAP, TO_HOST)),

    /* First of all, as routes change under connections that go on. */
    IF(IF_EGRESS, FORWARD, IN(IIF_IN, EGRESS_NETS), JUMP(EGRESS)),
    /* By a packet of the guest's only: the kernel takes the route that the packet has for this direction, and
     * looks for one to where the packet came from, by that very interface, for the other. UDP would be forgotten
     * after the host's time, not after that of nat.conf. */
    IF(IF_FLOWS, FORWARD, OP1(L4PROTO, IPPROTO_TCP), OP1(CT_STATE, STATE_ESTABLISHED), OP(IPV4),
       IN(IIF_IN, FLOW_NETS), IN(OIF_NOT_IN, NETS), OP(FLOW_ADD)),
    /* What masquerades is known after its first packet, answered or not: datagrams often are not. */
    RULE(FORWARD, OP1(CT_STATUS, IPS_SEEN_REPLY | IPS_SRC_NAT), OP(ACCEPT)),
    RULE(FORWARD, OP(IIF_VMNET), IN(IIF_IN, NAT_NETS), TO(FROM_NAT)),
    RULE(FORWARD, OP(IIF_VMNET), MAP(IIF_VMAP, FROM_GUESTS)),
    RULE(FORWARD, DNATED, OP(ACCEPT)),
    RULE(FORWARD, OP1(CT_STATE, STATE_RELATED), OP(ACCEPT)),
    RULE(FORWARD, IN(OIF_IN, NETS), OP(DROP)),
    IF(IF_OTHERS_DROPPED, FORWARD, OP(BRIDGED), OP(ACCEPT)),
    IF(IF_OTHERS_DROPPED, FORWARD, OP(IPV4), OP(DROP)),

    /* As in from_nat: before the address is translated. */
    IF(IF_FTP_FORWARDS, PREROUTING, OP1(L4PROTO, IPPROTO_TCP), IN(DPORT_IN, FTP_PORTS),
       OP(TO_LOCAL), OP(FTP_HELPER)),
    IF(IF_CAPTURES, PREROUTING, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_CAPTURED, CAPTURES)),
    IF(IF_CAPTURES, PREROUTING, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_CAPTURED6, CAPTURES6)),
    IF(IF_BOUND, PREROUTING, IN(IIF_DADDR_IN, GATEWAYS), OP(ACCEPT)),
    /* A forward of 127.0.0.1 is the host's own, and a guest can send there, see above. */
    IF(IF_BOUND, PREROUTING, OP(DADDR_LOOPBACK), OP(ACCEPT)),
    IF(IF_BOUND, PREROUTING, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_BOUND, BOUND_TCP)),
    IF(IF_BOUND, PREROUTING, OP1(L4PROTO, IPPROTO_UDP), MAP(DNAT_BOUND, BOUND_UDP)),
    IF(IF_FORWARDS, PREROUTING, MAP(DNAT_INCOMING, FORWARDS)),

    IF(IF_CAPTURES, OUTPUT, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_CAPTURED, CAPTURES)),
    IF(IF_CAPTURES, OUTPUT, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_CAPTURED6, CAPTURES6)),
    IF(IF_FORWARDS, OUTPUT, OP(DADDR_LOOPBACK), OP1(DADDR_NOT, LOOPBACK), OP(ACCEPT)),
    IF(IF_BOUND, OUTPUT, OP1(L4PROTO, IPPROTO_TCP), MAP(DNAT_BOUND, BOUND_TCP)),
    IF(IF_BOUND, OUTPUT, OP1(L4PROTO, IPPROTO_UDP), MAP(DNAT_BOUND, BOUND_UDP)),
    IF(IF_FORWARDS, OUTPUT, MAP(DNAT_LOCAL, FORWARDS)),

    RULE(INSIDE, DNATED, TO(FORWARDED)),
    RULE(INSIDE, OP(ACCEPT)),

    /* What comes by a forward, from the host itself too: the network that it leads to has the say. */
    IF(IF_TIMEOUTS, FORWARDED, OP1(L4PROTO, IPPROTO_UDP), MAP(OIF_PROTO_VMAP, TIMEOUTS)),
    IF(IF_TCP_TIMEOUTS, FORWARDED, OP1(L4PROTO, IPPROTO_TCP), MAP(OIF_PROTO_VMAP, TIMEOUTS)),
    RULE(FORWARDED, OP(IIF_VMNET), IN(IIF_OIF_IN, HAIRPIN), MAP(SNAT, SELF)),
    RULE(FORWARDED, OP(SADDR_LOOPBACK), MAP(SNAT, SELF)),
    /* A frame that bridge-nf translates stays in the bridge, and nobody says by what interface it came. Only such
     * ones are looked up among ranges, for which the kernel saves the vector unit's registers: 2 us. */
    RULE(FORWARDED, OP(IIF_NONE), IN(OIF_SADDR_IN, NEAR), MAP(SNAT, SELF)),

    RULE(POSTROUTING, OP(OIF_VMNET), IN(OIF_IN, NETS), TO(INSIDE)),
    IF(IF_WAYS, POSTROUTING, OP(IPV4), MAP(IIF_VMAP, WAYS)),
    RULE(POSTROUTING, OP(IPV4), IN(IIF_IN, NAT_NETS), OP(MASQUERADE)),
};

const size_t nft_nrules = ARRAY_LEN(nft_rules);
