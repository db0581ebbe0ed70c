#include "agent/base/schema_type.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/config.h"
#include "agent/base/hint.h"
#include "agent/base/parse.h"
#include "agent/base/parse_boot.h"
#include "agent/base/schema_read.h"

struct type {
	const char *name;
	size_t size;
	int (*read)(const struct schema_reader *reader, const char *text, void *field,
		    struct err *err);
	void (*done)(void *field);
	schema_check check;
	bool (*format)(const void *field, struct buf *out);
};

/* ---- single values --------------------------------------------------------------------------- */

static int read_bool(const struct schema_reader *reader, const char *text, void *field,
		     struct err *err)
{
	(void)reader;
	return parse_bool(text, field, err);
}

static int read_u32(const struct schema_reader *reader, const char *text, void *field,
		    struct err *err)
{
	uint64_t max = reader->bounds->max ? reader->bounds->max : UINT32_MAX;
	uint32_t narrow;
	uint64_t value;
	int code = parse_u64(text, reader->bounds->min, max, &value, err);

	if (code)
		return code;
	narrow = (uint32_t)value;
	memcpy(field, &narrow, sizeof(narrow));
	return 0;
}

static int read_u64(const struct schema_reader *reader, const char *text, void *field,
		    struct err *err)
{
	uint64_t max = reader->bounds->max ? reader->bounds->max : UINT64_MAX;

	return parse_u64(text, reader->bounds->min, max, field, err);
}

static int read_size(const struct schema_reader *reader, const char *text, void *field,
		     struct err *err)
{
	uint64_t max = reader->bounds->max ? reader->bounds->max : UINT64_MAX;

	return parse_size(text, reader->bounds->min, max, field, err);
}

int schema_unknown_word(const struct schema_reader *reader, const char *text, struct err *err)
{
	const struct schema_bounds *b = reader->bounds;
	struct hint hint = hint_for(text);
	struct buf words;

	for (size_t i = 0; i < b->n_words; i++)
		hint_try(&hint, b->words[i]);
	if (hint.best)
		return err_set(err, -EINVAL, "unknown %s \"%s\": did you mean \"%s\"?",
			       reader->name, text, hint.best);
	buf_init(&words, 512);
	for (size_t i = 0; i < b->n_words; i++)
		buf_addf(&words, "%s%s", i ? ", " : "", b->words[i]);
	err_set(err, -EINVAL, "unknown %s \"%s\": it is one of %s", reader->name, text,
		words.data ? words.data : "none");
	buf_done(&words);
	return -EINVAL;
}

static int read_perms(const struct schema_reader *reader, const char *text, void *field,
		      struct err *err)
{
	size_t len = strlen(text);
	uint32_t perms;

	(void)reader;
	if (len < 3 || len > 4 || strspn(text, "01234567") != len || (len == 4 && *text != '0'))
		return err_set(err, -EINVAL,
			       "\"%s\" is not three octal digits, such as 660 for owner and group",
			       text);
	perms = (uint32_t)strtoul(text, NULL, 8);
	memcpy(field, &perms, sizeof(perms));
	return 0;
}

static int read_enum(const struct schema_reader *reader, const char *text, void *field,
		     struct err *err)
{
	for (unsigned int i = 0; i < reader->bounds->n_words; i++) {
		if (strcmp(text, reader->bounds->words[i]) == 0) {
			memcpy(field, &i, sizeof(i));
			return 0;
		}
	}
	return schema_unknown_word(reader, text, err);
}

static int read_cutoff(const struct schema_reader *reader, const char *text, void *field,
		       struct err *err)
{
	struct link_cutoff cutoff = { .set = true, .value = LINK_CUTOFF_OFF };
	uint64_t value;
	int code;

	(void)reader;
	if (strcmp(text, "keep") == 0)
		return 0;
	if (strcmp(text, "off") != 0) {
		code = parse_u64(text, 0, INT32_MAX, &value, err);
		if (code)
			return code;
		cutoff.value = (int32_t)value;
	}
	memcpy(field, &cutoff, sizeof(cutoff));
	return 0;
}

static int read_mac(const struct schema_reader *reader, const char *text, void *field,
		    struct err *err)
{
	uint8_t mac[MAC_LEN];
	int code;

	(void)reader;
	if (strcmp(text, "auto") == 0)
		return 0;
	code = parse_mac(text, mac, err);
	if (code)
		return code;
	if (!mac_is_unicast(mac))
		return err_set(err, -EINVAL, "%s is not a unicast address: a link cannot carry it",
			       text);
	memcpy(field, mac, MAC_LEN);
	return 0;
}

static bool format_mac_field(const void *field, struct buf *out)
{
	static const uint8_t automatic[MAC_LEN];
	char text[MAC_TEXT_MAX];

	if (memcmp(field, automatic, MAC_LEN) == 0)
		return false;
	format_mac(text, field);
	buf_adds(out, text);
	return true;
}

static int read_mac_prefix(const struct schema_reader *reader, const char *text, void *field,
			   struct err *err)
{
	uint8_t mac[MAC_LEN];
	char whole[MAC_TEXT_MAX];

	(void)reader;
	snprintf(whole, sizeof(whole), "%.8s%c00%c00%c00", text, ':', ':', ':');
	if (strlen(text) != 8 || parse_mac(whole, mac, NULL) < 0)
		return err_set(err, -EINVAL,
			       "\"%s\" is not the first half of a MAC address, such as 52:54:00",
			       text);
	if (mac[0] & 1)
		return err_set(err, -EINVAL,
			       "%s begins a multicast address: a link cannot carry it", text);
	memcpy(field, mac, 3);
	return 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

#define TEXT(doc, fn)                                                                 \
	{                                                                             \
		.name = (doc), .size = sizeof(char *), .read = schema_read_text,      \
		.done = schema_done_text, .check = (fn), .format = schema_format_text \
	}
#define LIST(doc, fn)                                                                        \
	{                                                                                    \
		.name = (doc), .size = sizeof(struct schema_list), .read = schema_read_strv, \
		.done = schema_done_strv, .check = (fn)                                      \
	}
#define PORTS(doc, fn)                                                           \
	{                                                                        \
		.name = (doc), .size = sizeof(struct schema_list), .read = (fn), \
		.done = schema_done_host_ports                                   \
	}

static const struct type types[SCHEMA_TYPES] = {
	[SCHEMA_BOOL] = { "yes|no", sizeof(bool), read_bool, NULL, NULL, NULL },
	[SCHEMA_U32] = { "NUMBER", sizeof(uint32_t), read_u32, NULL, NULL, NULL },
	[SCHEMA_U64] = { "NUMBER", sizeof(uint64_t), read_u64, NULL, NULL, NULL },
	[SCHEMA_SIZE] = { "SIZE", sizeof(uint64_t), read_size, NULL, NULL, NULL },
	[SCHEMA_PERMS] = { "OCTAL", sizeof(uint32_t), read_perms, NULL, NULL, NULL },
	[SCHEMA_ENUM] = { "WORD", sizeof(unsigned int), read_enum, NULL, NULL, NULL },
	[SCHEMA_FLAGS] = { "FLAG...", sizeof(uint32_t), schema_read_flags, NULL, NULL, NULL },
	[SCHEMA_CUTOFF] = { "NUMBER|off|keep", sizeof(struct link_cutoff), read_cutoff, NULL, NULL,
			    NULL },
	[SCHEMA_STRING] = TEXT("TEXT", NULL),
	[SCHEMA_REGEX] = TEXT("REGEX", schema_check_regex),
	[SCHEMA_PATH] = TEXT("PATH", schema_check_path),
	[SCHEMA_USER] = TEXT("USER", schema_check_user),
	[SCHEMA_OWNER] = TEXT("USER[:GROUP]", schema_check_owner),
	[SCHEMA_NAME] = TEXT("NAME", parse_name),
	[SCHEMA_IFNAME] = TEXT("INTERFACE", parse_ifname),
	[SCHEMA_NETNS] = TEXT("NAME|PID", parse_netns),
	[SCHEMA_IFNAME_TEMPLATE] = TEXT("TEMPLATE", schema_check_template),
	[SCHEMA_ISCSI_NAME] = TEXT("ISCSI-NAME", parse_iscsi_name),
	[SCHEMA_HOSTNAME] = TEXT("HOSTNAME", parse_hostname),
	[SCHEMA_UUID] = TEXT("UUID", parse_uuid),
	[SCHEMA_NET_ADDRESS] = TEXT("ADDRESS/BITS|dhcp", schema_check_net_address),
	[SCHEMA_IP] = TEXT("ADDRESS", parse_ip),
	[SCHEMA_CRYPT_HASH] = TEXT("HASH", parse_crypt_hash),
	[SCHEMA_SOURCE] = TEXT("PATH|URL", parse_boot_source),
	[SCHEMA_CMDLINE] = TEXT("WORDS", parse_cmdline),
	[SCHEMA_CHAP_USER] = TEXT("TEXT", parse_chap_user),
	[SCHEMA_SUITE] = TEXT("RELEASE", parse_suite),
	[SCHEMA_SECRET] = { "HEX", sizeof(char *), schema_read_secret, schema_done_secret, NULL,
			    schema_format_secret },
	[SCHEMA_MAC] = { "MAC|auto", MAC_LEN, read_mac, NULL, NULL, format_mac_field },
	[SCHEMA_MAC_PREFIX] = { "XX:XX:XX", 3, read_mac_prefix, NULL, NULL, NULL },
	[SCHEMA_SOURCES] = { "MAC...", sizeof(struct link_sources), schema_read_sources, NULL, NULL,
			     NULL },
	[SCHEMA_CIDRS] = { "ADDRESS/PREFIX...", sizeof(struct link_addrs), schema_read_cidrs, NULL,
			   NULL, NULL },
	[SCHEMA_PREFIXES] = { "ADDRESS[/BITS]...", sizeof(struct guest_addrs), schema_read_prefixes,
			      NULL, NULL, NULL },
	[SCHEMA_NAMES] = LIST("NAME...", parse_name),
	[SCHEMA_GROUPS] = LIST("GROUP...", schema_check_group),
	[SCHEMA_GLOBS] = LIST("GLOB...", schema_check_glob),
	[SCHEMA_ALTNAMES] = LIST("NAME...", parse_altname),
	[SCHEMA_IPS] = LIST("ADDRESS...", parse_ip),
	[SCHEMA_PORTALS] = PORTS("HOST[:PORT]...", schema_read_portals),
	[SCHEMA_LISTENS] = PORTS("ADDRESS:PORT...", schema_read_listens),
};

const char *schema_type_name(enum schema_type type)
{
	return types[type].name;
}

size_t schema_type_size(enum schema_type type)
{
	return types[type].size;
}

const char *schema_type_nth_name(enum schema_type type, const void *field, size_t i)
{
	struct strv list = { 0 };
	char *one;

	if (type == SCHEMA_NAME) {
		memcpy(&one, field, sizeof(one));
		return i == 0 ? one : NULL;
	}
	if (type == SCHEMA_NAMES)
		memcpy(&list, field, sizeof(list));
	return i < list.n ? list.v[i] : NULL;
}

int schema_type_read(enum schema_type type, const struct schema_bounds *bounds, const char *name,
		     const char *text, void *field, struct err *err)
{
	const struct schema_reader reader = { bounds, name, types[type].check };

	return types[type].read(&reader, text, field, err);
}

void schema_type_done(enum schema_type type, void *field)
{
	if (types[type].done)
		types[type].done(field);
}

bool schema_type_format(enum schema_type type, const void *field, struct buf *out)
{
	return types[type].format && types[type].format(field, out);
}
