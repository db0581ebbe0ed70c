#include "agent/base/stats_guest.h"

#include <string.h>

/* A copy takes well below a microsecond and a writer is not in it for longer. */
#define SNAPSHOT_TRIES 64

const char *const stats_learned_names[STATS_LEARNED] = {
	[STATS_BY_ARP] = "arp",
	[STATS_BY_ND] = "nd",
	[STATS_BY_DHCP4] = "dhcp4",
	[STATS_BY_DHCP6] = "dhcp6",
};

bool stats_snapshot(const void *shared, void *ret, size_t len)
{
	/* C11 has no atomic load of a const object. */
	_Atomic uint32_t *seq = (_Atomic uint32_t *)shared;

	for (int i = 0; i < SNAPSHOT_TRIES; i++) {
		uint32_t before = atomic_load_explicit(seq, memory_order_acquire);

		memcpy(ret, shared, len);
		atomic_thread_fence(memory_order_acquire);
		if (!(before & 1) && atomic_load_explicit(seq, memory_order_relaxed) == before)
			return true;
	}
	return false;
}

void stats_hostname_set(char ret[STATS_HOSTNAME_MAX], const void *text, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_";
	const char *s = text;
	size_t n = 0;

	/* Some clients send the NUL as well (RFC 2132 section 2 warns of it). */
	for (; n < len && n < STATS_HOSTNAME_MAX - 1 && s[n]; n++)
		ret[n] = strchr(allowed, s[n]) ? s[n] : '?';
	memset(ret + n, 0, STATS_HOSTNAME_MAX - n);
}
