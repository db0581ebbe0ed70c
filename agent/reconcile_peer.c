/* Which wanted link a machine on the wire is behind. */
#include "agent/reconcile_parts.h"

#include <errno.h>
#include <string.h>

#include "netlink/peer.h"

int reconcile_peer(struct reconcile *reconcile, const struct cidr *address, uint32_t scope,
		   const char **ret_link, struct err *err)
{
	char mac[MAC_TEXT_MAX];
	struct peer peer;
	int code = peer_find(reconcile->channel, address, scope, &peer, err);

	if (code)
		return code;
	for (size_t i = 0; i < reconcile->n; i++) {
		const struct reconcile_link *link = &reconcile->links[i];

		if (!link->present || link->spec->is_host_link ||
		    memcmp(link->link.mac, peer.mac, MAC_LEN) != 0 ||
		    !peer_is_on(reconcile->channel, &peer, link->link.lower))
			continue;
		*ret_link = link->spec->name;
		return 0;
	}
	format_mac(mac, peer.mac);
	return err_set(err, -ENOENT, "no link on that lower device has its MAC address %s", mac);
}
