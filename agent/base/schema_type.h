/*
 * The types of configuration values: how a text becomes a field, and what is freed of it. Pure.
 */
#ifndef TW_SCHEMA_TYPE_H
#define TW_SCHEMA_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"

enum schema_type {
	SCHEMA_BOOL, /* bool */
	SCHEMA_U32, /* uint32_t */
	SCHEMA_U64, /* uint64_t */
	SCHEMA_SIZE, /* uint64_t, bytes */
	SCHEMA_PERMS, /* uint32_t, permission bits */
	SCHEMA_ENUM, /* an enum, one of bounds.words */
	SCHEMA_FLAGS, /* uint32_t, a mask of 1 << place in bounds.words */
	SCHEMA_CUTOFF, /* struct link_cutoff; all zero for "keep" */
	SCHEMA_STRING, /* char *, as all down to SCHEMA_SECRET */
	SCHEMA_REGEX,
	SCHEMA_PATH,
	SCHEMA_USER,
	SCHEMA_OWNER,
	SCHEMA_NAME,
	SCHEMA_IFNAME,
	SCHEMA_NETNS,
	SCHEMA_IFNAME_TEMPLATE,
	SCHEMA_ISCSI_NAME,
	SCHEMA_HOSTNAME,
	SCHEMA_UUID,
	SCHEMA_NET_ADDRESS,
	SCHEMA_IP,
	SCHEMA_CRYPT_HASH,
	SCHEMA_SOURCE,
	SCHEMA_CMDLINE,
	SCHEMA_CHAP_USER,
	SCHEMA_SUITE,
	SCHEMA_SECRET, /* in the text as hex digits, so that every byte has a form */
	SCHEMA_MAC, /* uint8_t[6]; all zero for "auto" */
	SCHEMA_MAC_PREFIX, /* uint8_t[3] */
	SCHEMA_SOURCES, /* struct link_sources */
	SCHEMA_CIDRS, /* struct link_addrs */
	SCHEMA_PREFIXES, /* struct guest_addrs */
	SCHEMA_NAMES, /* struct strv, as the next four */
	SCHEMA_GROUPS,
	SCHEMA_GLOBS,
	SCHEMA_ALTNAMES,
	SCHEMA_IPS,
	SCHEMA_PORTALS, /* struct host_port *, then its length as size_t; as the next */
	SCHEMA_LISTENS,
	SCHEMA_TYPES
};

/* What a type leaves to the key: a range of numbers, of lengths of text, or the allowed words. */
struct schema_bounds {
	uint64_t min, max; /* 0, 0: as the type itself allows */
	const char *const *words;
	size_t n_words;
};

/* What documentation calls the type; for SCHEMA_ENUM the words themselves follow instead. */
const char *schema_type_name(enum schema_type type);

/* Bytes of the field. */
size_t schema_type_size(enum schema_type type);

/*
 * Name `i` of a field that is a name or a list of names; NULL behind the last, or for other types.
 */
const char *schema_type_nth_name(enum schema_type type, const void *field, size_t i);

/*
 * Reads `text` into `field` (all zero before). Returns 0, -EINVAL with the reason, or -ENOMEM; the
 * field is untouched on failure. `name` is the key's, for the text of unknown words.
 */
int schema_type_read(enum schema_type type, const struct schema_bounds *bounds, const char *name,
		     const char *text, void *field, struct err *err);

/* Frees what schema_type_read() allocated. */
void schema_type_done(enum schema_type type, void *field);

/*
 * The opposite of reading, for the types that may change after loading: text, secrets and MACs.
 * Appends nothing when the field is unset, and returns whether it was set.
 */
bool schema_type_format(enum schema_type type, const void *field, struct buf *out);

#endif
