#include "web/san_uri.h"

#include <errno.h>
#include <string.h>

#include "agent/base/plural.h"

#define ALNUM_LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define ALNUM	    ALNUM_LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* iPXE cuts a URI at '#', decodes '%' and splits at ':' outside of brackets. */
static int check_part(const char *what, const char *s, const char *allowed, struct err *err)
{
	size_t good = strspn(s, allowed);

	if (!*s)
		return err_set(err, -EINVAL, "%s of a SAN address is empty", what);
	if (s[good])
		return err_set(err, -EINVAL, "byte 0x%02x at offset %zu of %s cannot be part of it",
			       (unsigned char)s[good], good, what);
	return 0;
}

int san_uri(const struct host_port *portal, uint32_t lun, const char *target, struct buf *out,
	    struct err *err)
{
	int code;

	code = check_part("the server", portal->host,
			  portal->ipv6 ? "0123456789abcdefABCDEF:." : ALNUM ".-", err);
	if (!code)
		code = check_part("the target name", target, ALNUM_LOWER ".:-", err);
	if (code)
		return code;
	buf_addf(out, "iscsi:%s%s%s::", portal->ipv6 ? "[" : "", portal->host,
		 portal->ipv6 ? "]" : "");
	if (portal->port != ISCSI_PORT)
		buf_addf(out, "%u", portal->port);
	buf_addf(out, ":%x:%s", lun, target);
	return out->failed ? err_set(err, -ENOMEM, "the SAN address is too long") : 0;
}

/* The end of the part at `s`: the next ':' that no bracket holds. */
static const char *part_end(const char *s)
{
	bool inside = false;

	for (; *s && (inside || *s != ':'); s++) {
		if (*s == '[' || *s == ']')
			inside = *s == '[';
	}
	return s;
}

int san_uri_split(const char *uri, struct san_parts *ret, struct err *err)
{
	struct san_parts parts = { .brackets = false };
	const char *s = uri + 6;

	if (strncmp(uri, "iscsi:", 6) != 0)
		return err_set(err, -EINVAL, "an iSCSI address begins with \"iscsi:\"");
	for (unsigned int i = 0; i < SAN_PARTS; i++) {
		const char *end = i == SAN_TARGET ? s + strlen(s) : part_end(s);
		size_t len = (size_t)(end - s);

		if (i == SAN_SERVER && *s == '[' && len > 1 && end[-1] == ']') {
			parts.brackets = true;
			s++;
			len -= 2;
		}
		if (len >= SAN_PART_SIZE)
			return err_set(err, -EINVAL, "part %u of the SAN address has %zu bytes",
				       i + 1, len);
		if (!*end && i < SAN_TARGET)
			return err_set(err, -EINVAL,
				       "the SAN address has %u %s of 5: "
				       "iscsi:SERVER:PROTOCOL:PORT:LUN:TARGET",
				       i + 1, plural(i + 1, "part", "parts"));
		memcpy(parts.v[i], s, len);
		s = end + 1;
	}
	*ret = parts;
	return 0;
}
