/* SPDX-License-Identifier: GPL-2.0-or-later
 * forward.h - one forward more or less, in a model that is in force and in the text of `networking`.
 *
 * Pure. conf_add_forward() and conf_remove_forward() of change.h read all files three times to judge a
 * change; with ten thousand forwards that takes a tenth of a second. Most changes are simple: a single port that
 * nobody has is added, or a line that stands alone goes. These two functions do just that, and what they
 * make is what the long way would make.
 */
#ifndef VNET_CONF_FORWARD_H
#define VNET_CONF_FORWARD_H

#include <stdbool.h>
#include <stddef.h>

#include "conf/conf.h"

struct strbuf;

/* The new text of `networking`, of which c was built (text, len) together with nat.conf of network n. f: of one
 * that goes, protocol and host port count. False: go the long way, which also knows what is wrong. */
bool conf_forward_text(struct strbuf *out, const struct conf *c, const char *text, size_t len,
		       unsigned n, const struct conf_forward *f, bool gone);

/* Makes c what that text says, but for the positions of what stands behind it. False: no memory, and nothing
 * has changed. *as: the forward as it is (gone: was) in the model. */
bool conf_forward_apply(struct conf *c, unsigned n, const struct conf_forward *f, bool gone,
			struct conf_forward *as);

/* Memory that conf_forward_apply() took: for conf_free(). */
void conf_forwards_free(struct conf_net *n);

#endif
