/* SPDX-License-Identifier: GPL-2.0-or-later
 * msg_codec.h - what the vocabulary of msg.h, which includes this, is in C: types, encoder, decoder.
 */
#ifndef VNET_LIB_MSG_CODEC_H
#define VNET_LIB_MSG_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "msg.h"

/* A BYTES field. */
#define MSG_BYTES(cap)                                                                             \
	struct {                                                                                   \
		uint16_t len;                                                                      \
		uint8_t b[cap];                                                                    \
	}

#define MSG_TYPE_U8(name, cap)     uint8_t name;
#define MSG_TYPE_U16(name, cap)    uint16_t name;
#define MSG_TYPE_U32(name, cap)    uint32_t name;
#define MSG_TYPE_U64(name, cap)    uint64_t name;
#define MSG_TYPE_BOOL(name, cap)   bool name;
#define MSG_TYPE_IP4(name, cap)    struct ip4 name;
#define MSG_TYPE_MAC(name, cap)    struct mac name;
#define MSG_TYPE_STR(name, cap)    char name[cap];
#define MSG_TYPE_BYTES(name, cap)  MSG_BYTES(cap) name;
#define MSG_FIELD(kind, name, cap) MSG_TYPE_##kind(name, cap)

enum msg_type {
	MSG_NONE, /* never sent */
#define M(NAME, name, fdmin, fdmax) MSG_##NAME,
	MSG_LIST(M)
#undef M
	    MSG_N
};

/* struct msg_reply, struct msg_link_add, ... */
#define M(NAME, name, fdmin, fdmax)                                                                \
	struct msg_##name {                                                                        \
		FIELDS_##name(MSG_FIELD) char none_[0];                                            \
	};
MSG_LIST(M)
#undef M

struct msg {
	enum msg_type type;
	uint32_t id;
	union {
#define M(NAME, name, fdmin, fdmax) struct msg_##name name;
		MSG_LIST(M)
#undef M
	} u;
};

/* Encodes into buf. Length, or 0 when a string lacks its NUL, a BYTES length exceeds its capacity, or
 * the whole exceeds `cap`. */
size_t msg_encode(const struct msg *m, uint8_t *buf, size_t cap);

/* Decodes exactly one message of len bytes. Unused parts of the fields of its type are zero; what else the union has room for is
 * left as it was. False: malformed. */
bool msg_decode(struct msg *m, const uint8_t *buf, size_t len);

/* Adds m, which carries no descriptors, to those in a ROWS: u16 length, then the message as above. False: there is no
 * room. */
bool msg_pack(struct msg_rows *to, const struct msg *m);

/* The message at *at of a ROWS, which is moved behind it. False: the end, or (*at is not rows.len then) what is
 * there is no message that may stand in a ROWS. */
bool msg_unpack(struct msg *m, const struct msg_rows *from, size_t *at);

/* The number of descriptors fits the type. */
bool msg_fds_ok(enum msg_type type, size_t nfds);

/* "LINK_ADD"; "?" for a number that is none. */
const char *msg_name(enum msg_type type);

/* Copies text into a STR field, cutting it at the end of a UTF-8 sequence; always NUL-terminated. */
void msg_str(char *field, size_t cap, const char *text);
#define MSG_SET_STR(field, text) msg_str((field), sizeof(field), (text))

/* A message with this type and id, everything else zero. */
static inline struct msg
msg_make(enum msg_type type, uint32_t id)
{
	struct msg m;

	memset(&m, 0, sizeof(m));
	m.type = type;
	m.id = id;
	return m;
}

/* The REPLY to request `id`. err: 0 or positive errno; text may be NULL. */
struct msg msg_reply(uint32_t id, int err, const char *text);

#endif
