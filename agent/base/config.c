#include "agent/base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/config_cross.h"
#include "agent/base/name_template.h"
#include "agent/base/schema.h"

/* ---- loading and writing --------------------------------------------------------------------- */

/* A set's links are called after it unless it says otherwise. */
static int default_names(struct config *config)
{
	for (size_t i = 0; i < config->n_sets; i++) {
		struct set_conf *set = &config->sets[i];

		set->has_mac_prefix = schema_has(&config_schema, "set", &set->head, "mac-prefix");
		if (schema_has(&config_schema, "set", &set->head, "name"))
			continue;
		if (asprintf(&set->name, "%s%%d", set->head.name) < 0) {
			set->name = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

/* `ini` belongs to the configuration from here on; `name` is what a fault of no line is about. */
static int build(struct ini *ini, const char *name, bool internal, struct config **ret,
		 struct faults *faults)
{
	struct config *config = calloc(1, sizeof(*config));
	int code = -ENOMEM;

	if (!config) {
		ini_free(ini);
		goto out;
	}
	config->ini = ini;
	code = schema_fill(&config_schema, ini, internal, config, faults);
	if (!code)
		code = default_names(config);
	if (!code) {
		schema_check_references(&config_schema, config, faults);
		code = config_cross_check(config, faults);
	}
out:
	if (code) {
		faults_add(faults, name, 0, NULL, NULL, "cannot be read: %s", strerror(-code));
		config_free(config);
		return -EINVAL;
	}
	*ret = config;
	return 0;
}

/* A configuration with a fault is none. */
static int settle(int code, struct config *config, struct config **ret, struct faults *faults)
{
	faults_sort(faults);
	if (code == 0 && faults->n == 0 && faults->n_dropped == 0) {
		*ret = config;
		return 0;
	}
	config_free(config);
	return -EINVAL;
}

int config_read(const char *path, struct config **ret, struct faults *faults)
{
	struct ini *ini;
	int code = ini_load(path, &ini, faults);

	return code == 0 ? build(ini, path, false, ret, faults) : -EINVAL;
}

int config_load(const char *path, struct config **ret, struct faults *faults)
{
	struct config *config = NULL;
	int code = config_read(path, &config, faults);

	return settle(code, config, ret, faults);
}

int config_load_fd(int fd, struct config **ret, struct faults *faults)
{
	static const char name[] = "configuration";
	struct config *config = NULL;
	struct ini *ini;
	int code = ini_load_fd(fd, name, &ini, faults);

	if (code == 0)
		code = build(ini, name, true, &config, faults);
	return settle(code, config, ret, faults);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	schema_done(&config_schema, config);
	ini_free(config->ini);
	free(config);
}

int config_write(const struct config *config, enum config_role role, struct buf *out,
		 struct err *err)
{
	return schema_write(&config_schema, config, role, out, err);
}

static int compare_links(const void *a, const void *b)
{
	const struct link_conf *x = *(const struct link_conf *const *)a;
	const struct link_conf *y = *(const struct link_conf *const *)b;

	return strcmp(x->head.name, y->head.name);
}

/* The [link] sections in the order of their names, for bsearch(); the caller frees it. */
static const struct link_conf **sort_links(const struct config *config)
{
	const struct link_conf **by_name =
		calloc(config->n_links + 1, sizeof(const struct link_conf *));

	for (size_t i = 0; by_name && i < config->n_links; i++)
		by_name[i] = &config->links[i];
	if (by_name)
		qsort(by_name, config->n_links, sizeof(const struct link_conf *), compare_links);
	return by_name;
}

static const struct link_conf *find_link(const struct link_conf *const *by_name, size_t n,
					 const char *name)
{
	const struct link_conf key = { .head.name = name };
	const struct link_conf *const pointer = &key;
	const struct link_conf *const *found =
		bsearch(&pointer, by_name, n, sizeof(pointer), compare_links);

	return found ? *found : NULL;
}

static int add_pin(struct config *config, const struct config_pin *pin)
{
	struct link_conf link = { .head.name = strdup(pin->name), .set = strdup(pin->set) };

	if (!link.head.name || !link.set) {
		free((char *)link.head.name);
		free(link.set);
		return -ENOMEM;
	}
	memcpy(link.mac, pin->mac, MAC_LEN);
	config->links[config->n_links++] = link;
	return 0;
}

int config_pin_macs(struct config *config, const struct config_pin *pins, size_t n)
{
	const size_t n_links = config->n_links;
	struct link_conf *links = realloc(config->links, (n_links + n + 1) * sizeof(*links));
	const struct link_conf **by_name;
	int code = 0;

	if (!links)
		return -ENOMEM;
	config->links = links;
	by_name = sort_links(config);
	if (!by_name)
		return -ENOMEM;
	for (size_t i = 0; i < n && code == 0; i++) {
		const struct link_conf *known = find_link(by_name, n_links, pins[i].name);

		if (known)
			memcpy(links[known - links].mac, pins[i].mac, MAC_LEN);
		else
			code = add_pin(config, &pins[i]);
	}
	free(by_name);
	return code;
}

/* ---- links ----------------------------------------------------------------------------------- */

struct link_maker {
	const struct config *config;
	const struct link_conf **by_name; /* the [link] sections, sorted */
	bool *numbered; /* per [link] section: it says more of one of the links of a count */
	struct link_wish *wishes;
	size_t n;
	struct link_keys *merged; /* room for those of the next link that has its own */
};

static int add_wish(struct link_maker *maker, const struct set_conf *set,
		    const struct link_conf *link, const char *name, struct err *err)
{
	struct link_wish *wish = &maker->wishes[maker->n];

	if (maker->n >= CONFIG_LINKS_MAX)
		return err_set(err, -E2BIG, "more than %d links: nobody could count their frames",
			       CONFIG_LINKS_MAX);
	*wish = (struct link_wish){ .set = set, .link = link, .keys = &set->keys };
	snprintf(wish->name, sizeof(wish->name), "%s", name);
	if (link) {
		*maker->merged = set->keys;
		schema_override(&config_schema, "link", &link->head, &link->keys, maker->merged);
		wish->keys = maker->merged++;
		memcpy(wish->mac, link->mac, MAC_LEN);
	}
	maker->n++;
	return 0;
}

/* The host's own leg: nothing of what the set says of its guests, but a section of its own may. */
static int add_host_link(struct link_maker *maker, const struct set_conf *set, struct err *err)
{
	struct link_keys *keys = maker->merged++;
	const struct link_conf *link;
	struct link_wish *wish;
	int code;

	if (!set->host_link)
		return 0;
	link = find_link(maker->by_name, maker->config->n_links, set->host_link);
	if (link && strcmp(link->set, set->head.name) != 0)
		link = NULL;
	wish = &maker->wishes[maker->n];
	code = add_wish(maker, set, link, set->host_link, err);
	if (code)
		return code;
	*keys = (struct link_keys){
		.lower = set->keys.lower,
		.mtu = set->keys.mtu,
		.queues = 1,
		.owner = set->keys.owner,
		.perms = set->keys.perms,
		.up = set->keys.up,
	};
	if (link)
		schema_override(&config_schema, "link", &link->head, &link->keys, keys);
	keys->kind = LINK_KIND_MACVLAN;
	keys->mode = LINK_MODE_BRIDGE;
	wish->keys = keys;
	wish->is_host_link = true;
	return 0;
}

/* The links that the set's count makes; a [link] section of this set may say more of one. */
static int add_numbered(struct link_maker *maker, const struct set_conf *set, struct err *err)
{
	char name[IFNAME_SIZE];
	int code = 0;

	for (uint32_t i = 1; i <= set->count && !code; i++) {
		const struct link_conf *link;

		code = name_template_format(set->name, i, name, err);
		if (code)
			return err_prefix(err, code, "[set %s] name", set->head.name);
		link = find_link(maker->by_name, maker->config->n_links, name);
		if (link && strcmp(link->set, set->head.name) != 0)
			link = NULL;
		if (link)
			maker->numbered[link - maker->config->links] = true;
		code = add_wish(maker, set, link, name, err);
	}
	return code;
}

/* The [link] sections that are none of the set's numbered links. */
static int add_named(struct link_maker *maker, const struct set_conf *set, struct err *err)
{
	int code = 0;

	for (size_t i = 0; i < maker->config->n_links && !code; i++) {
		const struct link_conf *link = maker->by_name[i];

		if (maker->numbered[link - maker->config->links] ||
		    strcmp(link->set, set->head.name) != 0 ||
		    (set->host_link && strcmp(link->head.name, set->host_link) == 0))
			continue;
		code = parse_ifname(link->head.name, err);
		if (code)
			code = err_prefix(err, code, "[link %s]", link->head.name);
		else
			code = add_wish(maker, set, link, link->head.name, err);
	}
	return code;
}

int config_links(const struct config *config, struct link_wish **ret, size_t *ret_n,
		 struct err *err)
{
	struct link_maker maker = { .config = config };
	size_t max = config->n_links;
	int code = 0;

	for (size_t i = 0; i < config->n_sets && max < CONFIG_LINKS_MAX; i++)
		max += config->sets[i].count + (config->sets[i].host_link != NULL);
	if (max > CONFIG_LINKS_MAX)
		max = CONFIG_LINKS_MAX;
	maker.by_name = sort_links(config);
	maker.numbered = calloc(config->n_links + 1, sizeof(*maker.numbered));
	/* Keys of their own have the links with sections, and a host link of each set. */
	maker.wishes =
		calloc(1, (max + 1) * sizeof(*maker.wishes) +
				  (config->n_links + config->n_sets) * sizeof(*maker.merged));
	if (!maker.by_name || !maker.numbered || !maker.wishes) {
		code = err_errno(err, -ENOMEM, "cannot list the links");
		goto out;
	}
	maker.merged = (void *)(maker.wishes + max + 1);
	for (size_t i = 0; i < config->n_sets && !code; i++) {
		code = add_numbered(&maker, &config->sets[i], err);
		if (!code)
			code = add_named(&maker, &config->sets[i], err);
		if (!code)
			code = add_host_link(&maker, &config->sets[i], err);
	}
	if (code)
		goto out;
	*ret = maker.wishes;
	*ret_n = maker.n;
	maker.wishes = NULL;
out:
	free(maker.by_name);
	free(maker.numbered);
	free(maker.wishes);
	return code;
}

bool link_wish_says(const struct link_wish *wish, const char *key)
{
	return wish->link && schema_has(&config_schema, "link", &wish->link->head, key);
}

const struct conf_head *link_wish_head(const struct link_wish *wish, const char *key)
{
	return link_wish_says(wish, key) ? &wish->link->head : &wish->set->head;
}

/* ---- finding --------------------------------------------------------------------------------- */

#define FIND(array)                                                        \
	do {                                                               \
		for (size_t i = 0; i < config->n_##array; i++) {           \
			if (strcmp(config->array[i].head.name, name) == 0) \
				return &config->array[i];                  \
		}                                                          \
		return NULL;                                               \
	} while (0)

const struct set_conf *config_find_set(const struct config *config, const char *name)
{
	FIND(sets);
}

const struct target_conf *config_find_target(const struct config *config, const char *name)
{
	FIND(targets);
}

const struct guest_conf *config_find_guest(const struct config *config, const char *name)
{
	FIND(guests);
}

const struct guest_conf *config_guest_of_link(const struct config *config, const char *link)
{
	for (size_t i = 0; i < config->n_guests; i++) {
		if (strcmp(config->guests[i].link, link) == 0)
			return &config->guests[i];
	}
	return NULL;
}

bool config_wants_pattern(const struct strv *patterns, const char *pattern)
{
	for (size_t i = 0; i < patterns->n; i++) {
		if (strcmp(patterns->v[i], "all") == 0 || strcmp(patterns->v[i], pattern) == 0)
			return true;
	}
	return false;
}
