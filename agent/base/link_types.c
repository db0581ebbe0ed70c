#include "agent/base/link_types.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const link_kind_names[LINK_KINDS] = {
	[LINK_KIND_MACVTAP] = "macvtap",
	[LINK_KIND_MACVLAN] = "macvlan",
};

const char *const link_mode_names[LINK_MODES] = {
	[LINK_MODE_VEPA] = "vepa",	 [LINK_MODE_BRIDGE] = "bridge",
	[LINK_MODE_PRIVATE] = "private", [LINK_MODE_PASSTHRU] = "passthru",
	[LINK_MODE_SOURCE] = "source",
};

const char *const link_flag_names[LINK_FLAGS] = {
	[LINK_FLAG_NOPROMISC] = "nopromisc",
	[LINK_FLAG_NODST] = "nodst",
};

const char *const peer_kind_names[PEER_KINDS] = {
	[PEER_STREAM] = "stream",
	[PEER_DGRAM] = "dgram",
};

const char *const link_hook_names[LINK_HOOKS] = {
	[LINK_HOOK_FROM_GUEST] = "from guest",
	[LINK_HOOK_TO_GUEST] = "to guest",
};

const char *const anti_spoof_names[ANTI_SPOOFS] = {
	[ANTI_SPOOF_AUTO] = "auto",
	[ANTI_SPOOF_OFF] = "off",
	[ANTI_SPOOF_MAC] = "mac",
	[ANTI_SPOOF_MAC_IP] = "mac+ip",
};

bool link_sources_have(const struct link_sources *sources, const uint8_t mac[MAC_LEN])
{
	for (uint32_t i = 0; i < sources->n; i++) {
		if (memcmp(sources->macs[i], mac, MAC_LEN) == 0)
			return true;
	}
	return false;
}

bool link_addrs_have(const struct link_addrs *addrs, const struct cidr *cidr)
{
	for (uint32_t i = 0; i < addrs->n; i++) {
		if (memcmp(&addrs->list[i], cidr, sizeof(*cidr)) == 0)
			return true;
	}
	return false;
}

static bool is_prefix(const struct link_address *address)
{
	for (unsigned int bit = address->prefix_len; bit < 8 * sizeof(address->bytes); bit++) {
		if (address->bytes[bit / 8] & 0x80 >> bit % 8)
			return false;
	}
	return true;
}

int parse_link_address(const char *s, struct link_address *ret, struct err *err)
{
	const char *slash = strchr(s, '/');
	struct link_address address = { .ip6 = strchr(s, ':') != NULL };
	const unsigned int bits = address.ip6 ? 128 : 32;
	char text[INET6_ADDRSTRLEN];
	uint64_t prefix_len = bits;
	int len = slash ? (int)(slash - s) : (int)strlen(s);

	if (len >= (int)sizeof(text))
		return err_set(err, -EINVAL, "\"%s\" is not an address", s);
	snprintf(text, sizeof(text), "%.*s", len, s);
	if (inet_pton(address.ip6 ? AF_INET6 : AF_INET, text, address.bytes) != 1)
		return err_set(err, -EINVAL,
			       "\"%s\" is not an address, as 192.0.2.1 or 2001:db8::/64", s);
	if (slash && parse_u64(slash + 1, 0, bits, &prefix_len, NULL))
		return err_set(err, -EINVAL, "\"%s\": a prefix has 0 to %u bits", s, bits);
	address.prefix_len = (uint8_t)prefix_len;
	if (!is_prefix(&address))
		return err_set(err, -EINVAL, "\"%s\" has bits behind its prefix", s);
	*ret = address;
	return 0;
}

enum anti_spoof link_anti_spoof(enum anti_spoof wanted, enum link_kind kind)
{
	if (wanted != ANTI_SPOOF_AUTO)
		return wanted;
	return kind == LINK_KIND_MACVTAP ? ANTI_SPOOF_MAC : ANTI_SPOOF_OFF;
}
