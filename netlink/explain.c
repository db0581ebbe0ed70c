#include "netlink/explain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "netlink/link_kind.h"
#include "netlink/lower_fit.h"

#define ACTION(x)  (1u << LINK_ACTION_##x)
#define ANY_ACTION (~0u)

/* What was asked, as words around the link's name. */
static const char *const could_not[LINK_ACTIONS] = {
	[LINK_ACTION_CREATE] = "make",
	[LINK_ACTION_DELETE] = "delete",
	[LINK_ACTION_MOVE] = "move back",
	[LINK_ACTION_SET_MASTER] = "set the master of",
	[LINK_ACTION_SET_NAME] = "rename",
	[LINK_ACTION_SET_GROUP] = "set the group of",
	[LINK_ACTION_SET_ALIAS] = "set the alias of",
	[LINK_ACTION_ADD_ALTNAME] = "add an altname to",
	[LINK_ACTION_SET_MODE] = "change the mode of",
	[LINK_ACTION_SET_MAC] = "set the MAC of",
	[LINK_ACTION_SET_MTU] = "set the mtu of",
	[LINK_ACTION_SET_FLAGS] = "set the flags of",
	[LINK_ACTION_SET_SOURCES] = "set the source MACs of",
	[LINK_ACTION_SET_TXQUEUELEN] = "set the txqueuelen of",
	[LINK_ACTION_SET_BCQUEUELEN] = "set the bcqueuelen of",
	[LINK_ACTION_SET_BCCUTOFF] = "set the bccutoff of",
	[LINK_ACTION_SET_ARP] = "turn off the host's ARP on",
	[LINK_ACTION_SET_IPV6] = "turn off the host's IPv6 on",
	[LINK_ACTION_SET_NODE] = "set owner and perms of the node of",
	[LINK_ACTION_SET_FILTERS] = "set the filters of",
	[LINK_ACTION_SET_UP] = "bring up",
	[LINK_ACTION_SET_DOWN] = "bring down",
	[LINK_ACTION_SET_ADDRESSES] = "set the addresses of",
};

#define IPV6_MTU_MIN 1280u /* RFC 8200 section 5 */

struct cause {
	char *text;
	size_t size;
};

static __attribute__((format(printf, 2, 3))) bool is(const struct cause *cause, const char *fmt,
						     ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cause->text, cause->size, fmt, ap);
	va_end(ap);
	return true;
}

static const struct link_table *lowers_of(const struct explain_input *in)
{
	return in->lowers ? in->lowers : in->table;
}

static const struct link_state *lower_of(const struct explain_input *in)
{
	return in->step->lower ? link_table_find(lowers_of(in), in->step->lower) : NULL;
}

static bool is_self(const struct explain_input *in, const struct link_state *link)
{
	return in->step->spec && strcmp(in->step->spec->name, link->name) == 0;
}

/* The next macvlan or macvtap on the same lower device, itself left out. */
static const struct link_state *next_sibling(const struct explain_input *in,
					     const struct link_state *lower, size_t *at)
{
	const struct link_table *table = lowers_of(in);

	while (*at < table->n) {
		const struct link_state *link = &table->links[(*at)++];

		if (link->is_macvlan && !link->lower_elsewhere && link->lower == lower->ifindex &&
		    !is_self(in, link))
			return link;
	}
	return NULL;
}

/* macvlan_addr_busy() */
static bool mac_is_taken(const struct explain_input *in, const struct cause *cause)
{
	const struct link_state *lower = lower_of(in), *link;
	char mac[MAC_TEXT_MAX];
	size_t at = 0;

	if (!lower || !in->step->spec)
		return false;
	format_mac(mac, in->step->spec->mac);
	if (memcmp(lower->mac, in->step->spec->mac, MAC_LEN) == 0)
		return is(cause, "the lower device %s itself has the MAC %s", lower->name, mac);
	while ((link = next_sibling(in, lower, &at))) {
		if (memcmp(link->mac, in->step->spec->mac, MAC_LEN) == 0)
			return is(cause, "%s on %s already has the MAC %s", link->name, lower->name,
				  mac);
	}
	return false;
}

/* macvlan_hash_lookup() knows the links of the lower device in every namespace. */
static bool mac_is_elsewhere(const struct explain_input *in, const struct cause *cause)
{
	const struct link_state *lower = lower_of(in);
	char mac[MAC_TEXT_MAX];

	if (!lower || !in->step->spec)
		return false;
	format_mac(mac, in->step->spec->mac);
	return is(cause, "a link on %s in another network namespace has the MAC %s", lower->name,
		  mac);
}

/* macvlan_common_newlink() */
static bool passthru_is_alone(const struct explain_input *in, const struct cause *cause)
{
	const struct link_state *lower = lower_of(in), *link;
	size_t at = 0;

	if (!lower || !in->step->spec)
		return false;
	while ((link = next_sibling(in, lower, &at))) {
		if (link->macvlan_mode == link_mode_to_kernel(LINK_MODE_PASSTHRU))
			return is(cause, "%s has %s for itself (mode passthru)", link->name,
				  lower->name);
		if (in->step->spec->mode == LINK_MODE_PASSTHRU)
			return is(cause, "a passthru link must be alone on %s, and %s is there too",
				  lower->name, link->name);
	}
	return false;
}

/* Asked where nothing that is seen is in the way: a lower device has links of every namespace. */
static bool passthru_is_elsewhere(const struct explain_input *in, const struct cause *cause)
{
	const struct link_state *lower = lower_of(in);

	if (!lower || !in->step->spec || in->step->spec->mode != LINK_MODE_PASSTHRU)
		return false;
	return is(cause,
		  "a passthru link must be alone on %s, and one in another network namespace "
		  "keeps it out",
		  lower->name);
}

static bool mtu_is_too_large(const struct explain_input *in, const struct cause *cause)
{
	const struct link_state *lower = lower_of(in);

	if (!lower || !in->step->spec || in->step->spec->mtu <= lower->mtu)
		return false;
	return is(cause, "mtu %u is above that of the lower device %s, which is %u",
		  in->step->spec->mtu, lower->name, lower->mtu);
}

static bool lower_is_none(const struct explain_input *in, const struct cause *cause)
{
	const struct link_state *lower = lower_of(in);

	return lower && in->step->spec &&
	       lower_is_unfit(lowers_of(in), lower, in->step->spec->kind, cause->text, cause->size);
}

static bool lower_is_busy(const struct explain_input *in, const struct cause *cause)
{
	const struct link_state *lower = lower_of(in);

	return lower && is(cause, "something else receives the frames of %s", lower->name);
}

static bool name_is_taken(const struct explain_input *in, const struct cause *cause)
{
	const struct link_state *link;

	if (!in->step->spec)
		return false;
	link = link_table_find_name(in->table, in->step->spec->name);
	for (size_t i = 0; !link && i < in->table->n; i++) {
		if (link_state_has_altname(&in->table->links[i], in->step->spec->name))
			return is(cause, "%s has that name as an altname",
				  in->table->links[i].name);
	}
	if (!link)
		return is(cause, "another link has that name as an altname");
	return is(cause, "another %s has that name", *link->kind_text ? link->kind_text : "device");
}

static bool name_is_fixed(const struct explain_input *in, const struct cause *cause)
{
	(void)in;
	return is(cause, "it is up, and Linux before 6.2 renames no link that is");
}

static bool altname_is_taken(const struct explain_input *in, const struct cause *cause)
{
	for (size_t i = 0; i < in->table->n; i++) {
		const struct link_state *link = &in->table->links[i];

		for (size_t k = 0; k < LINK_ALTNAMES_MAX; k++) {
			const char *name = in->step->spec->altnames[k];

			if (*name && !is_self(in, link) &&
			    (strcmp(link->name, name) == 0 || link_state_has_altname(link, name)))
				return is(cause, "%s has the name %s", link->name, name);
		}
	}
	return false;
}

static bool master_is_no_bridge(const struct explain_input *in, const struct cause *cause)
{
	const struct link_state *master = link_table_find(in->table, in->step->master);

	if (!master || strcmp(master->kind_text, "bridge") == 0)
		return false;
	return is(cause, "%s is no bridge", master->name);
}

static bool name_is_taken_there(const struct explain_input *in, const struct cause *cause)
{
	(void)in;
	return is(cause, "another device has its name there");
}

static bool address_is_there(const struct explain_input *in, const struct cause *cause)
{
	(void)in;
	return is(cause, "it has one of them already, with another prefix");
}

/* Any interface of a lower MTU has no IPv6 at all (addrconf_notify()). */
static bool mtu_is_below_ipv6(const struct explain_input *in, const struct cause *cause)
{
	if (in->step->mtu == 0 || in->step->mtu >= IPV6_MTU_MIN)
		return false;
	return is(cause, "IPv6 needs an mtu of %u, and this one is %u", IPV6_MTU_MIN,
		  in->step->mtu);
}

static bool lower_is_gone(const struct explain_input *in, const struct cause *cause)
{
	if (!in->step->spec || lower_of(in))
		return false;
	return is(cause, "the lower device %s is gone", in->step->spec->lower);
}

static bool link_is_gone(const struct explain_input *in, const struct cause *cause)
{
	(void)in;
	return is(cause, "it went away meanwhile");
}

static bool mac_is_bad(const struct explain_input *in, const struct cause *cause)
{
	char mac[MAC_TEXT_MAX];

	if (!in->step->spec)
		return false;
	format_mac(mac, in->step->spec->mac);
	return is(cause, "%s is no unicast MAC", mac);
}

static bool no_privilege(const struct explain_input *in, const struct cause *cause)
{
	(void)in;
	return is(cause, "it takes CAP_NET_ADMIN in this network namespace (run as root)");
}

static bool sysctls_are_read_only(const struct explain_input *in, const struct cause *cause)
{
	(void)in;
	return is(cause, "/proc/sys/net is mounted read-only");
}

static bool node_is_anothers(const struct explain_input *in, const struct cause *cause)
{
	(void)in;
	return is(cause, "another link's tap has its place in /dev: left alone");
}

static bool node_is_missing(const struct explain_input *in, const struct cause *cause)
{
	(void)in;
	return is(cause, "it is not in /dev");
}

static bool sys_is_elsewhere(const struct explain_input *in, const struct cause *cause)
{
	(void)in;
	return is(cause, "/sys shows another network namespace");
}

static bool has_no_cls_bpf(const struct explain_input *in, const struct cause *cause)
{
	(void)in;
	return is(cause,
		  "this kernel has no clsact or no bpf filters (modules sch_ingress, cls_bpf)");
}

static bool filter_is_in_the_way(const struct explain_input *in, const struct cause *cause)
{
	/* The other reason is that its qdisc went since it was looked at: the kernel says that. */
	return !strstr(in->kernel_text, "Qdisc") &&
	       is(cause, "others have a filter of preference 1 there: see tc filter show");
}

static bool ingress_is_in_the_way(const struct explain_input *in, const struct cause *cause)
{
	(void)in;
	return is(cause, "others have the qdisc ingress in the place of clsact");
}

/* The kernel's word is the only sign: it has no error number of its own (tcf_block_shared()). */
static bool block_is_shared(const struct explain_input *in, const struct cause *cause)
{
	return strstr(in->kernel_text, "block is shared") &&
	       is(cause, "others have put a filter block (tc block) in the place of its own");
}

static bool kind_is_unknown(const struct explain_input *in, const struct cause *cause)
{
	if (!in->step->spec)
		return false;
	return is(cause, "this kernel has no %s links (module %s)",
		  link_kind_names[in->step->spec->kind], link_kind_names[in->step->spec->kind]);
}

#define OWN_MAC	    "each link on a device needs a MAC of its own"
#define OTHER_LOWER "another lower device is needed"
#define OTHER_NAME  "another name is needed"
#define LOWER_MTU   "a smaller one is needed, or that of the device is to be raised first"

/* Tried in order; the first that finds its cause in the table speaks. */
static const struct {
	int error;
	unsigned int actions;
	bool (*find)(const struct explain_input *in, const struct cause *cause);
	const char *advice; /* what to do, where the cause does not say it; NULL: none */
} causes[] = {
	{ EADDRINUSE, ANY_ACTION, mac_is_taken, OWN_MAC },
	{ EADDRINUSE, ANY_ACTION, mac_is_elsewhere, OWN_MAC },
	{ EADDRNOTAVAIL, ACTION(CREATE) | ACTION(SET_MAC), mac_is_bad, "mac = auto makes one" },
	{ EINVAL, ACTION(CREATE), lower_is_none, NULL },
	{ EINVAL, ACTION(CREATE), passthru_is_alone, OTHER_LOWER },
	{ EINVAL, ACTION(CREATE) | ACTION(SET_MTU), mtu_is_too_large, LOWER_MTU },
	{ EINVAL, ACTION(CREATE), passthru_is_elsewhere, OTHER_LOWER },
	{ EBUSY, ACTION(CREATE), lower_is_none, NULL },
	{ EBUSY, ACTION(CREATE), lower_is_busy, OTHER_LOWER },
	{ EBUSY, ACTION(SET_NAME), name_is_fixed, "set it down to have its name back" },
	{ EEXIST, ACTION(CREATE) | ACTION(SET_NAME), name_is_taken, OTHER_NAME },
	{ EEXIST, ACTION(ADD_ALTNAME), altname_is_taken, OTHER_NAME },
	{ EINVAL, ACTION(SET_MASTER), master_is_no_bridge, "a bridge is needed" },
	{ EOPNOTSUPP, ACTION(SET_MASTER), master_is_no_bridge, "a bridge is needed" },
	{ EEXIST, ACTION(MOVE), name_is_taken_there, OTHER_NAME },
	{ EEXIST, ACTION(SET_ADDRESSES), address_is_there, "take that one from it" },
	{ EINVAL, ACTION(SET_ADDRESSES), mtu_is_below_ipv6, "a larger one is needed" },
	{ ENODEV, ACTION(CREATE), lower_is_gone, "it is made when the device is back" },
	{ ENODEV, ANY_ACTION & ~ACTION(CREATE), link_is_gone, NULL },
	{ EPERM, ANY_ACTION, no_privilege, NULL },
	{ EROFS, ACTION(SET_IPV6), sysctls_are_read_only, NULL },
	{ EOPNOTSUPP, ACTION(CREATE), kind_is_unknown, NULL },
	{ ENOENT, ACTION(SET_FILTERS), has_no_cls_bpf, NULL },
	{ EINVAL, ACTION(SET_FILTERS), filter_is_in_the_way, "give them another preference" },
	{ EEXIST, ACTION(SET_FILTERS), ingress_is_in_the_way,
	  "take it away, or turn the link's filters off" },
	{ EOPNOTSUPP, ACTION(SET_FILTERS), block_is_shared,
	  "take it away, or turn the link's filters off" },
	{ EXDEV, ACTION(SET_NODE), node_is_anothers, NULL },
	{ ENXIO, ACTION(SET_NODE), node_is_missing, NULL },
	{ ESTALE, ACTION(SET_NODE), sys_is_elsewhere, NULL },
	{ ENOENT, ACTION(SET_NODE), link_is_gone, NULL },
};

int explain(const struct explain_input *input, struct err *err)
{
	const struct link_step *step = input->step;
	const char *name = step->spec ? step->spec->name : step->link->name;
	char text[512];
	const struct cause cause = { .text = text, .size = sizeof(text) };

	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (causes[i].error == -input->error && causes[i].actions & (1u << input->action) &&
		    causes[i].find(input, &cause))
			return err_set(err, input->error, "could not %s %s: %s%s%s",
				       could_not[input->action], name, text,
				       causes[i].advice ? ": " : "",
				       causes[i].advice ? causes[i].advice : "");
	}
	if (*input->kernel_text)
		return err_errno(err, input->error, "could not %s %s: the kernel says \"%s\"",
				 could_not[input->action], name, input->kernel_text);
	return err_errno(err, input->error, "could not %s %s", could_not[input->action], name);
}
