/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_libvirt.c - the verb `libvirt`: a network as libvirt wants to be told of it. Asks nobody.
 */
#include "vnetd/ctl.h"

static const struct ctl_opt opts[] = {CTL_OPT_QUIET, CTL_OPT_HELP, {0}};

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	struct strbuf text;
	uint16_t net;

	if (!ctl_parse_net(&net, a->pos[0]))
		return CTL_USAGE;
	strbuf_init(&text);
	strbuf_addf(&text,
		    "<!-- Make it known to libvirt:\n"
		    "         vnetctl libvirt vmnet%u >vmnet%u.xml\n"
		    "         virsh net-define vmnet%u.xml; virsh net-start vmnet%u; "
		    "virsh net-autostart vmnet%u\n"
		    "     In a domain: <interface type='network'><source network='vmnet%u'/>"
		    "<model type='virtio'/></interface> -->\n"
		    "<network>\n"
		    "  <name>vmnet%u</name>\n"
		    "  <forward mode='bridge'/>\n"
		    "  <bridge name='vmnet%u'/>\n"
		    "</network>\n",
		    net, net, net, net, net, net, net, net);
	return ctl_print(c, &text);
}

const struct ctl_verb ctl_verb_libvirt = {
    .name = "libvirt",
    .synopsis = "vmnetN",
    .summary = "Prints the XML that makes a network known to libvirt",
    .detail =
	"libvirt attaches its guests to the network's bridge; vnetd serves them like all others.",
    .example = "  vnetctl libvirt vmnet8 >vmnet8.xml && virsh net-define vmnet8.xml",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 1,
    .run = run,
};
