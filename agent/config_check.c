#include "agent/config_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/parse_boot.h"
#include "agent/base/plural.h"
#include "agent/base/schema.h"
#include "agent/config_web.h"
#include "agent/packet_socket.h"
#include "agent/filter_compile.h"
#include "agent/owner.h"
#include "capture/extract_range.h"
#include "capture/pattern.h"
#include "web/encode_ipxe.h"

/* pattern_compile() begins its text with the key that is wrong. */
static const char *key_of(const char *text, const char **ret_rest)
{
	static const char *const keys[] = { "regex",  "preceded-by", "followed-by",
					    "groups", "begin",	     "end" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t len = strlen(keys[i]);

		if (strncmp(text, keys[i], len) == 0 && strncmp(text + len, ": ", 2) == 0) {
			*ret_rest = text + len + 2;
			return keys[i];
		}
	}
	*ret_rest = text;
	return "regex";
}

static void check_pattern(const struct pattern_conf *conf, struct faults *faults)
{
	struct extract_range_rule range = { .begin = NULL };
	struct pattern *pattern = NULL;
	const char *key, *text;
	struct err err;

	if (!conf->regex)
		return;
	if (pattern_compile(conf, &pattern, &err) ||
	    (conf->begin && conf->end && extract_range_compile(conf, &range, &err))) {
		key = key_of(err.text, &text);
		schema_fault(faults, &conf->head, key, "%s", text);
	}
	extract_range_rule_done(&range);
	pattern_free(pattern);
}

static void check_owner(const struct conf_head *head, const struct link_keys *keys,
			struct faults *faults)
{
	uint32_t uid, gid;
	struct err err;

	if (keys->owner && owner_find(keys->owner, &uid, &gid, &err))
		schema_fault(faults, head, "owner", "%s", err.text);
}

static void check_filter(const struct conf_head *head, const struct link_keys *keys,
			 enum link_hook hook, struct faults *faults)
{
	struct bpf_code code = { 0 };
	const char *key;
	struct err err;

	if (filter_compile(keys, hook, &code, &key, &err))
		schema_fault(faults, head, key, "%s", err.text);
	bpf_code_done(&code);
}

/* A fault of `filter` is found at either hook, and told once. */
static void check_filters(const struct conf_head *head, const struct link_keys *keys,
			  struct faults *faults)
{
	size_t before = faults->n;
	struct link_keys one = *keys;

	check_filter(head, keys, LINK_HOOK_FROM_GUEST, faults);
	if (faults->n != before)
		one.filter = NULL;
	check_filter(head, &one, LINK_HOOK_TO_GUEST, faults);
}

static void check_keys(const struct conf_head *head, const struct link_keys *keys,
		       struct faults *faults)
{
	check_owner(head, keys, faults);
	check_filters(head, keys, faults);
}

/* What mac+ip needs beside it, one of the two. */
static bool has_addresses(const struct link_keys *keys)
{
	return keys->addresses.n > 0 || keys->learn != LEARN_OFF;
}

/* A link may have none of its set's learning. */
static void check_servers(const struct link_wish *wish, struct faults *faults)
{
	if (wish->keys->learn == LEARN_OFF && wish->keys->dhcp_servers.n &&
	    (link_wish_says(wish, "dhcp-servers") || !link_wish_says(wish, "learn")))
		schema_fault(faults, link_wish_head(wish, "dhcp-servers"), "dhcp-servers",
			     "it is for learn = dhcp");
}

static void check_learning(const struct link_wish *wish, struct faults *faults)
{
	const struct link_keys *keys = wish->keys;

	if (keys->learn == LEARN_OFF)
		return;
	if (keys->monitor == MONITOR_OFF)
		schema_fault(faults, link_wish_head(wish, "learn"), "learn",
			     "link \"%s\" is not watched: monitor = off", wish->name);
	else if (wish->link && wish->link->netns)
		schema_fault(faults, link_wish_head(wish, "learn"), "learn",
			     "link \"%s\" is not watched: it is in another network namespace",
			     wish->name);
}

/* A link may say that it is less strict than its set, whose addresses it then has for nothing. */
static void check_addresses(const struct link_wish *wish, struct faults *faults)
{
	const bool strict = wish->keys->anti_spoof == ANTI_SPOOF_MAC_IP;
	const char *given = wish->keys->learn != LEARN_OFF ? "learn" : "addresses";
	const char *key = strict ? "anti-spoof" : given;

	check_servers(wish, faults);
	if (strict)
		check_learning(wish, faults);
	if (strict == has_addresses(wish->keys))
		return;
	if (strict)
		schema_fault(faults, link_wish_head(wish, key), key,
			     "addresses is missing beside it, or learn: what may link \"%s\" send "
			     "from?",
			     wish->name);
	else if (link_wish_says(wish, key) || !link_wish_says(wish, "anti-spoof"))
		schema_fault(faults, link_wish_head(wish, key), key,
			     "it is for anti-spoof = mac+ip, and link \"%s\" has %s", wish->name,
			     anti_spoof_names[link_anti_spoof(wish->keys->anti_spoof,
							      wish->keys->kind)]);
}

/* Told of the first link that each section is at fault for. */
static void check_all_addresses(const struct link_wish *wishes, size_t n, struct faults *faults)
{
	size_t before;

	for (size_t i = 0; i < n; i++) {
		before = faults->n;
		check_addresses(&wishes[i], faults);
		if (faults->n == before)
			continue;
		while (i + 1 < n && wishes[i + 1].set == wishes[i].set)
			i++;
	}
}

/*
 * Words that only iPXE's script has, and that it cannot carry: told now, not to a guest that boots.
 */
static void check_cmdlines(const struct guest_conf *guest, struct faults *faults)
{
	const struct {
		const char *key, *words;
	} lines[] = {
		{ "cmdline", guest->boot == BOOT_KERNEL ? guest->cmdline : NULL },
		{ "install-cmdline", guest->install_cmdline },
		{ "rescue-cmdline", guest->rescue_cmdline },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *words = lines[i].words;
		struct err err;
		struct buf out;

		buf_init(&out, 2 * CMDLINE_MAX);
		if (words && *words && encode_ipxe_text(&out, "it", words, strlen(words), &err))
			schema_fault(faults, &guest->head, lines[i].key, "%s", err.text);
		buf_done(&out);
	}
}

static int size_rings(const struct config *config, const struct link_wish *wishes, size_t n,
		      uint32_t *ret_block_size, uint32_t *ret_blocks, struct err *err)
{
	uint32_t watched = 0;

	for (size_t i = 0; i < n; i++)
		watched += wishes[i].keys->monitor == MONITOR_PASSIVE;
	return packet_ring_size(config->agent.ring_memory, watched, ret_block_size, ret_blocks,
				err);
}

int config_rings(const struct config *config, uint32_t *ret_block_size, uint32_t *ret_blocks,
		 struct err *err)
{
	struct link_wish *wishes;
	size_t n;
	int code = config_links(config, &wishes, &n, err);

	if (code)
		return code;
	code = size_rings(config, wishes, n, ret_block_size, ret_blocks, err);
	free(wishes);
	return code;
}

static void check_links(const struct config *config, struct faults *faults)
{
	uint32_t block_size, blocks;
	struct link_wish *wishes = NULL;
	struct err err;
	size_t n = 0;

	if (config_links(config, &wishes, &n, &err) ||
	    size_rings(config, wishes, n, &block_size, &blocks, &err))
		schema_fault(faults, &config->agent.head, "ring-memory", "%s", err.text);
	check_all_addresses(wishes, n, faults);
	free(wishes);
}

int config_check(const char *path, struct config **ret, struct faults *faults)
{
	struct config *config = NULL;
	int code = config_read(path, &config, faults);

	for (size_t i = 0; code == 0 && i < config->n_patterns; i++)
		check_pattern(&config->patterns[i], faults);
	if (code == 0)
		config_check_web(config, faults);
	/* What links there are can be told only of a configuration without faults. */
	if (code == 0 && faults->n == 0)
		check_links(config, faults);
	for (size_t i = 0; code == 0 && i < config->n_guests; i++)
		check_cmdlines(&config->guests[i], faults);
	for (size_t i = 0; code == 0 && i < config->n_sets; i++)
		check_keys(&config->sets[i].head, &config->sets[i].keys, faults);
	for (size_t i = 0; code == 0 && i < config->n_links; i++)
		check_keys(&config->links[i].head, &config->links[i].keys, faults);
	faults_sort(faults);
	if (code || faults->n || faults->n_dropped) {
		config_free(config);
		return -EINVAL;
	}
	*ret = config;
	return 0;
}

void config_print_faults(const struct faults *faults, FILE *out)
{
	struct buf line;

	buf_init(&line, 1 << 16);
	for (size_t i = 0; i < faults->n; i++) {
		buf_reset(&line);
		fault_format(&faults->list[i], &line);
		fprintf(out, "%s\n", line.data ? line.data : "a fault that has no room here");
	}
	buf_done(&line);
	if (faults->n_dropped)
		fprintf(out, "%zu more %s not shown\n", faults->n_dropped,
			plural(faults->n_dropped, "fault is", "faults are"));
}
