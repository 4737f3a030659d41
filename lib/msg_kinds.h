/* SPDX-License-Identifier: GPL-2.0-or-later
 * msg_kinds.h - closed lists and limits that only the messages (lib/msg.h) speak of, and the words for all
 * that travels in them as a number. The words are in msg.c.
 */
#ifndef VNET_LIB_MSG_KINDS_H
#define VNET_LIB_MSG_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include "gate.h"
#include "kinds.h"

#define NAT_CAPTURES_MAX 256        /* of one plan */
#define NAT_ROUTES_LEN   (256 / 8)  /* a set of networks: bit n % 8 of byte n / 8 */
#define NAT_LOW_LEN      64         /* at most 32 ports */
#define NAT_CHANGES_MAX  256        /* forwards that go, and that come, in one NAT_CHANGE */
#define NAT_FLUSHES_MAX  16384      /* forwards in one NAT_FLUSH */
#define MSG_NET_ALL      0xffff     /* "every network" where a network number is expected */
#define MSG_UID_NONE     UINT32_MAX /* no owner */
#define MSG_ALIAS        232 /* the TEXT of a link's alias; the kernel takes 255 for "vnetd:N TEXT" */

/* Sets of networks, NAT_ROUTES_LEN bytes. A number that is none belongs to no set. */
static inline void
msg_nets_add(uint8_t *set, unsigned net)
{
	if (net / 8 < NAT_ROUTES_LEN)
		set[net / 8] |= (uint8_t)(1u << net % 8);
}

static inline bool
msg_nets_have(const uint8_t *set, unsigned net)
{
	return net / 8 < NAT_ROUTES_LEN && set[net / 8] >> net % 8 & 1;
}

/* Processes, as priv knows its channels. */
enum role { ROLE_ENGINE, ROLE_DHCPD, ROLE_NATD, ROLE_REDIRD, ROLE_N };

/* Files of the host that a process without a file system may ask for. */
enum host_file {
	HOST_FILE_RESOLV_CONF,
	HOST_FILE_PASSWD,
	HOST_FILE_GROUP,
	HOST_FILE_SERVICES,
	HOST_FILE_HOSTS,
	HOST_FILE_N
};

/* Which of the fixed sysctl sets of vnetd/priv_sysctl.c a link gets. */
enum sysctl_profile {
	SYSCTL_PROFILE_HOST,    /* a bridge with a host adapter: IPv4, and IPv6 link-local */
	SYSCTL_PROFILE_SERVICE, /* a bridge without one, but with gateway or DHCP server: IPv4 only */
	SYSCTL_PROFILE_SEGMENT, /* a bridge on which the host has no address at all */
	SYSCTL_PROFILE_PORT,    /* our end of a port: no IPv6 address */
	SYSCTL_PROFILE_N
};

enum net_state {
	NET_STATE_STARTING,
	NET_STATE_OK,
	NET_STATE_DEGRADED,  /* works in part: the text says what does not */
	NET_STATE_NO_UPLINK, /* bridged, nothing to bridge to */
	NET_STATE_FAILED,    /* refused: the text says why */
	NET_STATE_N
};

/* Services of a network that a worker reports about. */
enum service {
	SERVICE_DHCP,
	SERVICE_NAT,
	SERVICE_DNS,
	SERVICE_FIREWALL,
	SERVICE_INSIDE, /* would frames between its guests pass the host's rules? */
	SERVICE_N
};

/* Places in rule sets of others where rules of ours may stand; each is one chain of iptables' table filter. */
enum foreign_place {
	FOREIGN_DOCKER_USER,
	FOREIGN_IPTABLES_FORWARD,
	FOREIGN_IPTABLES_INPUT,
	FOREIGN_PLACE_N
};

/* What a warning of `status` is about. */
enum warning_topic {
	WARNING_CONFIGURATION,
	WARNING_NETWORK,
	WARNING_FIREWALL, /* a foreign rule set */
	/* The same, for frames between guests of one network. Holds only while bridge-nf-call-iptables of
	 * the host or of the network's bridge is on, which whoever asks has to look up. */
	WARNING_INSIDE,
	WARNING_REDIRECTION,
	WARNING_TOPIC_N
};

/* The five ways to attach (design 5, Ports a-e). */
enum port_kind { PORT_HELPER, PORT_ATTACH, PORT_NETNS, PORT_STATIC, PORT_ADOPTED, PORT_KIND_N };

enum lease_event {
	LEASE_NEW,
	LEASE_RENEWED,
	LEASE_RELEASED,
	LEASE_EXPIRED,
	LEASE_DECLINED,
	LEASE_OFFER, /* to a client that may take another server's: it has no lease so far */
	LEASE_EVENT_N
};

/* What there is to say about the addresses of a network's ranges. */
enum pool_event {
	POOL_LOW,   /* nine of ten are held */
	POOL_EMPTY, /* a client could not be served */
	POOL_EVENT_N
};

enum lease_row_state {
	LEASE_ROW_ACTIVE,
	LEASE_ROW_EXPIRED,
	LEASE_ROW_RESERVED,
	LEASE_ROW_ABANDONED,
	LEASE_ROW_N
};

/* What a counter of the DHCP server is about. */
enum dhcp_stat_kind {
	DHCP_STAT_RECEIVED, /* messages by type */
	DHCP_STAT_SENT,     /* the same */
	DHCP_STAT_DROPPED,  /* messages without an answer, by reason */
	DHCP_STAT_NOTED,    /* what else happened */
	DHCP_STAT_N
};

/* What a counter of the DNS proxy is about. */
enum dns_stat_kind {
	DNS_STAT_GUESTS,  /* their queries, and how they were answered */
	DNS_STAT_SERVERS, /* what they were asked, and did not answer */
	DNS_STAT_DROPPED, /* messages that led to nothing, by reason */
	DNS_STAT_N
};

/* How a server that the DNS proxy asks does. */
enum dns_server_state {
	DNS_SERVER_UNTRIED, /* it has not answered yet, nor failed to */
	DNS_SERVER_OK,      /* it has answered the latest query that it could */
	DNS_SERVER_FAILING, /* it has left the latest queries without an answer */
	DNS_SERVER_SILENT,  /* so many of them that it is asked last for a while */
	DNS_SERVER_STATE_N
};

/* What a redirection does, as `vnetctl redirect list` says it. */
enum redirect_state {
	REDIRECT_STATE_STARTING,
	REDIRECT_STATE_OK,
	REDIRECT_STATE_WAITING, /* it listens, but its target's or its own address is not there so far */
	REDIRECT_STATE_FAILED,  /* it does not listen: the text says why */
	REDIRECT_STATE_REMOVED, /* it is not in the configuration any more; its connections go on */
	REDIRECT_STATE_N
};

/* Which of a redirection's texts. */
enum redirect_banner {
	REDIRECT_BANNER_ALWAYS,
	REDIRECT_BANNER_SUCCESS,
	REDIRECT_BANNER_FAIL,
	REDIRECT_BANNER_N
};

/* What vnet-redird tells of besides its log. */
enum redirect_event {
	REDIRECT_EVENT_OFF, /* more connections a second than allowed: it refuses everybody for a while */
	REDIRECT_EVENT_ON,
	REDIRECT_EVENT_SENSOR,
	REDIRECT_EVENT_NO_TARGET,
	REDIRECT_EVENT_FULL, /* out of descriptors: accepting pauses */
	REDIRECT_EVENT_ROOM,
	REDIRECT_EVENT_N
};

/* Of a forward. */
enum ip_proto { PROTO_TCP, PROTO_UDP, PROTO_N };

/* "engine", "dhcpd", "natd", "redird"; the words for the enums, as users see them. */
const char *role_name(enum role r);
const char *net_kind_name(enum net_kind k);   /* bridged host-only NAT segment custom */
const char *net_state_name(enum net_state s); /* starting ok degraded no uplink failed */
const char *service_name(enum service s);     /* DHCP NAT DNS firewall bridge */
const char *port_kind_name(enum port_kind k); /* helper attach netns static adopted */
const char *
lease_event_name(enum lease_event e); /* leased renewed released expired declined offered */
const char *lease_row_state_name(enum lease_row_state s);   /* active expired reserved abandoned */
const char *ip_proto_name(enum ip_proto p);                 /* tcp udp */
const char *redirect_state_name(enum redirect_state s);     /* starting ok waiting failed removed */
const char *dhcp_stat_kind_name(enum dhcp_stat_kind k);     /* received sent dropped noted */
const char *dns_stat_kind_name(enum dns_stat_kind k);       /* guests servers dropped */
const char *dns_server_state_name(enum dns_server_state s); /* untried ok failing silent */
const char *mac_policy_name(enum mac_policy p);             /* any given sticky learn */
const char *promisc_state_name(enum promisc_state s);       /* no pending granted refused */
const char *promisc_by_name(enum promisc_by b);             /* nobody user guest configuration */
/* forged taken full source control dhcp ra ip arp broadcast rate-in rate-out dhcp-rate */
const char *drop_reason_name(enum drop_reason r);

#endif
