/*
 * What a link's frames are, how fast they come and with whom they are exchanged, as it lies in the
 * counters pages (stats.h).
 */
#ifndef TW_STATS_TRAFFIC_H
#define TW_STATS_TRAFFIC_H

#include <stdatomic.h>
#include <stdint.h>

enum stats_direction {
	STATS_FROM_GUEST,
	STATS_TO_GUEST,
	STATS_DIRECTIONS
};

/*
 * Each frame is one of the first four; an IP packet may be one of the others besides. So those of
 * one kind are never added to those of the other.
 */
enum stats_protocol {
	STATS_ARP,
	STATS_IPV4,
	STATS_IPV6,
	STATS_OTHER,
	STATS_TCP,
	STATS_UDP,
	STATS_ICMP, /* of either version */
	STATS_PROTOCOLS
};

struct stats_protocol_counters {
	_Atomic uint64_t frames[STATS_DIRECTIONS];
	_Atomic uint64_t bytes[STATS_DIRECTIONS];
};

/*
 * How long frames are, by the groups of RFC 2819 (etherStatsPkts64Octets and so on), which counts
 * the four octets of the frame check sequence. No virtual device pads: the first has what is
 * shorter, too.
 */
enum stats_size {
	STATS_SIZE_64,
	STATS_SIZE_127,
	STATS_SIZE_255,
	STATS_SIZE_511,
	STATS_SIZE_1023,
	STATS_SIZE_1518,
	STATS_SIZE_OVER, /* jumbo frames, and segments that no device has cut yet (GSO) */
	STATS_SIZES
};

#define STATS_FCS_LEN 4u

/* The longest of each group, in octets; the last has no end. */
extern const uint32_t stats_size_bounds[STATS_SIZES];

/* `bytes`: of the frame, without its check sequence. */
static inline enum stats_size stats_size_of(uint32_t bytes)
{
	const uint32_t octets = bytes + STATS_FCS_LEN;

	if (octets <= 64)
		return STATS_SIZE_64;
	if (octets > 1518)
		return STATS_SIZE_OVER;
	/* A group for each power of two: 65 to 127 have seven bits. */
	return (enum stats_size)(26u - (unsigned int)__builtin_clz(octets));
}

/* ---- rates: what a frame adds fades with the time since, by the window's length -------------- */

enum stats_window {
	STATS_1_S,
	STATS_10_S,
	STATS_60_S,
	STATS_WINDOWS
};

enum stats_rate {
	STATS_FRAMES_FROM,
	STATS_FRAMES_TO,
	STATS_BYTES_FROM,
	STATS_BYTES_TO,
	STATS_RATES
};

/* Exponential averages, as those of a system's load: each second counts 1/e after one window. */
struct stats_rates {
	_Atomic uint64_t at_ns; /* CLOCK_REALTIME of the last sample; 0: none */
	_Atomic float per_s[STATS_WINDOWS][STATS_RATES];
};

/*
 * Takes in what was counted in the last `span_ns` before now; before that, back to the last sample,
 * nothing was. A clock that was set changes nothing but this one sample.
 */
void stats_rates_add(struct stats_rates *rates, const uint64_t counted[STATS_RATES],
		     uint64_t span_ns, uint64_t now_ns);

/* As of now: they fade since the last sample. */
void stats_rates_read(const struct stats_rates *rates, uint64_t now_ns,
		      double ret[STATS_WINDOWS][STATS_RATES]);

/* ---- top talkers ----------------------------------------------------------------------------- */

#define STATS_TALKERS_MAX 32u

/*
 * One that the guest exchanged unicast IP packets with. It has sent and got at most `bytes`, and at
 * least `bytes` less `error`. Whoever had more than 1/STATS_TALKERS_MAX of all bytes is in the list
 * (Space-Saving: Metwally, Agrawal, El Abbadi, 2005).
 */
struct stats_talker {
	uint8_t ip[16]; /* of IPv4, the first four */
	uint8_t version;
	uint8_t protocol; /* IPPROTO_* */
	uint16_t port; /* the lower of the two, as that is the service's mostly; 0: none */
	uint32_t zero;
	_Atomic uint64_t bytes;
	_Atomic uint64_t frames; /* since it is in the list */
	uint64_t error; /* bytes */
};

struct stats_talkers {
	_Atomic uint32_t seq; /* stats_guest.h */
	uint32_t n;
	_Atomic uint64_t bytes; /* of all, in the list or not */
	uint64_t since_ns; /* CLOCK_REALTIME */
	struct stats_talker list[STATS_TALKERS_MAX]; /* in no order */
};

/* "ipv4"; in JSON and as metric labels. */
extern const char *const stats_protocol_names[STATS_PROTOCOLS];

#endif
