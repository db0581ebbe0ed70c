#include "netlink/link_requests.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>

#include "netlink/link_kind.h"

/*
 * The most requests that a step can have in one batch: each attribute (that of UP may be two, but
 * not all are requests), altname, address and source MAC.
 */
static size_t most_requests(const struct link_step *step)
{
	return LINK_ATTRS + LINK_ALTNAMES_MAX + LINK_ADDRS_MAX + LINK_ADDR_LIST_MAX +
	       (step->spec ? step->spec->sources.n : 0) +
	       (step->link ? link_state_lists(step->link)->sources.n : 0);
}

int link_requests_begin(struct link_requests *r, const struct link_plan *plan)
{
	size_t room = 1;

	r->n = 0;
	if (r->list)
		return 0;
	for (size_t i = 0; i < plan->n; i++)
		room += most_requests(&plan->steps[i]);
	r->plan = plan;
	r->list = calloc(room, sizeof(*r->list));
	r->origins = calloc(room, sizeof(*r->origins));
	return r->list && r->origins ? 0 : -ENOMEM;
}

void link_requests_done(struct link_requests *r)
{
	free(r->list);
	free(r->origins);
	*r = (struct link_requests){ .home = -1 };
}

struct link_msg *link_requests_add(struct link_requests *r, size_t step, enum link_action action)
{
	struct nl_request *request = &r->list[r->n];

	request->ifindex = 0;
	r->origins[r->n++] = (struct link_origin){ step, action };
	return &request->msg;
}

static int add_move(struct link_requests *r, size_t step, uint32_t ifindex)
{
	return link_msg_move(link_requests_add(r, step, LINK_ACTION_MOVE), ifindex, r->home,
			     r->plan->steps[step].spec->name);
}

static int add_master(struct link_requests *r, size_t step, uint32_t ifindex)
{
	return link_msg_set_master(link_requests_add(r, step, LINK_ACTION_SET_MASTER), ifindex,
				   r->plan->steps[step].master);
}

static int add_name(struct link_requests *r, size_t step, uint32_t ifindex)
{
	return link_msg_set_name(link_requests_add(r, step, LINK_ACTION_SET_NAME), ifindex,
				 r->plan->steps[step].spec->name);
}

static int add_alias(struct link_requests *r, size_t step, uint32_t ifindex)
{
	char alias[LINK_ALIAS_MAX];

	link_spec_alias(r->plan->steps[step].spec, alias);
	return link_msg_set_alias(link_requests_add(r, step, LINK_ACTION_SET_ALIAS), ifindex,
				  alias);
}

static int add_altnames(struct link_requests *r, size_t i, uint32_t ifindex)
{
	const struct link_step *step = &r->plan->steps[i];
	int code = 0;

	for (size_t k = 0; code == 0 && k < LINK_ALTNAMES_MAX; k++) {
		const char *name = step->spec->altnames[k];

		if (*name &&
		    (step->op != LINK_OP_CHANGE || !link_state_has_altname(step->link, name)))
			code = link_msg_add_altname(
				link_requests_add(r, i, LINK_ACTION_ADD_ALTNAME), ifindex, name);
	}
	return code;
}

static int add_group(struct link_requests *r, size_t step, uint32_t ifindex)
{
	return link_msg_set_group(link_requests_add(r, step, LINK_ACTION_SET_GROUP), ifindex,
				  r->plan->steps[step].spec->group);
}

/* One by one, so that those that stay take in frames all the while. */
static int add_sources(struct link_requests *r, size_t i, uint32_t ifindex)
{
	static const struct link_sources none;
	const struct link_step *step = &r->plan->steps[i];
	const struct link_sources *wanted = &step->spec->sources, *there = &none;
	enum link_kind kind = step->spec->kind;
	int code = 0;

	if (step->op == LINK_OP_CHANGE)
		there = &link_state_lists(step->link)->sources;
	if (there->more) {
		there = &none;
		code = link_msg_flush_sources(link_requests_add(r, i, LINK_ACTION_SET_SOURCES),
					      ifindex, kind);
	}
	for (uint32_t k = 0; code == 0 && k < there->n; k++) {
		if (!link_sources_have(wanted, there->macs[k]))
			code = link_msg_delete_source(link_requests_add(r, i,
									LINK_ACTION_SET_SOURCES),
						      ifindex, kind, there->macs[k]);
	}
	for (uint32_t k = 0; code == 0 && k < wanted->n; k++) {
		if (!link_sources_have(there, wanted->macs[k]))
			code = link_msg_add_source(link_requests_add(r, i, LINK_ACTION_SET_SOURCES),
						   ifindex, kind, wanted->macs[k]);
	}
	return code;
}

static int add_txqueuelen(struct link_requests *r, size_t step, uint32_t ifindex)
{
	return link_msg_set_txqueuelen(link_requests_add(r, step, LINK_ACTION_SET_TXQUEUELEN),
				       ifindex, r->plan->steps[step].spec->txqueuelen);
}

static int add_mac(struct link_requests *r, size_t step, uint32_t ifindex)
{
	return link_msg_set_mac(link_requests_add(r, step, LINK_ACTION_SET_MAC), ifindex,
				r->plan->steps[step].spec->mac);
}

static int add_mtu(struct link_requests *r, size_t step, uint32_t ifindex)
{
	return link_msg_set_mtu(link_requests_add(r, step, LINK_ACTION_SET_MTU), ifindex,
				r->plan->steps[step].mtu);
}

bool link_leaks_allmulti(const struct link_state *link)
{
	const uint32_t leaks = IFF_UP | IFF_ALLMULTI;

	return (link->flags & leaks) == leaks &&
	       link->macvlan_mode == link_mode_to_kernel(LINK_MODE_PASSTHRU);
}

static int add_up(struct link_requests *r, size_t step, uint32_t ifindex)
{
	const struct link_state *link = r->plan->steps[step].link;
	bool up = r->plan->steps[step].spec->up;
	enum link_action action = up ? LINK_ACTION_SET_UP : LINK_ACTION_SET_DOWN;
	int code = 0;

	/* Before, in a request of its own: __dev_change_flags() closes first. */
	if (!up && link && link_leaks_allmulti(link))
		code = link_msg_set_flags(link_requests_add(r, step, action), ifindex, 0,
					  IFF_ALLMULTI);
	return code ? code
		    : link_msg_set_flags(link_requests_add(r, step, action), ifindex,
					 up ? IFF_UP : 0, IFF_UP);
}

static int add_arp_off(struct link_requests *r, size_t step, uint32_t ifindex)
{
	return link_msg_set_flags(link_requests_add(r, step, LINK_ACTION_SET_ARP), ifindex,
				  IFF_NOARP, IFF_NOARP);
}

/* Away first: IPv6 has an address once, whatever its prefix. */
static int add_addresses(struct link_requests *r, size_t i, uint32_t ifindex)
{
	static const struct link_addr_list none;
	const struct link_step *step = &r->plan->steps[i];
	const struct link_addrs *wanted = &step->spec->addrs;
	const struct link_addr_list *there = step->op == LINK_OP_CHANGE && step->addrs ? step->addrs
										       : &none;
	int code = 0;

	for (size_t k = 0; code == 0 && k < there->n; k++) {
		if (there->list[k].is_ours && !link_addrs_have(wanted, &there->list[k].cidr))
			code = link_msg_delete_addr(link_requests_add(r, i,
								      LINK_ACTION_SET_ADDRESSES),
						    ifindex, &there->list[k].cidr);
	}
	for (uint32_t k = 0; code == 0 && k < wanted->n; k++) {
		if (!link_addr_list_has(there, &wanted->list[k]))
			code = link_msg_add_addr(link_requests_add(r, i, LINK_ACTION_SET_ADDRESSES),
						 ifindex, &wanted->list[k]);
	}
	return code;
}

/* What requests set; data_attrs has the rest. */
static int (*const setters[LINK_ATTRS])(struct link_requests *r, size_t step, uint32_t ifindex) = {
	[LINK_ATTR_NETNS] = add_move,
	[LINK_ATTR_MASTER] = add_master,
	[LINK_ATTR_NAME] = add_name,
	[LINK_ATTR_GROUP] = add_group,
	[LINK_ATTR_ALIAS] = add_alias,
	[LINK_ATTR_ALTNAMES] = add_altnames,
	[LINK_ATTR_SOURCES] = add_sources,
	[LINK_ATTR_MAC] = add_mac,
	[LINK_ATTR_MTU] = add_mtu,
	[LINK_ATTR_TXQUEUELEN] = add_txqueuelen,
	[LINK_ATTR_ARP] = add_arp_off,
	[LINK_ATTR_UP] = add_up,
	[LINK_ATTR_ADDRESSES] = add_addresses,
};

/*
 * What goes into IFLA_INFO_DATA and nowhere else. Mode and flags are one request, sent for either.
 */
static const struct {
	enum link_action action;
	uint32_t data;
} data_attrs[LINK_ATTRS] = {
	[LINK_ATTR_MODE] = { LINK_ACTION_SET_MODE, LINK_DATA_MODE },
	[LINK_ATTR_FLAGS] = { LINK_ACTION_SET_FLAGS, LINK_DATA_MODE },
	[LINK_ATTR_BCQUEUELEN] = { LINK_ACTION_SET_BCQUEUELEN, LINK_DATA_BCQUEUELEN },
	[LINK_ATTR_BCCUTOFF] = { LINK_ACTION_SET_BCCUTOFF, LINK_DATA_BCCUTOFF },
};

int link_requests_add_attr(struct link_requests *r, size_t step, enum link_attr attr,
			   uint32_t ifindex)
{
	if (setters[attr])
		return setters[attr](r, step, ifindex);
	return link_msg_set_data(link_requests_add(r, step, data_attrs[attr].action), ifindex,
				 r->plan->steps[step].spec, data_attrs[attr].data);
}
