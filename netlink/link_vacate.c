#include "netlink/link_apply_parts.h"

#include <string.h>

#include "netlink/link_marks.h"

/* Of a link while two swap their MACs: no vendor's, and another for each link. */
static void passing_mac(uint8_t ret[MAC_LEN], uint32_t ifindex)
{
	ret[0] = 0x02;
	ret[1] = 0x74;
	for (unsigned int i = 2; i < MAC_LEN; i++)
		ret[i] = (uint8_t)(ifindex >> 8 * (MAC_LEN - 1 - i));
}

/*
 * What is refused is told by what comes next and needs it; a holder that has gone meanwhile, as to
 * another namespace, is in nobody's way.
 */
static int send_batch(struct apply *apply)
{
	return nl_channel_batch(apply->channel, apply->requests.list, apply->requests.n,
				apply->err);
}

static bool sets_mac(const struct link_step *step)
{
	return step->op == LINK_OP_CHANGE && step->attrs & 1u << LINK_ATTR_MAC;
}

/* Whether another link of the same lower device is to get the MAC that this one has. */
static bool mac_is_wanted(const struct link_plan *plan, const struct link_step *step)
{
	for (size_t i = 0; i < plan->n; i++) {
		const struct link_step *other = &plan->steps[i];

		if (other != step && sets_mac(other) && other->lower == step->lower &&
		    memcmp(other->spec->mac, step->link->mac, MAC_LEN) == 0)
			return true;
	}
	return false;
}

static int vacate_macs(struct apply *apply)
{
	int code = link_requests_begin(&apply->requests, apply->plan);

	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];
		uint8_t mac[MAC_LEN];

		if (!sets_mac(step) || !mac_is_wanted(apply->plan, step))
			continue;
		passing_mac(mac, step->link->ifindex);
		code = link_msg_set_mac(link_requests_add(&apply->requests, i, LINK_ACTION_SET_MAC),
					step->link->ifindex, mac);
	}
	return code < 0 ? code : send_batch(apply);
}

static bool is_gone(const struct apply *apply, const struct link_state *link)
{
	for (size_t i = 0; i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];

		if (step->link == link &&
		    (step->op == LINK_OP_DELETE || step->op == LINK_OP_REPLACE))
			return true;
	}
	return false;
}

static const struct link_state *find_holder(const struct apply *apply, const struct link_step *step,
					    const char *name)
{
	for (size_t i = 0; i < apply->table->n; i++) {
		const struct link_state *link = &apply->table->links[i];

		if (link != step->link && link_state_has_altname(link, name) &&
		    link_is_ours(link, apply->group) && !is_gone(apply, link))
			return link;
	}
	return NULL;
}

static int vacate_name(struct apply *apply, size_t i, const char *name)
{
	const struct link_state *holder = find_holder(apply, &apply->plan->steps[i], name);

	return holder ? link_msg_delete_altname(link_requests_add(&apply->requests, i,
								  LINK_ACTION_ADD_ALTNAME),
						holder->ifindex, name)
		      : 0;
}

/* No two specs want a name, so whoever has it is not to keep it. */
static int vacate_names(struct apply *apply)
{
	int code = link_requests_begin(&apply->requests, apply->plan);

	for (size_t i = 0; code == 0 && i < apply->plan->n; i++) {
		const struct link_step *step = &apply->plan->steps[i];
		const bool made = step->op == LINK_OP_CREATE || step->op == LINK_OP_REPLACE;

		if (made || (step->op == LINK_OP_CHANGE && step->attrs & 1u << LINK_ATTR_NAME))
			code = vacate_name(apply, i, step->spec->name);
		if (!made &&
		    !(step->op == LINK_OP_CHANGE && step->attrs & 1u << LINK_ATTR_ALTNAMES))
			continue;
		for (size_t k = 0; code == 0 && k < LINK_ALTNAMES_MAX; k++) {
			if (*step->spec->altnames[k])
				code = vacate_name(apply, i, step->spec->altnames[k]);
		}
	}
	return code < 0 ? code : send_batch(apply);
}

int apply_vacate(struct apply *apply)
{
	int code = vacate_macs(apply);

	return code < 0 ? code : vacate_names(apply);
}
