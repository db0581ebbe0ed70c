/*
 * What the frames of a link say of its guest: the addresses that it has, as they lie in the
 * counters pages (stats.h). They stay there when the capture worker that learned them dies.
 *
 * One worker writes a link's part, anybody reads it: a copy is good when the sequence number was
 * even and the same before and after it.
 */
#ifndef TW_STATS_GUEST_H
#define TW_STATS_GUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATS_ADDRESSES_MAX 16u
#define STATS_HOSTNAME_MAX  64u /* with the NUL; a DNS label has 63 bytes (RFC 1035) */

/* Which frames told an address; a better one comes later. */
enum stats_learned {
	STATS_BY_ARP, /* the guest's own */
	STATS_BY_ND,
	STATS_BY_DHCP4, /* an ACK that answered the guest */
	STATS_BY_DHCP6,
	STATS_LEARNED
};

#define STATS_ADDRESS_TENTATIVE 1u /* the guest asks whether somebody else has it (RFC 4862) */

struct stats_address {
	uint8_t ip[16]; /* of IPv4, the first four */
	uint8_t version; /* 4 or 6 */
	uint8_t learned; /* enum stats_learned */
	uint8_t flags;
	uint8_t zero;
	uint16_t vlan; /* outermost VLAN id + 1; 0: untagged */
	uint16_t conflict; /* slot + 1 of the link that had it before; 0: none */
	uint64_t first_ns; /* CLOCK_REALTIME, as the next two */
	uint64_t seen_ns; /* when the guest last said so */
	uint64_t until_ns; /* end of the lease; 0: no lease */
};

struct stats_guest {
	_Atomic uint32_t seq; /* odd: it is being written */
	uint32_t n;
	char hostname[STATS_HOSTNAME_MAX]; /* of its DHCP requests; "": none was told */
	uint32_t dhcp_xid[2]; /* of its latest request by DHCPv4, DHCPv6 */
	uint32_t has_xid; /* mask of 1 << index */
	uint32_t zero;
	struct stats_address addresses[STATS_ADDRESSES_MAX]; /* in no order */
};

static inline void stats_write_begin(_Atomic uint32_t *seq)
{
	atomic_store_explicit(seq, atomic_load_explicit(seq, memory_order_relaxed) | 1,
			      memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
}

static inline void stats_write_end(_Atomic uint32_t *seq)
{
	atomic_store_explicit(seq, (atomic_load_explicit(seq, memory_order_relaxed) | 1) + 1,
			      memory_order_release);
}

/*
 * Copies what begins with its own sequence number. False when it was being written each time: a
 * writer that died in it leaves it so until its successor clears it.
 */
bool stats_snapshot(const void *shared, void *ret, size_t len);

/* The bytes that a host's name has (RFC 952, RFC 1123) and '_'; any other is replaced by '?'. */
void stats_hostname_set(char ret[STATS_HOSTNAME_MAX], const void *text, size_t len);

/* "arp", "dhcp4" */
extern const char *const stats_learned_names[STATS_LEARNED];

#endif
