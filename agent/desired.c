#include "agent/desired.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/hash.h"
#include "agent/filter_compile.h"
#include "agent/owner.h"
#include "netlink/tc_filter.h"

#define MACHINE_ID "/etc/machine-id"

/* Tries for one automatic MAC: with a prefix, 24 bits of which CONFIG_LINKS_MAX can be in use. */
#define MAC_TRIES (4 * CONFIG_LINKS_MAX)

void desired_host_id(char ret[HOST_ID_MAX])
{
	FILE *file = fopen(MACHINE_ID, "re");
	size_t n = 0;

	if (file) {
		n = fread(ret, 1, HOST_ID_MAX - 1, file);
		fclose(file);
	}
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	if (*ret)
		return;
	if (gethostname(ret, HOST_ID_MAX) < 0)
		ret[0] = '\0';
	ret[HOST_ID_MAX - 1] = '\0';
}

/* FNV leaves its low bits weak; the 64-bit finalizer of MurmurHash3 spreads them. */
static uint64_t hash_mix(uint64_t hash)
{
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdu;
	hash ^= hash >> 33;
	hash *= 0xc4ceb9fe1a85ec53u;
	hash ^= hash >> 33;
	return hash;
}

static void make_mac(uint8_t ret[MAC_LEN], const char *host_id, const struct link_wish *wish,
		     unsigned int count)
{
	uint64_t hash = HASH_INIT;
	char counter[16];

	snprintf(counter, sizeof(counter), "%u", count);
	hash = hash_text(hash, host_id);
	hash = hash_text(hash, wish->set->head.name);
	hash = hash_text(hash, wish->name);
	hash = hash_mix(hash_text(hash, counter));
	for (size_t i = 0; i < MAC_LEN; i++)
		ret[i] = (uint8_t)(hash >> (8 * i));
	if (wish->set->has_mac_prefix)
		memcpy(ret, wish->set->mac_prefix, sizeof(wish->set->mac_prefix));
	else
		ret[0] = (uint8_t)((ret[0] | 0x02) & ~0x01); /* locally administered, unicast */
}

static bool is_zero(const uint8_t mac[MAC_LEN])
{
	static const uint8_t zero[MAC_LEN];

	return memcmp(mac, zero, MAC_LEN) == 0;
}

/*
 * The MACs that links have: a table of places that is never more than half full, 0 for a free one.
 */
struct macs {
	uint64_t *at;
	size_t mask;
};

static int macs_init(struct macs *macs, size_t n)
{
	size_t size = 2;

	while (size < 2 * n + 2)
		size *= 2;
	macs->at = calloc(size, sizeof(*macs->at));
	macs->mask = size - 1;
	return macs->at ? 0 : -ENOMEM;
}

/* False when a link has it already. */
static bool macs_add(struct macs *macs, const uint8_t mac[MAC_LEN])
{
	uint64_t number = 0;
	size_t i;

	memcpy(&number, mac, MAC_LEN);
	for (i = hash_mix(number) & macs->mask; macs->at[i]; i = (i + 1) & macs->mask) {
		if (macs->at[i] == number)
			return false;
	}
	macs->at[i] = number;
	return true;
}

static int choose_mac(struct link_spec *spec, struct macs *macs, const char *host_id,
		      const struct link_wish *wish, struct err *err)
{
	uint8_t mac[MAC_LEN];

	for (unsigned int count = 0; count < MAC_TRIES; count++) {
		make_mac(mac, host_id, wish, count);
		if (mac_is_unicast(mac) && macs_add(macs, mac)) {
			memcpy(spec->mac, mac, MAC_LEN);
			return 0;
		}
	}
	return err_set(err, -ENOSPC, "could not choose a MAC for %s: none is free in its prefix",
		       wish->name);
}

static int choose_macs(struct link_spec *specs, const struct link_wish *wishes, size_t n,
		       const char *host_id, struct err *err)
{
	struct macs macs;
	int code = macs_init(&macs, n);

	if (code < 0)
		return err_errno(err, code, "could not choose MACs");
	for (size_t i = 0; i < n; i++) {
		if (!is_zero(specs[i].mac))
			macs_add(&macs, specs[i].mac);
	}
	for (size_t i = 0; code == 0 && i < n; i++) {
		if (is_zero(specs[i].mac))
			code = choose_mac(&specs[i], &macs, host_id, &wishes[i], err);
	}
	free(macs.at);
	return code;
}

static void fill(struct link_spec *spec, const struct link_wish *wish, uint32_t group)
{
	*spec = (struct link_spec){
		.kind = wish->keys->kind,
		.mode = wish->keys->mode,
		.flags = wish->keys->flags,
		.sources = wish->keys->sources,
		.mtu = wish->keys->mtu,
		.txqueuelen = wish->keys->txqueuelen,
		.bcqueuelen = wish->keys->bcqueuelen,
		.bccutoff = wish->keys->bccutoff,
		.group = group,
		.up = wish->keys->up,
		.is_host_link = wish->is_host_link,
		.anti_spoof = link_anti_spoof(wish->keys->anti_spoof, wish->keys->kind),
		.addresses = wish->keys->addresses,
		.n_given = wish->keys->addresses.n,
		.learns = wish->keys->learn == LEARN_DHCP,
		.hairpin = wish->set->hairpin,
	};

	if (wish->link && wish->link->netns)
		snprintf(spec->netns, sizeof(spec->netns), "%s", wish->link->netns);
	if (wish->link && wish->link->master)
		snprintf(spec->master, sizeof(spec->master), "%s", wish->link->master);
	if (wish->set->hairpin_port)
		snprintf(spec->hairpin_port, sizeof(spec->hairpin_port), "%s",
			 wish->set->hairpin_port);
	if (wish->is_host_link)
		spec->addrs = wish->set->host_addrs;
	snprintf(spec->name, sizeof(spec->name), "%s", wish->name);
	snprintf(spec->set, sizeof(spec->set), "%s", wish->set->head.name);
	snprintf(spec->lower, sizeof(spec->lower), "%s", wish->keys->lower);
	memcpy(spec->mac, wish->mac, MAC_LEN);
	for (size_t i = 0; wish->link && i < wish->link->altnames.n && i < LINK_ALTNAMES_MAX; i++)
		snprintf(spec->altnames[i], sizeof(spec->altnames[i]), "%s",
			 wish->link->altnames.v[i]);
}

/* Links of one set have one text; a name is looked up once. */
static int set_rights(struct link_spec *specs, size_t at, const struct link_wish *wishes,
		      struct err *err)
{
	struct tap_rights *tap = &specs[at].tap;
	const struct link_keys *keys = wishes[at].keys;
	int code = 0;

	if (at && strcmp(wishes[at - 1].keys->owner, keys->owner) == 0)
		*tap = (struct tap_rights){ specs[at - 1].guest_uid, specs[at - 1].guest_gid, 0 };
	else
		code = owner_find(keys->owner, &tap->uid, &tap->gid, err);
	specs[at].guest_uid = tap->uid;
	specs[at].guest_gid = tap->gid;
	tap->perms = keys->perms;
	/*
	 * Behind a relay nobody but the agent has business at the tap: a guest could get round its
	 * patterns.
	 */
	if (keys->monitor == MONITOR_INLINE)
		*tap = (struct tap_rights){ .perms = 0600 };
	return code ? err_prefix(err, code, "the owner of %s", wishes[at].name) : 0;
}

/* The programs of all links, one behind the other, and where those of each link begin. */
struct filters {
	struct bpf_op *ops;
	size_t n;
	size_t (*at)[LINK_HOOKS];
};

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool filter_alike(const struct link_keys *a, const struct link_keys *b)
{
	return is_same(a->filter, b->filter) &&
	       is_same(a->filter_from_guest, b->filter_from_guest) &&
	       is_same(a->filter_to_guest, b->filter_to_guest);
}

static int add_filter(struct filters *filters, struct link_spec *spec, size_t i,
		      const struct link_keys *keys, enum link_hook hook, struct err *err)
{
	struct bpf_code code = { 0 };
	struct bpf_op *ops = NULL;
	const char *key;
	int error = filter_compile(keys, hook, &code, &key, err);

	if (error) {
		err_prefix(err, error, "%s of %s", key, spec->name);
	} else if (code.n) {
		ops = reallocarray(filters->ops, filters->n + code.n, sizeof(*ops));
		error = ops ? 0 : -ENOMEM;
	}
	if (ops) {
		memcpy(ops + filters->n, code.ops, code.n * sizeof(*ops));
		filters->ops = ops;
		filters->at[i][hook] = filters->n;
		filters->n += code.n;
		spec->filters[hook].n = code.n;
	}
	bpf_code_done(&code);
	return error;
}

/* Links of one set have the same texts, and share what they are compiled to. */
static int compile_filters(struct filters *filters, struct link_spec *specs,
			   const struct link_wish *wishes, size_t n, struct err *err)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < n; i++) {
		const struct link_keys *keys = wishes[i].keys;

		if (i && filter_alike(keys, wishes[i - 1].keys)) {
			memcpy(specs[i].filters, specs[i - 1].filters, sizeof(specs[i].filters));
			memcpy(filters->at[i], filters->at[i - 1], sizeof(filters->at[i]));
			continue;
		}
		for (int hook = 0; code == 0 && hook < LINK_HOOKS; hook++)
			code = add_filter(filters, &specs[i], i, keys, (enum link_hook)hook, err);
	}
	return code;
}

static int hash_programs(struct link_spec *spec, struct bpf_code *program, struct err *err)
{
	int code = 0;

	for (int hook = 0; code == 0 && hook < LINK_HOOKS; hook++) {
		code = tc_program(spec, (enum link_hook)hook, program, err);
		if (code)
			return err_prefix(err, code, "the filter %s of %s", link_hook_names[hook],
					  spec->name);
		spec->programs[hook] = program->n ? tc_hash(program->ops, program->n) : 0;
	}
	return code;
}

int desired_learn(struct link_spec *spec, const struct leases *leases, int64_t now, struct err *err)
{
	const struct guest_addrs before = spec->addresses;
	struct bpf_code program = { 0 };
	int code;

	if (!spec->learns)
		return 0;
	spec->addresses.n = spec->n_given;
	leases_add_to(leases, spec->name, spec->mac, now, &spec->addresses);
	if (spec->addresses.n == before.n &&
	    memcmp(before.list, spec->addresses.list, before.n * sizeof(before.list[0])) == 0)
		return 0;
	code = hash_programs(spec, &program, err);
	bpf_code_done(&program);
	return code ? code : 1;
}

/* The programs are made by set_filters(), after this. */
static int add_leases(struct link_spec *specs, size_t n, const char *run_dir, struct err *err)
{
	struct leases leases = { 0 };
	bool any = false;
	int code = 0;

	for (size_t i = 0; i < n; i++)
		any = any || specs[i].learns;
	if (any)
		code = leases_load(&leases, run_dir, err);
	for (size_t i = 0; any && code == 0 && i < n; i++) {
		if (specs[i].learns)
			leases_add_to(&leases, specs[i].name, specs[i].mac, time(NULL),
				      &specs[i].addresses);
	}
	leases_done(&leases);
	return code;
}

/* The programs go behind the specs, so that one free() is for all. */
static int set_filters(struct link_spec **specs, const struct link_wish *wishes, size_t n,
		       struct err *err)
{
	struct filters filters = { .at = calloc(n + 1, sizeof(*filters.at)) };
	struct bpf_code program = { 0 };
	struct link_spec *grown;
	int code = filters.at ? compile_filters(&filters, *specs, wishes, n, err) : -ENOMEM;
	struct bpf_op *ops;

	if (code < 0)
		goto out;
	code = -ENOMEM;
	grown = realloc(*specs, (n + 1) * sizeof(*grown) + filters.n * sizeof(*ops));
	if (!grown)
		goto out;
	*specs = grown;
	ops = (void *)(grown + n + 1);
	if (filters.n)
		memcpy(ops, filters.ops, filters.n * sizeof(*ops));
	code = 0;
	for (size_t i = 0; code == 0 && i < n; i++) {
		for (int hook = 0; hook < LINK_HOOKS; hook++)
			grown[i].filters[hook].ops = ops + filters.at[i][hook];
		code = hash_programs(&grown[i], &program, err);
	}
out:
	if (code == -ENOMEM)
		err_errno(err, code, "could not make the filters");
	free(filters.at);
	free(filters.ops);
	bpf_code_done(&program);
	return code;
}

int desired_links(const struct config *config, const char *host_id, struct link_spec **ret,
		  size_t *ret_n, struct err *err)
{
	struct link_wish *wishes = NULL;
	struct link_spec *specs = NULL;
	size_t n = 0;
	int code;

	code = config_links(config, &wishes, &n, err);
	if (code < 0)
		return code;
	specs = calloc(n + 1, sizeof(*specs));
	if (!specs) {
		code = err_errno(err, -ENOMEM, "could not list the links");
		goto out;
	}
	for (size_t i = 0; code == 0 && i < n; i++) {
		fill(&specs[i], &wishes[i], config->agent.link_group);
		code = set_rights(specs, i, wishes, err);
	}
	if (code == 0)
		code = choose_macs(specs, wishes, n, host_id, err);
	if (code == 0)
		code = add_leases(specs, n, config->agent.run_dir, err);
	if (code == 0)
		code = set_filters(&specs, wishes, n, err);
	if (code < 0)
		goto out;
	*ret = specs;
	*ret_n = n;
	specs = NULL;
out:
	free(specs);
	free(wishes);
	return code;
}
