#include "netlink/reach_filter.h"

#include <linux/if_ether.h>
#include <string.h>

#include "netlink/bpf_bound.h"

const char *const reach_pass_names[REACH_PASSES] = {
	[REACH_PASS_ALL] = "all",
	[REACH_PASS_SOME] = "some",
	[REACH_PASS_NONE] = "none",
};

enum reach_pass reach_pass_both(enum reach_pass one, enum reach_pass other)
{
	return one > other ? one : other;
}

enum reach_answer reach_filtered(enum reach_answer answer, enum reach_pass pass)
{
	static const enum reach_answer some[REACH_ANSWERS] = {
		[REACH_YES] = REACH_FILTERED,
		[REACH_YES_REFLECTED] = REACH_FILTERED_REFLECTED,
		[REACH_IF_REFLECTED] = REACH_FILTERED_IF_REFLECTED,
	};

	if (pass == REACH_PASS_ALL)
		return answer;
	return pass == REACH_PASS_SOME ? some[answer] : REACH_NO;
}

static void know_mac(struct bpf_known *known, size_t at, const uint8_t *mac)
{
	if (mac) {
		memcpy(known->value + at, mac, MAC_LEN);
		memset(known->mask + at, 0xff, MAC_LEN);
	} else {
		known->mask[at] = 1; /* no group address */
	}
}

static struct bpf_known known_of(const struct link_spec *spec, enum link_hook hook,
				 const struct reach_peer *peer, enum reach_cast cast)
{
	static const uint8_t everybody[MAC_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const bool sends = hook == LINK_HOOK_FROM_GUEST;
	const uint8_t *to = sends ? peer->mac : spec->mac;
	struct bpf_known known = { .mask = { 0 } };

	if (peer->takes_all)
		to = NULL;
	know_mac(&known, 0, cast == REACH_BROADCAST ? everybody : to);
	know_mac(&known, MAC_LEN, sends ? spec->mac : peer->mac);
	return known;
}

static enum reach_pass judge(const struct link_spec *spec, enum link_hook hook,
			     const struct reach_peer *peer, enum reach_cast cast)
{
	static const enum reach_pass by_bound[BPF_BOUNDS] = {
		[BPF_MATCHES_SOME] = REACH_PASS_SOME,
		[BPF_MATCHES_ALL] = REACH_PASS_ALL,
		[BPF_MATCHES_NONE] = REACH_PASS_NONE,
	};
	const struct link_filter *filter = spec ? &spec->filters[hook] : NULL;
	enum reach_pass pass = REACH_PASS_ALL;
	struct bpf_known known;

	if (filter && filter->n) {
		known = known_of(spec, hook, peer, cast);
		pass = by_bound[bpf_bound(filter->ops, filter->n, &known)];
	}
	/* anti-spoof = mac drops only what is untrue. */
	if (spec && hook == LINK_HOOK_FROM_GUEST && spec->anti_spoof == ANTI_SPOOF_MAC_IP)
		pass = reach_pass_both(pass, REACH_PASS_SOME);
	return pass;
}

void reach_sieve_add(struct reach_sieve *sieve, size_t n, const struct link_spec *spec,
		     enum link_hook hook, const struct reach_peer *peer)
{
	for (int cast = 0; cast < REACH_CASTS; cast++) {
		const enum reach_pass pass = judge(spec, hook, peer, (enum reach_cast)cast);

		if (n == 0)
			sieve->pass[cast] = pass;
		else if (sieve->pass[cast] != pass)
			sieve->pass[cast] = REACH_PASS_SOME;
		if (pass != REACH_PASS_ALL && !sieve->first)
			sieve->first = spec;
	}
}

static enum bpf_bound bound_of_type(const struct link_filter *filter, uint16_t type)
{
	struct bpf_known known = { .mask = { 0 } };

	known.value[BPF_KNOWN_TYPE] = (uint8_t)(type >> 8);
	known.value[BPF_KNOWN_TYPE + 1] = (uint8_t)type;
	known.mask[BPF_KNOWN_TYPE] = 0xff;
	known.mask[BPF_KNOWN_TYPE + 1] = 0xff;
	return bpf_bound(filter->ops, filter->n, &known);
}

bool reach_hides_from_arp(const struct link_spec *spec)
{
	for (int hook = 0; hook < LINK_HOOKS; hook++) {
		const struct link_filter *filter = &spec->filters[hook];

		if (filter->n && bound_of_type(filter, ETH_P_ARP) == BPF_MATCHES_NONE &&
		    bound_of_type(filter, ETH_P_IP) != BPF_MATCHES_NONE)
			return true;
	}
	return false;
}
