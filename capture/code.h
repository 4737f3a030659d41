/* SPDX-License-Identifier: GPL-2.0-or-later
 * code.h - the instructions of a filter as bytes: how messages carry them, and how vnet-capture --compile tells them.
 * Pure.
 */
#ifndef VNET_CAPTURE_CODE_H
#define VNET_CAPTURE_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture/filter.h"

#define CODE_BYTES    8   /* of an instruction, its fields in network byte order */
#define CODE_PART_MAX 400 /* instructions in one message */

/* What vnet-capture --compile writes begins with one of these. */
#define CODE_FOLLOWS '=' /* the program */
#define CODE_WHY     '!' /* the sentence that says what is wrong with the expression */

/* Writes n instructions; returns the number of bytes, n * CODE_BYTES. */
size_t code_put(uint8_t *out, const struct sock_filter *code, size_t n);

/* Adds the instructions to f. False: the last one is not whole, or they are more than FILTER_MAX then. */
bool code_take(struct filter *f, const uint8_t *p, size_t len);

#endif
