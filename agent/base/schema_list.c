#include "agent/base/schema_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/config.h"
#include "agent/base/parse.h"

_Static_assert(offsetof(struct strv, n) == offsetof(struct schema_list, n), "strv is a list");
_Static_assert(offsetof(struct target_conf, n_portals) ==
		       offsetof(struct target_conf, portals) + offsetof(struct schema_list, n),
	       "portals are a list");
_Static_assert(offsetof(struct web_conf, n_boot_listen) ==
		       offsetof(struct web_conf, boot_listen) + offsetof(struct schema_list, n),
	       "boot_listen is a list");

void schema_done_strv(void *field)
{
	struct strv list;

	memcpy(&list, field, sizeof(list));
	for (size_t i = 0; i < list.n; i++)
		free(list.v[i]);
	free(list.v);
}

static size_t count_items(const char *text)
{
	size_t n = 0;

	for (text += strspn(text, " \t,"); *text; n++) {
		text += strcspn(text, " \t,");
		text += strspn(text, " \t,");
	}
	return n;
}

/* The next item of `*text`, allocated; or NULL at the end and for want of memory. */
static char *next_item(const char **text)
{
	const char *start = *text + strspn(*text, " \t,");
	size_t len = strcspn(start, " \t,");

	*text = start + len;
	return len ? strndup(start, len) : NULL;
}

int schema_read_strv(const struct schema_reader *reader, const char *text, void *field,
		     struct err *err)
{
	size_t n = count_items(text);
	struct strv list = { .v = calloc(n + 1, sizeof(*list.v)) };
	int code = 0;

	if (!list.v)
		return -ENOMEM;
	while (!code && list.n < n) {
		char *item = next_item(&text);

		if (!item) {
			code = -ENOMEM;
			break;
		}
		list.v[list.n++] = item;
		code = reader->check(item, err);
	}
	if (code) {
		schema_done_strv(&list);
		return code;
	}
	memcpy(field, &list, sizeof(list));
	return 0;
}

static int add_flag(const struct schema_reader *reader, const char *item, uint32_t *flags,
		    struct err *err)
{
	const struct schema_bounds *b = reader->bounds;
	size_t i = 0;

	while (i < b->n_words && strcmp(item, b->words[i]) != 0)
		i++;
	if (i == b->n_words)
		return schema_unknown_word(reader, item, err);
	if (*flags & 1u << i)
		return err_set(err, -EINVAL, "%s is given twice", item);
	*flags |= 1u << i;
	return 0;
}

int schema_read_flags(const struct schema_reader *reader, const char *text, void *field,
		      struct err *err)
{
	size_t left = strcmp(text, "none") == 0 ? 0 : count_items(text);
	uint32_t flags = 0;
	int code = 0;

	for (; left && !code; left--) {
		char *item = next_item(&text);

		code = item ? add_flag(reader, item, &flags, err) : -ENOMEM;
		free(item);
	}
	if (!code)
		memcpy(field, &flags, sizeof(flags));
	return code;
}

static int add_source(struct link_sources *sources, const char *item, struct err *err)
{
	uint8_t mac[MAC_LEN];
	int code = parse_mac(item, mac, err);

	if (code)
		return code;
	if (!mac_is_unicast(mac))
		return err_set(err, -EINVAL, "%s is not a unicast address: no frame comes from it",
			       item);
	if (link_sources_have(sources, mac))
		return err_set(err, -EINVAL, "%s is given twice", item);
	memcpy(sources->macs[sources->n++], mac, MAC_LEN);
	return 0;
}

int schema_read_sources(const struct schema_reader *reader, const char *text, void *field,
			struct err *err)
{
	struct link_sources sources = { 0 };
	size_t left = count_items(text);
	int code = 0;

	(void)reader;
	if (left > LINK_SOURCES_MAX)
		return err_set(err, -EINVAL, "%zu addresses are too many: at most %d", left,
			       LINK_SOURCES_MAX);
	for (; left && !code; left--) {
		char *item = next_item(&text);

		code = item ? add_source(&sources, item, err) : -ENOMEM;
		free(item);
	}
	if (!code)
		memcpy(field, &sources, sizeof(sources));
	return code;
}

int schema_read_cidrs(const struct schema_reader *reader, const char *text, void *field,
		      struct err *err)
{
	struct link_addrs addrs = { 0 };
	size_t left = count_items(text);
	int code = 0;

	(void)reader;
	if (left > LINK_ADDRS_MAX)
		return err_set(err, -EINVAL, "%zu addresses are too many: at most %d", left,
			       LINK_ADDRS_MAX);
	for (; left && !code; left--) {
		char *item = next_item(&text);
		struct cidr cidr;

		code = item ? parse_cidr(item, &cidr, err) : -ENOMEM;
		if (!code && link_addrs_have(&addrs, &cidr))
			code = err_set(err, -EINVAL, "%s is given twice", item);
		if (!code)
			addrs.list[addrs.n++] = cidr;
		free(item);
	}
	if (!code)
		memcpy(field, &addrs, sizeof(addrs));
	return code;
}

static bool has_address(const struct guest_addrs *addresses, const struct cidr *one)
{
	for (uint32_t i = 0; i < addresses->n; i++) {
		if (memcmp(&addresses->list[i], one, sizeof(*one)) == 0)
			return true;
	}
	return false;
}

static int add_address(struct guest_addrs *addresses, const char *item, struct err *err)
{
	struct cidr address;
	int code = parse_prefix(item, &address, err);

	if (code)
		return code;
	if (has_address(addresses, &address))
		return err_set(err, -EINVAL, "%s is given twice", item);
	addresses->list[addresses->n++] = address;
	return 0;
}

int schema_read_prefixes(const struct schema_reader *reader, const char *text, void *field,
			 struct err *err)
{
	struct guest_addrs addresses = { 0 };
	size_t left = count_items(text);
	int code = 0;

	(void)reader;
	if (left > GUEST_ADDRS_MAX)
		return err_set(err, -EINVAL, "%zu addresses are too many: at most %d", left,
			       GUEST_ADDRS_MAX);
	for (; left && !code; left--) {
		char *item = next_item(&text);

		code = item ? add_address(&addresses, item, err) : -ENOMEM;
		free(item);
	}
	if (!code)
		memcpy(field, &addresses, sizeof(addresses));
	return code;
}

/* A PCRE2 group: a number, or a name as pcre2pattern(3) says. */
int schema_check_group(const char *text, struct err *err)
{
	uint64_t number;
	size_t len = strlen(text);

	if (isdigit((unsigned char)text[0]))
		return parse_u64(text, 0, UINT16_MAX, &number, err);
	for (const char *p = text; *p; p++) {
		if (!isalnum((unsigned char)*p) && *p != '_')
			return err_set(err, -EINVAL, "\"%s\" is not the name or number of a group",
				       text);
	}
	if (len > 32)
		return err_set(err, -EINVAL, "\"%s\": a group's name has at most 32 characters",
			       text);
	return 0;
}

int schema_check_glob(const char *text, struct err *err)
{
	(void)text;
	(void)err;
	return 0;
}

static int read_host_ports(const struct schema_reader *reader, const char *text, uint16_t port,
			   bool names, void *field, struct err *err)
{
	size_t n = count_items(text);
	struct host_port *list = n ? calloc(n, sizeof(*list)) : NULL;
	struct schema_list ret = { .v = list, .n = n };
	int code = 0;

	if (n == 0)
		return err_set(err, -EINVAL, "a value is missing");
	for (size_t i = 0; list && !code && i < n; i++) {
		char *item = next_item(&text);

		code = item ? parse_host_port(item, port, &list[i], err) : -ENOMEM;
		if (!code && list[i].name && !names)
			code = err_set(err, -EINVAL,
				       "\"%s\" is a name: %s takes addresses, as 192.0.2.1:8080",
				       item, reader->name);
		free(item);
	}
	if (!list || code) {
		free(list);
		return code ? code : -ENOMEM;
	}
	memcpy(field, &ret, sizeof(ret));
	return 0;
}

int schema_read_portals(const struct schema_reader *reader, const char *text, void *field,
			struct err *err)
{
	return read_host_ports(reader, text, ISCSI_PORT, true, field, err);
}

int schema_read_listens(const struct schema_reader *reader, const char *text, void *field,
			struct err *err)
{
	return read_host_ports(reader, text, 0, false, field, err);
}

void schema_done_host_ports(void *field)
{
	struct schema_list list;

	memcpy(&list, field, sizeof(list));
	free(list.v);
}
