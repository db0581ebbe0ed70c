#include "netlink/link_former.h"

#include <net/if.h>
#include <string.h>

#include "netlink/link_kind.h"

static enum link_mode mode_of(const struct link_state *link, enum link_mode otherwise)
{
	for (size_t mode = 0; mode < LINK_MODES; mode++) {
		if (link_mode_to_kernel((enum link_mode)mode) == link->macvlan_mode)
			return (enum link_mode)mode;
	}
	return otherwise;
}

void link_former_spec(const struct link_spec *spec, const struct link_state *link,
		      struct link_spec *ret)
{
	*ret = *spec;
	ret->kind = link->kind;
	ret->mode = mode_of(link, spec->mode);
	ret->flags = link->macvlan_flags;
	ret->sources = link_state_lists(link)->sources;
	memcpy(ret->mac, link->mac, MAC_LEN);
	ret->mtu = link->mtu;
	ret->txqueuelen = link->txqueuelen;
	ret->bcqueuelen = link->bcqueuelen;
	ret->bccutoff.set = link->bccutoff != LINK_CUTOFF_DEFAULT;
	ret->bccutoff.value = link->bccutoff;
	ret->up = link->flags & IFF_UP;
	if (link_kind_ops[link->kind]->host_is_quiet)
		ret->addrs.n = 0;
}
