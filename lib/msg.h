/* SPDX-License-Identifier: GPL-2.0-or-later
 * msg.h - the vocabulary: everything that one process of the suite may say to another.
 *
 * One list (MSG_LIST, in msg_list.h) names every message; one FIELDS macro each names its fields in order. The structs,
 * the encoder, the decoder and the names in logs all come from these, so that they cannot drift apart.
 * Messages travel one to a SEQPACKET datagram of at most MSG_MAX bytes, encoded field by field:
 *
 *     u16 type   u16 reserved (0)   u32 id   fields...
 *
 * numbers big-endian; a BOOL is one byte 0 or 1; an IP4 four bytes; a MAC six; a STR is u16 length and
 * that many bytes without NUL, shorter than its capacity; BYTES is u16 length and that many bytes. The
 * decoder is total: anything else, trailing bytes included, is refused and the peer counts as broken.
 *
 * A request carries an id chosen by its sender (not 0); it gets any number of rows and then exactly one
 * REPLY, all with that id. An event carries id 0. Who may send what to priv stands in vnetd/policy.c,
 * what a client may ask in vnetd/rights.c. Descriptors: the two numbers after a message's name say
 * how many it carries at least and at most.
 */
#ifndef VNET_LIB_MSG_H
#define VNET_LIB_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn.h"
#include "gate.h"
#include "inet.h"
#include "kinds.h"
#include "msg_kinds.h"
#include "msg_list.h"

#define MSG_MAX    4096
#define MSG_HEADER 8

/* clang-format off */

/* Field lists. F is called as F(kind, name, capacity); the capacity counts for STR and BYTES only. */

/* -- everybody -- */

/* The end of an answer. err: 0 or a positive errno; text: a sentence for a person, or "". */
#define FIELDS_reply(F) F(U32, err, 0) F(STR, text, 512)

/* -- priv -> children -- */

/* To the engine, first message of all: descriptors: the listening client socket, and the boot's clock. */
#define FIELDS_engine_init(F)                                                                      \
	F(U32, group_gid, 0)      /* group vnet */                                                     \
	F(U64, started_mono_ms, 0) /* when the suite (priv) started, CLOCK_BOOTTIME */                 \
	F(BOOL, restarted, 0)     /* an earlier engine died */
/* To the engine: a worker has started; descriptor: our end of the channel. */
#define FIELDS_worker_up(F) F(U8, role, 0)
/* To the engine: a worker has ended; it is started again after retry_ms. */
#define FIELDS_worker_gone(F) F(U8, role, 0) F(U32, retry_ms, 0) F(STR, how, 128)
/* To a worker: a new engine has started; descriptor: the worker's end of a new channel. */
#define FIELDS_engine_chan(F)
/* To the engine: SIGHUP. */
#define FIELDS_reload(F)
/* To a worker: set the log level (enum log_level). From engine to priv too. */
#define FIELDS_log_level(F) F(U8, level, 0)

/* -- engine -> priv: the end of the start -- */

/* The first plan is applied and the workers answered (or had their time): tell the service manager.
 * text: what runs ("3 networks"), for its status line. Sent again when the text changes. */
#define FIELDS_engine_ready(F) F(STR, text, 256)
/* The configuration is unusable as a whole; the diagnostics are in the log. At the first start priv
 * ends with exit status 1; later the engine stays, touches nothing and waits for a RELOAD. */
#define FIELDS_engine_refused(F) F(STR, text, 512)

/* -- engine -> priv: files -- */

/* Opens for reading; the REPLY carries the descriptor. err ENOENT when it does not exist. */
#define FIELDS_conf_open(F) F(U8, file, 0) F(U16, net, 0)
/* Replaces a file atomically and durably by the contents of the memfd that comes along. */
#define FIELDS_conf_replace(F) F(U8, file, 0) F(U16, net, 0)
/* Removes a network's own file (not the first group). */
#define FIELDS_conf_remove(F) F(U8, file, 0) F(U16, net, 0)
/* Opens a file of the host for reading; the REPLY carries the descriptor. */
#define FIELDS_host_open(F) F(U8, file, 0)
/* The REPLY carries an inotify descriptor that becomes readable when the file may have changed. */
#define FIELDS_host_watch(F) F(U8, file, 0)

/* -- engine -> priv: TCP redirections -- */

/* A worker that runs only when there is something for it to do: start it now and keep it running, or do
 * not start it again once it has ended by itself. */
#define FIELDS_worker_want(F) F(U8, role, 0) F(BOOL, on, 0)
/* Asks for a REDIRECT_FILE for each regular file below redirect.d. err E2BIG: there are too many. */
#define FIELDS_redirect_files(F)
/* name: below the configuration folder, "redirect.d/ssh". Carries the file opened for reading, or err says
 * why it cannot be. */
#define FIELDS_redirect_file(F) F(STR, name, 256) F(U32, err, 0) F(STR, text, 256)
/* A listening TCP socket. addr: 16 bytes, IPv4 as ::ffff:a.b.c.d; ifname: of a link-local address, else "";
 * family: enum redirect_family. priv keeps what it makes: asked for again, it is the same socket, queue and
 * all. The REPLY's text is the number by which vnet-redird gets a copy. err EADDRINUSE: the text says what
 * is taken. */
#define FIELDS_sock_listen(F)                                                                      \
	F(BYTES, addr, 16) F(U16, port, 0) F(STR, ifname, 16) F(U8, family, 0)
/* At the next LISTEN_SWEEP this one stays, if it is there. */
#define FIELDS_listen_keep(F)                                                                      \
	F(BYTES, addr, 16) F(U16, port, 0) F(STR, ifname, 16) F(U8, family, 0)
/* Ends every listening socket that was not named by LISTEN_KEEP since the last sweep. */
#define FIELDS_listen_sweep(F)

/* The interface, whosever it is, gets this address (/32 or /128) unless it has it. It is ours to remove. REPLY text:
 * "added", or "" when it was there. */
#define FIELDS_alias_set(F) F(BYTES, addr, 16) F(STR, ifname, 16)
/* Tells the neighbours that such an address, which must be there, has the interface's MAC now. Nothing happens where
 * there are none to tell: the interface is down, or has no MAC. */
#define FIELDS_alias_announce(F) F(BYTES, addr, 16) F(STR, ifname, 16)
/* Removes every such address that was not named by ALIAS_SET since the last sweep. */
#define FIELDS_alias_sweep(F)

/* A file to which lines of redirections are to be appended. priv tries to open it, creating it if need be, and
 * remembers it until a LOG_SWEEP. The REPLY's text is the number by which vnet-redird gets it, or why it cannot
 * be written to. */
#define FIELDS_log_set(F) F(STR, path, 256)
/* Forgets every file that was not named by LOG_SET since the last sweep. */
#define FIELDS_log_sweep(F)

/* -- redird -> priv -- */

/* The REPLY carries a copy of a listening socket that the engine asked for. err ENOENT: it has ended. */
#define FIELDS_listen_take(F) F(U32, listener, 0)
/* The REPLY carries a file that the engine has named, opened afresh for appending; 0: a socket that leads to
 * /dev/log. err ENOENT: the engine does not want it any more. */
#define FIELDS_log_take(F) F(U32, log, 0)

/* -- engine -> priv: networks. net: 0-255 -- */

/* Makes the bridge vmnetN exist, be ours and look like this: MAC 00:50:56:c0:00:NN, alias
 * "vnetd:N TEXT", this MTU, no STP, up. EEXIST when a link of that name is not ours. */
#define FIELDS_bridge_set(F) F(U16, net, 0) F(U16, mtu, 0) F(STR, text, MSG_ALIAS)
/* Removes our bridge. Ports lose their master; nothing else happens to them. */
#define FIELDS_bridge_del(F) F(U16, net, 0)
/* A /32 address with noprefixroute and our protocol number (IFA_PROTO 118), by which the engine knows
 * it again. */
#define FIELDS_addr_add(F) F(U16, net, 0) F(IP4, addr, 0)
#define FIELDS_addr_del(F) F(U16, net, 0) F(IP4, addr, 0)
/* The connected route of the subnet with this preferred source, our routing protocol number. */
#define FIELDS_route_add(F) F(U16, net, 0) F(IP4, dst, 0) F(U8, len, 0) F(IP4, src, 0)
#define FIELDS_route_del(F) F(U16, net, 0) F(IP4, dst, 0) F(U8, len, 0)
/* A permanent neighbour entry on the bridge, with our protocol number (NDA_PROTOCOL 118): the host reaches this
 * address at this MAC without asking by ARP. Another entry for the address is replaced. */
#define FIELDS_neigh_set(F) F(U16, net, 0) F(IP4, addr, 0) F(MAC, mac, 0)
/* Removes such an entry; one with another protocol number stays. */
#define FIELDS_neigh_del(F) F(U16, net, 0) F(IP4, addr, 0)
/* Applies a fixed set of sysctls to the link vmnetN or a port of it. */
#define FIELDS_sysctl_set(F) F(U16, net, 0) F(U8, profile, 0) F(STR, ifname, 16)
/* net.ipv4.ip_forward = 1, at once when others are to be forwarded for too, or it was 1 before us; else when a table is in
 * force that keeps others out. The value found is recorded once. REPLY text: "0" or "1", the recorded one. */
#define FIELDS_ip_forward(F) F(BOOL, others, 0)

/* -- engine -> priv: ports -- */

/* A tap on vmnetN, down. persist: it stays without a holder (static taps), owner may open it by name and the
 * REPLY carries no descriptor; else the REPLY carries `queues` descriptors, and priv keeps none.
 * ifname: vmnetNpM of this network, or for persist any free name that does not begin with "vmnet".
 * mac: our end's, fe:00:... (names_port_mac() of vnetd/names.h). */
#define FIELDS_tap_add(F)                                                                          \
	F(U16, net, 0) F(STR, ifname, 16) F(MAC, mac, 0) F(U32, owner, 0) F(U8, queues, 0)              \
	F(BOOL, vnet_hdr, 0) F(BOOL, persist, 0) F(U16, mtu, 0) F(STR, text, MSG_ALIAS)
/* A veth pair: ifname with address mac (fe:00:...) on vmnetN, down; its peer created as peer_name with peer_mac in the namespace whose
 * descriptor comes along. The peer stays down (its owner brings it up). */
#define FIELDS_veth_add(F)                                                                         \
	F(U16, net, 0) F(STR, ifname, 16) F(MAC, mac, 0) F(STR, peer_name, 16) F(MAC, peer_mac, 0)      \
	F(U16, mtu, 0) F(STR, text, MSG_ALIAS)
/* Deletes a port's link that is ours by alias. */
#define FIELDS_port_del(F) F(STR, ifname, 16)
/* Puts a masterless link back onto vmnetN: ours by alias, or a foreign tun or veth. */
#define FIELDS_port_enslave(F) F(U16, net, 0) F(STR, ifname, 16)
/* MTU (0: leave), our end's address (0: leave; else fe:...) and up of a link that is ours by alias. off: it
 * leaves its bridge before all that. */
#define FIELDS_port_set(F)                                                                         \
	F(U16, net, 0) F(STR, ifname, 16) F(U16, mtu, 0) F(MAC, mac, 0) F(BOOL, up, 0) F(BOOL, off, 0)
/* The whole policy of a port's gate, of a link that is on vmnetN (ours or adopted). Can be repeated: what is
 * so already is left alone, and no frame passes meanwhile that neither the old nor the new policy lets
 * pass. mac: MAC_POLICY_GIVEN: the address; MAC_POLICY_STICKY: one that is pinned if none is so far, 0:
 * the first one from traffic. unpin: forget the pinned one first. flags: enum gate_flag. ip: for GATE_IP,
 * 0: none so far. flood: broadcasts and multicasts a second, rates: kbit/s; 0: no limit. span: a port of the
 * same network that gets a copy of everything this one sends and receives, "": none. promisc: it gets
 * a copy of every unicast frame of the network that it would not get anyway. memo: kept with the port.
 * dhcp_rate: messages to DHCP servers a second, 0: no limit. dhcp_server: those to it, to dhcp_broadcast and to all go to
 * the DHCP server too; both addresses 0: there is none. dhcp_leases: it is told this limit with them, 0: no limit.
 * lent: GATE_FORGED is there for promisc alone.
 * err ENOSPC: the network has no room for one more promiscuous port; all is in force but promisc and what is lent.
 * err EADDRINUSE: another port of the network has this address. After other failures a port that had a gate keeps
 * it, and nothing that another one sends passes. */
#define FIELDS_gate_set(F)                                                                         \
	F(U16, net, 0) F(STR, ifname, 16) F(U8, mac_policy, 0) F(MAC, mac, 0) F(BOOL, unpin, 0)         \
	F(U16, learn, 0) F(U16, flags, 0) F(IP4, ip, 0) F(U32, flood, 0) F(U32, rate_in_kbit, 0)        \
	F(U32, rate_out_kbit, 0) F(STR, span, 16) F(BOOL, promisc, 0) F(BYTES, memo, GATE_MEMO_MAX)     \
	F(U32, dhcp_rate, 0) F(U16, dhcp_leases, 0) F(IP4, dhcp_server, 0) F(IP4, dhcp_broadcast, 0)    \
	F(BOOL, lent, 0)
/* Ends the gate of a link that is gone, or is not on a bridge of ours any more. */
#define FIELDS_gate_del(F) F(U32, ifindex, 0)
/* Forgets an address that a port has by MAC_POLICY_LEARN. Those that its bridge does not know any more a GATE_SET
 * forgets by itself. */
#define FIELDS_gate_forget(F) F(U32, ifindex, 0) F(MAC, mac, 0)
/* Moves the programs of a port to where frames pass them fastest, see vnetd/hook.h: takes milliseconds, and for
 * that time each runs twice, so not for ports whose frames are copied. replace: only those that are there already, of
 * other code, which is one step. err EOPNOTSUPP: this kernel cannot. */
#define FIELDS_gate_fasten(F) F(U32, ifindex, 0) F(BOOL, replace, 0)
/* Asks for a GATE_ROW for each gate of a network (MSG_NET_ALL: of all), and for each port that waits for its gate:
 * of that there is nothing but ifindex. */
#define FIELDS_gate_list(F) F(U16, net, 0)
/* mac: the port's own, 0: none so far. drops: DROP_REASON_N numbers of 8 bytes, big-endian. */
#define FIELDS_gate_row(F)                                                                         \
	F(U32, ifindex, 0) F(U16, net, 0) F(U8, mac_policy, 0) F(MAC, mac, 0) F(U16, learned, 0)        \
	F(IP4, ip, 0) F(BOOL, promisc, 0) F(BYTES, memo, GATE_MEMO_MAX) F(BYTES, drops, 8 * DROP_REASON_N)
/* The REPLY carries the ring buffer of bpf/gate_maps.h's events. */
#define FIELDS_gate_events(F)
/* The REPLY carries an inotify descriptor that becomes readable when a marker file may have come, gone or
 * changed. Only folders and markers that exist now are watched: ask again when one has come. */
#define FIELDS_marker_watch(F)
/* Asks for a MARKER_ROW for each file promiscAuthorized that exists: net, or MSG_NET_ALL for the global one.
 * The facts are the kernel's, as lstat() tells them. linked: its folder is a symbolic link. */
#define FIELDS_marker_list(F)
#define FIELDS_marker_row(F)                                                                       \
	F(U16, net, 0) F(BOOL, linked, 0) F(BOOL, regular, 0) F(U32, links, 0) F(U32, uid, 0)      \
	F(U32, mode, 0)

/* -- dhcpd -> priv -- */

/* REPLY carries two descriptors: a packet socket bound to vmnetN, for sending, that receives ARP replies only,
 * and a UDP socket on server:67 bound to vmnetN with a drop-all filter, to be held.
 * err EADDRINUSE: the text says what is taken. */
#define FIELDS_sock_dhcp(F) F(U16, net, 0) F(IP4, server, 0)
/* REPLY carries the ring buffer of bpf/dhcp_ring.h. */
#define FIELDS_dhcp_ring(F)
/* REPLY carries a descriptor of the folder <state-dir>/vmnetN, made if missing. */
#define FIELDS_lease_dir(F) F(U16, net, 0)

/* -- natd -> priv -- */

/* REPLY carries two sockets bound to addr:53 on vmnetN: of UDP, and of TCP, which listens. */
#define FIELDS_sock_dns(F) F(U16, net, 0) F(IP4, addr, 0)
/* The NAT plan, replacing the whole table `inet vnetd` in one transaction at NAT_COMMIT. Rows between
 * BEGIN and COMMIT have no reply of their own; a bad row makes the COMMIT fail. flowtable: established TCP
 * connections to the outside pass by the rules, where the kernel can do that. */
#define FIELDS_nat_begin(F) F(BOOL, forward_others, 0) F(BOOL, flowtable, 0)
/* How guests of a NAT network go out; 0 and "": as the kernel chooses. snat: their address outside. snat_lo to snat_hi:
 * source ports. egress: the only interface by which they leave. ftp: it is followed. vmware_only: other MAC addresses
 * than VMware's are refused. open_gateway: the gateway's address leads to services of the host. reset_lost: unknown
 * TCP is reset. low_tcp, low_udp: ports, two bytes each, that are asked from a source port below 1024. */
#define NAT_WAY(F)                                                                                 \
	F(U32, udp_timeout_s, 0) F(U32, tcp_time_wait_s, 0) F(IP4, snat, 0) F(U16, snat_lo, 0)          \
	F(U16, snat_hi, 0) F(STR, egress, 16) F(BOOL, ftp, 0) F(BOOL, vmware_only, 0)                   \
	F(BOOL, open_gateway, 0) F(BOOL, reset_lost, 0) F(BYTES, low_tcp, NAT_LOW_LEN)                  \
	F(BYTES, low_udp, NAT_LOW_LEN)
/* One network. nat: masquerade to the outside. Without it the network reaches nothing else. routes: networks
 * that it talks with, in both directions, whether they name it or not; 0 or NAT_ROUTES_LEN bytes. */
#define FIELDS_nat_net(F)                                                                          \
	F(U16, net, 0) F(IP4, subnet, 0) F(U8, len, 0) F(IP4, host, 0) F(IP4, gateway, 0)               \
	F(BOOL, adapter, 0) F(BOOL, nat, 0) F(BYTES, routes, NAT_ROUTES_LEN) NAT_WAY(F)
/* One port forward: proto (enum ip_proto), host port -> guest address and port. host: of this address of the host
 * alone; 0: of all. */
#define FIELDS_nat_forward(F)                                                                      \
	F(U16, net, 0) F(U8, proto, 0) F(U16, port, 0) F(IP4, guest, 0) F(U16, guest_port, 0)           \
	F(IP4, host, 0)
/* TCP to this address of the host (16 bytes, IPv4 as ::ffff:a.b.c.d) and this port goes to that port of the same address:
 * a redirection's. */
#define FIELDS_nat_capture(F) F(BYTES, addr, 16) F(U16, port, 0) F(U16, to_port, 0)
/* Instead of NAT_BEGIN: NAT_FORWARD_GONE and NAT_FORWARD rows up to NAT_COMMIT change the forwards of the plan in
 * force, at most NAT_CHANGES_MAX of each; all else stays. The COMMIT fails with ESTALE when the latest plan is not
 * in force. */
#define FIELDS_nat_change(F)
/* As it was in the plan. Its connections are another matter: NAT_FLUSH_FORWARD. */
#define FIELDS_nat_forward_gone(F)                                                                 \
	F(U16, net, 0) F(U8, proto, 0) F(U16, port, 0) F(IP4, guest, 0) F(U16, guest_port, 0)           \
	F(IP4, host, 0)
#define FIELDS_nat_commit(F)
/* A row of NAT_FLUSH: connections of a removed forward, by original destination port. */
#define FIELDS_nat_flush_forward(F)                                                                \
	F(U16, net, 0) F(U8, proto, 0) F(U16, port, 0) F(IP4, guest, 0) F(U16, guest_port, 0)           \
	F(IP4, host, 0)
/* Forgets the connections of all NAT_FLUSH_FORWARD rows since the last one, at most NAT_FLUSHES_MAX. */
#define FIELDS_nat_flush(F)
/* The flowtable of the plan in force looks at what comes by this interface, or (gone) no longer does. err ENOENT: there
 * is no such interface. ESTALE: no plan with a flowtable is in force. */
#define FIELDS_flow_dev(F) F(STR, ifname, 16) F(BOOL, gone, 0)
/* Binds the port on all addresses of the host, or on one, and keeps it, whoever comes and goes, so that nobody else can. err
 * EADDRINUSE: somebody has it. */
#define FIELDS_hold_set(F) F(U8, proto, 0) F(U16, port, 0) F(IP4, host, 0)
#define FIELDS_hold_end(F) F(U8, proto, 0) F(U16, port, 0) F(IP4, host, 0)
/* begin: from here on count those that HOLD_SET names. Without: ends all others. */
#define FIELDS_hold_sweep(F) F(BOOL, begin, 0)
/* REPLY carries a socket bound to the port on ::1, for IPv6 alone; one of TCP listens. natd's, not kept: it ends with whoever
 * has it. err EADDRINUSE: somebody has the port; EADDRNOTAVAIL, EAFNOSUPPORT: this host has no ::1. */
#define FIELDS_sock_relay(F) F(U8, proto, 0) F(U16, port, 0)
/* REPLY carries a netfilter netlink socket that receives the events of every table's changes. */
#define FIELDS_nft_watch(F)
/* Asks for a FIREWALL_ROW for each foreign base chain on the IPv4 input or forward hook that can drop.
 * bridges: a set of networks besides those of the plan. */
#define FIELDS_firewall_scan(F) F(BYTES, bridges, NAT_ROUTES_LEN)
/* One such chain. names: space-separated, the networks of the plan whose packets it lets pass (forward:
 * new connections to the outside and their answers; input: DNS). inside: those whose guests' frames to each
 * other it drops, when bridge-nf shows it them. jumps: what it calls, by which its author is recognised. */
#define FIELDS_firewall_row(F)                                                                     \
	F(STR, family, 8) F(STR, table, 64) F(STR, chain, 64) F(BOOL, forward, 0)                      \
	F(BOOL, policy_drop, 0) F(BOOL, final_drop, 0) F(STR, names, 2560) F(STR, jumps, 512)           \
	F(BYTES, inside, NAT_ROUTES_LEN)

/* At this place (enum foreign_place) let rules of ours pass what networks of `through` send and get, or ask DNS,
 * and what guests of one of `inside` send each other; no others of ours. REPLY text: "changed", or "". */
#define FIELDS_foreign_allow(F)                                                                    \
	F(U8, place, 0) F(BYTES, through, NAT_ROUTES_LEN) F(BYTES, inside, NAT_ROUTES_LEN)

/* -- engine -> workers: configuration, complete each time -- */

#define FIELDS_conf_begin(F) F(U32, generation, 0)
#define FIELDS_conf_commit(F) F(U32, generation, 0)
/* worker -> engine: this generation is in force. err as in REPLY. */
#define FIELDS_conf_ready(F) F(U32, generation, 0) F(U32, err, 0) F(STR, text, 512)

/* A network that DHCP serves. host, gateway, next_server (of the boot file): 0 when there is none. Times in
 * seconds. booting: clients without a host block are answered. ping_check: addresses are probed. */
#define FIELDS_dhcp_net(F)                                                                         \
	F(U16, net, 0) F(IP4, subnet, 0) F(U8, len, 0) F(IP4, server, 0) F(IP4, host, 0)                \
	F(IP4, gateway, 0) F(U16, mtu, 0) F(U32, default_lease_s, 0) F(U32, max_lease_s, 0)             \
	F(U32, min_lease_s, 0) F(IP4, next_server, 0)                                                  \
	F(BOOL, unknown_clients, 0) F(BOOL, authoritative, 0) F(BOOL, booting, 0)                       \
	F(BOOL, ping_check, 0) F(U16, ping_timeout_s, 0)
/* first..last, both dynamic. known: for clients with a host block only. */
#define FIELDS_dhcp_range(F) F(U16, net, 0) F(IP4, first, 0) F(IP4, last, 0) F(BOOL, known, 0)
/* A reservation. index numbers the hosts of a network from 0; addr 0: known client without a fixed address. */
/* Times and next_server 0: those of the network. booting: it is answered. bootp: also without DHCP. */
#define FIELDS_dhcp_host(F)                                                                        \
	F(U16, net, 0) F(U16, index, 0) F(MAC, mac, 0) F(IP4, addr, 0) F(STR, name, 64)                 \
	F(U32, default_lease_s, 0) F(U32, max_lease_s, 0) F(U32, min_lease_s, 0)                        \
	F(IP4, next_server, 0) F(BOOL, booting, 0) F(BOOL, bootp, 0)
/* An option's raw bytes. host: a host's index, or 0xffff for the whole network. Longer values come in
 * several rows of the same code, to be joined (RFC 3396). */
#define FIELDS_dhcp_option(F) F(U16, net, 0) F(U16, host, 0) F(U8, code, 0) F(BYTES, data, 1024)

/* A network for natd, and its forwards. dns: address of the proxy, 0: none. hold_ports: host ports of so many
 * forwards are held. bridges: networks without a row. flowtable: as in NAT_BEGIN. */
#define FIELDS_natd_global(F)                                                                      \
	F(BOOL, forward_others, 0) F(U16, hold_ports, 0) F(BOOL, foreign_allow, 0)                      \
	F(BYTES, bridges, NAT_ROUTES_LEN) F(BOOL, flowtable, 0)
#define FIELDS_natd_net(F)                                                                         \
	F(U16, net, 0) F(IP4, subnet, 0) F(U8, len, 0) F(IP4, host, 0) F(IP4, gateway, 0) F(IP4, dns, 0) \
	F(BOOL, adapter, 0) F(BOOL, nat, 0) F(BYTES, routes, NAT_ROUTES_LEN) NAT_WAY(F)
/* shadow: also where a service of the host has the port. host: as in NAT_FORWARD. more: so many ports behind the
 * first too, on both sides. */
#define FIELDS_natd_forward(F)                                                                     \
	F(U16, net, 0) F(U8, proto, 0) F(U16, port, 0) F(IP4, guest, 0) F(U16, guest_port, 0)           \
	F(BOOL, shadow, 0) F(IP4, host, 0) F(U16, more, 0)
/* As NAT_CAPTURE. */
#define FIELDS_natd_capture(F) F(BYTES, addr, 16) F(U16, port, 0) F(U16, to_port, 0)
/* A resolver from nat.conf [dns] nameserverN, used before the host's own. */
#define FIELDS_natd_resolver(F) F(U16, net, 0) F(IP4, addr, 0)

/* How a network's names are resolved. policy: enum dns_policy of natd/dns.h, as nat.conf has it; host_servers: the
 * host's own resolvers are asked, too; rebind: rebind-protection, but for these domains (a blank between two). Without
 * such a row the defaults of natd/dns.h hold. */
#define FIELDS_natd_dns(F)                                                                         \
	F(U16, net, 0) F(U8, policy, 0) F(U32, timeout_ms, 0) F(U32, tries, 0) F(BOOL, host_servers, 0) \
	F(BOOL, rebind, 0) F(STR, private_domains, 1024)

/* -- engine -> natd: at any time after the first configuration -- */

/* The configuration `base` but for one forward, which is `gone` or new there, is generation `generation` and
 * answered like it. err ESTALE: natd has another base, or cannot make that of it, and needs all rows. */
#define FIELDS_natd_change(F)                                                                      \
	F(U32, base, 0) F(U32, generation, 0) F(BOOL, gone, 0) F(U16, net, 0) F(U8, proto, 0)           \
	F(U16, port, 0) F(IP4, guest, 0) F(U16, guest_port, 0) F(BOOL, shadow, 0)

/* A guest has this host name, as its lease tells; "": none. */
#define FIELDS_guest_name(F) F(U16, net, 0) F(IP4, addr, 0) F(STR, name, 64)
/* All guests follow (begin), or have been told: those that were not are gone. */
#define FIELDS_guest_names(F) F(BOOL, begin, 0)

/* -- engine -> natd: asks for a LOOKUP_ADDR for each address that the host's resolvers know -- */

/* err EAGAIN: none of them answered. */
#define FIELDS_lookup(F) F(STR, name, 256)
#define FIELDS_lookup_addr(F) F(BYTES, addr, 16)

/* -- engine -> redird: rows between CONF_BEGIN and CONF_COMMIT -- */

/* Before all services: an address that was added for redirections and stays. After CONF_READY the others go. */
#define FIELDS_redirect_alias(F) F(BYTES, addr, 16)
/* One service; the rows of the other types that follow belong to it. listener: priv's number of its
 * socket. alias: the address that was added for it, else empty: its connections end with that. waits: its names are
 * not known so far, so nobody is let in; targets and rules are what is known of them. on_success, on_failure: LOG_SUCCESS_* and LOG_FAILURE_* of redird/logline.h. UINT32_MAX
 * instances or per_source: any number. cps, max_load_milli, timeouts 0: no limit. deny_min: see
 * redird/access.h. only_from: there is such a list, even if no REDIRECT_RULES follow. */
#define FIELDS_redirect_service(F)                                                                 \
	F(STR, name, 64) F(U32, listener, 0) F(BYTES, alias, 16) F(U8, on_success, 0)                  \
	F(U8, on_failure, 0) F(BOOL, only_from, 0) F(U32, instances, 0) F(U32, per_source, 0) F(U32, cps, 0)                 \
	F(U32, cps_wait_s, 0) F(U32, max_load_milli, 0) F(BOOL, sensor, 0) F(U32, deny_min, 0)          \
	F(BOOL, keepalive, 0) F(U32, timeout_connect_ms, 0) F(U32, timeout_idle_ms, 0) F(BOOL, waits, 0)
/* Tried in the order of the rows. scope: interface index for a link-local address. */
#define FIELDS_redirect_target(F) F(BYTES, addr, 16) F(U16, port, 0) F(U32, scope, 0)
/* Entries of only_from, or of no_access: 17 bytes each, an address and how many of its bits count. */
#define FIELDS_redirect_rules(F) F(BOOL, no_access, 0) F(BYTES, rules, 17 * 200)
/* Minutes of the day, both included. */
#define FIELDS_redirect_time(F) F(U16, from, 0) F(U16, to, 0)
/* A part of a text that follows what came before. which: enum redirect_banner. */
#define FIELDS_redirect_banner(F) F(U8, which, 0) F(BYTES, text, 3072)
/* Where its lines go; without such a row to our own log. log: priv's number of the file, 0: to /dev/log, with
 * pri, which is 8 * facility + level. soft, hard: bytes of the file, 0: no limit. */
#define FIELDS_redirect_log(F) F(U32, log, 0) F(U8, pri, 0) F(U64, soft, 0) F(U64, hard, 0)

/* -- engine -> redird: requests -- */

/* Asks for a REDIRECT_STAT for each service, and for each removed one that has connections. */
#define FIELDS_redirect_stats(F)
/* Asks for a REDIRECT_CONN for each connection of a service, and of removed ones of that name; "": of all. */
#define FIELDS_redirect_conns(F) F(STR, service, 64)
/* Ends a connection, or with conn 0 all of a service. REPLY text: how many there were. */
#define FIELDS_redirect_end(F) F(STR, service, 64) F(U64, conn, 0)

/* -- redird -> engine -- */

/* removed: it is not in the configuration any more, but has connections; there may be several of one name.
 * refused: one for each reason of redird/access.h; ended: in order, by the client's or the target's
 * reset, no target, idle, killed, a fault of ours. In: from the client to the target. */
#define FIELDS_redirect_stat(F)                                                                    \
	F(STR, service, 64) F(BOOL, removed, 0) F(U64, accepted, 0) F(U32, live, 0)                     \
	F(U32, connecting, 0)                                                                          \
	F(U64, bytes_in, 0) F(U64, bytes_out, 0) F(U64, refused_address, 0) F(U64, refused_time, 0)     \
	F(U64, refused_load, 0) F(U64, refused_cps, 0) F(U64, refused_instances, 0)                     \
	F(U64, refused_per_source, 0) F(U64, no_target, 0)
/* target_port 0: no target is being tried. */
#define FIELDS_redirect_conn(F)                                                                    \
	F(U64, conn, 0) F(STR, service, 64) F(BYTES, client, 16) F(U16, client_port, 0)                 \
	F(BYTES, target, 16) F(U16, target_port, 0) F(BOOL, connecting, 0) F(U64, bytes_in, 0)          \
	F(U64, bytes_out, 0) F(U64, age_ms, 0) F(U64, idle_ms, 0)
/* what: enum redirect_event; text: a sentence. */
#define FIELDS_redirect_event(F) F(U8, what, 0) F(STR, service, 64) F(STR, text, 256)

/* -- workers -> engine -- */

/* A network's service: ok, or why not. For SERVICE_FIREWALL and _INSIDE: which foreign rule set drops its traffic.
 * cure: what to type, or "". can_cure: vnetd would do it itself with foreign-rules = allow. */
#define FIELDS_service_state(F)                                                                    \
	F(U16, net, 0) F(U8, service, 0) F(BOOL, ok, 0) F(STR, text, 256) F(STR, cure, 256)               \
	F(BOOL, can_cure, 0)
/* Whenever they change: addresses in use and addresses that can be given. */
#define FIELDS_dhcp_count(F) F(U16, net, 0) F(U32, active, 0) F(U32, total, 0)
#define FIELDS_lease_changed(F)                                                                    \
	F(U16, net, 0) F(U8, event, 0) F(IP4, addr, 0) F(MAC, mac, 0) F(U64, ends, 0) F(STR, name, 64)

/* event: enum pool_event. held: addresses of the ranges that clients have, were offered or declined; total: of all. */
#define FIELDS_dhcp_pool(F) F(U16, net, 0) F(U8, event, 0) F(U32, held, 0) F(U32, total, 0)

/* -- engine -> dhcpd, client -> engine: asks for LEASE_ROWs -- */

#define FIELDS_lease_list(F) F(U16, net, 0)
/* starts, ends: UTC seconds, 0: none. */
#define FIELDS_lease_row(F)                                                                        \
	F(U16, net, 0) F(IP4, addr, 0) F(MAC, mac, 0) F(U8, state, 0) F(U64, starts, 0) F(U64, ends, 0) \
	F(STR, name, 64) F(BYTES, client_id, 64)

/* -- engine -> dhcpd, client -> engine: asks for DHCP_STATs -- */

#define FIELDS_dhcp_stats(F) F(U16, net, 0)
/* One counter since the server began to serve the network. kind: enum dhcp_stat_kind; name: a word, "discover" or
 * "no-address"; text: a reason for people. */
#define FIELDS_dhcp_stat(F)                                                                        \
	F(U16, net, 0) F(U8, kind, 0) F(STR, name, 32) F(STR, text, 96) F(U64, n, 0)

/* -- engine -> priv, client -> engine: asks for a CONN_ROW for each tracked IPv4 connection of guests -- */

/* net: of the plan in force, or MSG_NET_ALL. REPLY text: what is missing, or "". */
#define FIELDS_conn_list(F) F(U16, net, 0)
/* ip_proto: as in IP headers. inward: to the guest. forward: the host's port that led to it, 0: none did; by: the
 * address that was asked for there, 0: of ::1. Ports 0: the protocol has none. state: enum conn_state. Bytes in: to the guest; counted: they are known. age_s: UINT32_MAX:
 * not known. left_s: until it is forgotten if nothing happens; UINT32_MAX: not known. */
#define FIELDS_conn_row(F)                                                                         \
	F(U16, net, 0) F(U8, ip_proto, 0) F(BOOL, inward, 0) F(IP4, guest, 0) F(U16, guest_port, 0)     \
	F(IP4, peer, 0) F(U16, peer_port, 0) F(U16, forward, 0) F(IP4, by, 0) F(U8, state, 0)           \
	F(BOOL, counted, 0) F(U64, bytes_in, 0) F(U64, bytes_out, 0) F(U32, age_s, 0) F(U32, left_s, 0)

/* -- engine -> natd, client -> engine: asks for HOLD_ROWs -- */

#define FIELDS_hold_list(F)
/* ports: of the host, of forwards, which are held; 2 bytes each, big-endian. */
#define FIELDS_hold_row(F) F(U8, proto, 0) F(IP4, host, 0) F(BYTES, ports, 2 * 1900)

/* -- engine -> natd, client -> engine: asks for a RELAY_ROW for each connection (UDP: client) of forwards on ::1 -- */

#define FIELDS_relay_list(F)
/* port: the host's, of the forward. from_port: of natd, whose connection to guest:guest_port this is for the kernel. */
#define FIELDS_relay_row(F)                                                                        \
	F(U8, proto, 0) F(U16, port, 0) F(U16, from_port, 0) F(IP4, guest, 0) F(U16, guest_port, 0)

/* -- engine -> natd, client -> engine: asks for DNS_SERVERs and DNS_STATs -- */

#define FIELDS_dns_stats(F) F(U16, net, 0)
/* A server that the proxy asks for guests of this network; they come in the order in which they are asked while all
 * answer. addr: 16 bytes, IPv4 as ::ffff:a.b.c.d; scope: interface of a link-local one, else 0; host: it is one of the
 * host's, else nat.conf's. state: enum dns_server_state. fails: queries in a row without an answer. retry_ms: for so
 * long it is asked last, 0: it is not. */
#define FIELDS_dns_server(F)                                                                       \
	F(U16, net, 0) F(BYTES, addr, 16) F(U32, scope, 0) F(BOOL, host, 0) F(U8, state, 0)             \
	F(U32, fails, 0) F(U32, retry_ms, 0)
/* One counter since the proxy began to serve the network. net: MSG_NET_ALL: of what belongs to none, since natd
 * started. kind: enum dns_stat_kind; name: a word, "cached"; text: what that is, for people. */
#define FIELDS_dns_stat(F)                                                                         \
	F(U16, net, 0) F(U8, kind, 0) F(STR, name, 32) F(STR, text, 96) F(U64, n, 0)

/* -- clients -> engine: requests -- */

/* Answered by STATUS_ROW, WARNING_ROWs, NET_ROWs. */
#define FIELDS_status_get(F)
#define FIELDS_net_list(F) F(U16, net, 0)
#define FIELDS_port_list(F) F(U16, net, 0)
#define FIELDS_forward_list(F) F(U16, net, 0)
/* Answered by a REDIRECT_ROW for each redirection; name: only this one, "": all. */
#define FIELDS_redirect_list(F) F(STR, name, 64)
/* Answered by the redirection's REDIRECT_CONNs. */
#define FIELDS_redirect_show(F) F(STR, name, 64)
/* what: a redirection's name, or the number of a connection. REPLY text: what has ended. */
#define FIELDS_redirect_kill(F) F(STR, what, 64)
/* EVENT_ROWs until the client goes. */
#define FIELDS_event_watch(F)
/* Reads the configuration again. DIAG_ROWs. */
#define FIELDS_reload_ask(F)
/* A port for the caller. kind: enum port_kind. PORT_HELPER, PORT_ATTACH: ATTACHED carries `queues` taps.
 * PORT_NETNS: one descriptor, the namespace, comes along and ifname is the guest's name of the link.
 * mac 0: unknown or (netns) to be chosen. name "": the interface's name. promisc: it asks for promiscuous
 * mode at once. */
#define FIELDS_attach(F)                                                                           \
	F(U16, net, 0) F(U8, kind, 0) F(U8, queues, 0) F(BOOL, vnet_hdr, 0) F(MAC, mac, 0)              \
	F(STR, name, 64) F(STR, ifname, 16) F(STR, peer, 64) F(BOOL, promisc, 0)
#define FIELDS_attached(F) F(STR, name, 64) F(STR, ifname, 16) F(U16, mtu, 0) F(MAC, mac, 0)
/* port: its name, interface name or MAC. */
#define FIELDS_detach(F) F(STR, port, 64)
/* port, here and below: its name, interface name or MAC. Sets a key of its section in vnetd.conf ("" or
 * "default": back to the default) and reloads. Answered by its PORT_ROW. */
#define FIELDS_port_setting(F) F(STR, port, 64) F(STR, key, 64) F(STR, value, 256)
/* The next unicast source address is the port's. */
#define FIELDS_port_unpin(F) F(STR, port, 64)
/* Answered by PROMISC_ROWs: every port that asks, or about which there is a word. */
#define FIELDS_promisc_list(F) F(U16, net, 0)
/* Asks for promiscuous mode, or no longer. Answered by a PROMISC_ROW. */
#define FIELDS_promisc_ask(F) F(STR, port, 64) F(BOOL, on, 0)
/* verdict: enum promisc_verdict; seconds: for PROMISC_ALLOW_FOR. Answered by a PROMISC_ROW. */
#define FIELDS_promisc_decide(F) F(STR, port, 64) F(U8, verdict, 0) F(U32, seconds, 0)
/* What a guest's network card lets in, as QEMU's query-rx-filter tells it. multicast: of its table, 6 bytes
 * each, as many as fit. Answered by a PROMISC_ROW. */
#define FIELDS_rx_filter(F)                                                                        \
	F(STR, port, 64) F(BOOL, promisc, 0) F(BOOL, allmulti, 0) F(MAC, mac, 0)                        \
	F(U16, unicasts, 0) F(U16, multicasts, 0) F(BYTES, multicast, 6 * 64)
/* kind: enum net_kind; len 0: an unused subnet is chosen. Answered by a NET_ROW. */
#define FIELDS_net_create(F) F(U16, net, 0) F(U8, kind, 0) F(IP4, subnet, 0) F(U8, len, 0)
#define FIELDS_net_delete(F) F(U16, net, 0)
/* proto: enum ip_proto. A forward of the same port is replaced. shadow: also where a service of the host has the
 * port. */
#define FIELDS_forward_add(F)                                                                      \
	F(U16, net, 0) F(U8, proto, 0) F(U16, port, 0) F(IP4, guest, 0) F(U16, guest_port, 0)           \
	F(STR, text, 256) F(BOOL, shadow, 0) F(IP4, host, 0) F(U16, more, 0)
#define FIELDS_forward_remove(F)                                                                   \
	F(U16, net, 0) F(U8, proto, 0) F(U16, port, 0) F(IP4, host, 0) F(U16, more, 0)
#define FIELDS_net_set(F) F(U16, net, 0) F(STR, key, 64) F(STR, value, 256)
/* Reserves an address for a guest, instead of what was reserved for it before. static_arp: the host is to know
 * the guest's MAC without ARP. REPLY text: the new fact. */
#define FIELDS_reserve(F)                                                                          \
	F(U16, net, 0) F(MAC, mac, 0) F(IP4, addr, 0) F(STR, name, 64) F(BOOL, static_arp, 0)
#define FIELDS_unreserve(F) F(U16, net, 0) F(MAC, mac, 0)

/* -- engine -> clients: rows -- */

/* Several rows in one datagram, see msg_pack(). */
#define FIELDS_rows(F) F(BYTES, rows, 4000)

/* foreign_allow: foreign-rules = allow is in force. */
#define FIELDS_status_row(F)                                                                       \
	F(STR, version, 32) F(U64, uptime_ms, 0) F(U16, networks, 0) F(U16, guests, 0)                  \
	F(U32, generation, 0) F(BOOL, foreign_allow, 0)
/* topic: enum warning_topic. can_cure: as in SERVICE_STATE. */
#define FIELDS_warning_row(F) F(U16, net, 0) F(U8, topic, 0) F(STR, text, 512) F(STR, cure, 256) F(BOOL, can_cure, 0)
/* services_down: bit 1 << enum service: the network has this service and it does not work now. */
#define FIELDS_net_row(F)                                                                          \
	F(U16, net, 0) F(U8, kind, 0) F(STR, label, 64) F(U8, state, 0) F(STR, text, 256)               \
	F(IP4, subnet, 0) F(U8, len, 0) F(IP4, host, 0) F(IP4, gateway, 0) F(IP4, dhcp_server, 0)       \
	F(IP4, dns, 0) F(BOOL, adapter, 0) F(BOOL, dhcp, 0) F(BOOL, nat, 0) F(U16, mtu, 0)              \
	F(U32, leases, 0) F(U32, lease_total, 0) F(U16, guests, 0) F(U16, forwards, 0) F(STR, uplink, 16) \
	F(U8, services_down, 0)
/* owner_name: a user's or namespace's name; addr, guest: from leases when known. mac: the port's own (given,
 * pinned, told), or one that the bridge has learned. flags: enum gate_flag. promisc: enum promisc_state.
 * link: the cable is plugged in by configuration. trouble: why the port is down, or "". drops: as in
 * GATE_ROW. mirror_of: the port whose frames it gets copies of. */
#define FIELDS_port_row(F)                                                                         \
	F(STR, name, 64) F(U16, net, 0) F(STR, ifname, 16) F(U8, kind, 0) F(MAC, mac, 0)                \
	F(IP4, addr, 0) F(STR, guest, 64) F(U32, owner, 0) F(STR, owner_name, 64) F(STR, netns, 64)     \
	F(BOOL, up, 0) F(U8, queues, 0) F(U8, mac_policy, 0) F(U16, learn, 0) F(U16, learned, 0)        \
	F(U16, flags, 0) F(IP4, guard_ip, 0) F(U32, flood, 0) F(U32, rate_in_kbit, 0)                   \
	F(U32, rate_out_kbit, 0) F(STR, mirror_of, 64) F(U8, promisc, 0) F(BOOL, link, 0)               \
	F(STR, trouble, 256) F(BYTES, drops, 8 * DROP_REASON_N) F(U32, dhcp_rate, 0) F(U16, dhcp_leases, 0)
/* state: enum promisc_state, by: enum promisc_by; asked, until: UTC seconds, 0: never. text: why, and what to
 * do. marker: the marker file that grants it, "": none does. guest: in a list, from leases when known. */
#define FIELDS_promisc_row(F)                                                                      \
	F(STR, port, 64) F(U16, net, 0) F(STR, guest, 64) F(MAC, mac, 0) F(U8, state, 0) F(U8, by, 0)   \
	F(U64, asked, 0) F(U64, until, 0) F(STR, text, 256) F(STR, marker, 64)
#define FIELDS_forward_row(F)                                                                      \
	F(U16, net, 0) F(U8, proto, 0) F(U16, port, 0) F(IP4, guest, 0) F(U16, guest_port, 0)           \
	F(STR, text, 256) F(STR, source, 32) F(BOOL, shadow, 0) F(IP4, host, 0) F(U16, more, 0)
/* listen: "192.168.8.1:80", "[::]:80"; target as it was written, resolved: what it stands for now, "": nothing
 * so far, or the same. state: enum redirect_state; text: why, and what keeps an older version in force. Of a
 * removed one listen, target and source are "". The rest: as in REDIRECT_STAT. */
#define FIELDS_redirect_row(F)                                                                     \
	F(STR, name, 64) F(STR, listen, 80) F(STR, target, 272) F(STR, resolved, 64) F(U8, state, 0)    \
	F(STR, text, 256) F(STR, source, 280) F(U64, accepted, 0) F(U32, live, 0) F(U32, connecting, 0) \
	F(U64, bytes_in, 0) F(U64, bytes_out, 0) F(U64, refused_address, 0) F(U64, refused_time, 0)     \
	F(U64, refused_load, 0) F(U64, refused_cps, 0) F(U64, refused_instances, 0)                     \
	F(U64, refused_per_source, 0) F(U64, no_target, 0)
/* when: UTC milliseconds. what: a word for programs ("network-up"); text: a sentence. */
#define FIELDS_event_row(F)                                                                        \
	F(U64, when_ms, 0) F(STR, what, 32) F(U16, net, 0) F(STR, port, 64) F(STR, text, 256)
/* level: enum diag_severity; text: the whole "file:line:col: ..." sentence. */
#define FIELDS_diag_row(F) F(U8, level, 0) F(STR, text, 1024)

/* -- captures: engine and priv -- */

/* Starts vnet-capture for what passes on vmnetN, or with ifname for what one of its ports sends and gets.
 * capture: the engine's number for it; further: others of this user run, so it gets little memory. descriptor: the
 * worker's end of its connection with the client. */
#define FIELDS_capture_start(F)                                                                    \
	F(U32, capture, 0) F(U16, net, 0) F(STR, ifname, 16) F(BOOL, further, 0)
/* Ends it (0: all of them): its file is finished. */
#define FIELDS_capture_stop(F) F(U32, capture, 0)
/* priv -> engine: it has ended, one way or another. */
#define FIELDS_capture_gone(F) F(U32, capture, 0) F(STR, how, 128)

/* -- client -> engine: captures -- */

/* port "": the whole network; else a port's name, interface name or MAC. The descriptor is one end of a pair of
 * sockets, the other end of which speaks with vnet-capture. REPLY text: the interface that is captured. */
#define FIELDS_capture(F) F(U16, net, 0) F(STR, port, 64)

/* -- client and vnet-capture, over a connection of their own -- */

/* What is written, to which FILTERs and OUTs are added until GO. count: end after so many frames, file_max: size of
 * each file of a ring, 0: no such limit. drops: frames that a port's gate refuses, too. The texts go into the file. */
#define FIELDS_capture_setup(F)                                                                    \
	F(U32, snaplen, 0) F(U64, count, 0) F(U64, file_max, 0) F(BOOL, drops, 0) F(BOOL, pcap, 0)       \
	F(STR, ifname, 16) F(STR, description, 256) F(STR, filter, 1024) F(STR, comment, 512) F(STR, os, 128)
/* Instructions of the filter, in order: u16 code, u8 jt, u8 jf, u32 k each. */
#define FIELDS_capture_filter(F) F(BYTES, code, 8 * 400)
#define FIELDS_capture_out(F) /* a file, or the next one of a ring; or a pipe */
#define FIELDS_capture_go(F) /* everything is said; answered by CAPTURE_STATS */
/* file: which of a ring is being written, and how many bytes of it are. Again each second, when a file changes and
 * at the end, before the REPLY with which the worker ends. */
#define FIELDS_capture_stats(F)                                                                    \
	F(U64, frames, 0) F(U64, dropped, 0) F(U32, file, 0) F(U64, file_bytes, 0)
#define FIELDS_capture_end(F) /* ends the capture */

/* clang-format on */

#include "msg_codec.h"

#endif
