#include "agent/base/link_types.h"

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

const char *const address_learning_names[LEARN_KINDS] = {
	[LEARN_OFF] = "off",
	[LEARN_DHCP] = "dhcp",
};

const char *const link_hairpin_names[LINK_HAIRPINS] = {
	[LINK_HAIRPIN_KEEP] = "keep",
	[LINK_HAIRPIN_ON] = "on",
	[LINK_HAIRPIN_OFF] = "off",
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

enum anti_spoof link_anti_spoof(enum anti_spoof wanted, enum link_kind kind)
{
	if (wanted != ANTI_SPOOF_AUTO)
		return wanted;
	return kind == LINK_KIND_MACVTAP ? ANTI_SPOOF_MAC : ANTI_SPOOF_OFF;
}
