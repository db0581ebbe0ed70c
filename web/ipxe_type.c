#include "web/ipxe_type.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hex.h"

static int parse_string(const char *text, struct buf *out)
{
	buf_adds(out, text);
	return 0;
}

static bool format_string(const uint8_t *data, size_t len, struct buf *out)
{
	/* iPXE hands strings on as C strings. */
	buf_add(out, data, strnlen((const char *)data, len));
	return true;
}

/* Pairs of digits with `separator` between them, or none when that is NUL. */
static int parse_pairs(const char *text, char separator, struct buf *out)
{
	for (bool first = true; *text; first = false) {
		int high, low;

		if (!first && separator && *text++ != separator)
			return -EINVAL;
		high = hex_digit(text[0]);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0)
			return -EINVAL;
		buf_addc(out, (char)(high << 4 | low));
		text += 2;
	}
	return 0;
}

static void format_pairs(const uint8_t *data, size_t len, const char *separator, struct buf *out)
{
	for (size_t i = 0; i < len; i++)
		buf_addf(out, "%s%02x", i ? separator : "", data[i]);
}

static int parse_hex(const char *text, struct buf *out)
{
	return parse_pairs(text, ':', out);
}

static bool format_hex(const uint8_t *data, size_t len, struct buf *out)
{
	format_pairs(data, len, ":", out);
	return true;
}

static int parse_hexhyp(const char *text, struct buf *out)
{
	return parse_pairs(text, '-', out);
}

static bool format_hexhyp(const uint8_t *data, size_t len, struct buf *out)
{
	format_pairs(data, len, "-", out);
	return true;
}

static int parse_hexraw(const char *text, struct buf *out)
{
	return parse_pairs(text, '\0', out);
}

static bool format_hexraw(const uint8_t *data, size_t len, struct buf *out)
{
	format_pairs(data, len, "", out);
	return true;
}

/* "%" with two digits behind it, or one, is a byte; without any it stays (uri_decode()). */
static int parse_uristring(const char *text, struct buf *out)
{
	while (*text) {
		int high = *text == '%' ? hex_digit(text[1]) : -1;
		int low = high < 0 ? -1 : hex_digit(text[2]);

		if (high < 0)
			buf_addc(out, *text);
		else
			buf_addc(out, (char)(low < 0 ? high : high << 4 | low));
		text += high < 0 ? 1 : low < 0 ? 2 : 3;
	}
	return 0;
}

/* What iPXE's uri.c leaves as it is in a query. */
static bool is_uri_byte(uint8_t c)
{
	return isalnum(c) || (c && strchr("-._~", c));
}

static bool format_uristring(const uint8_t *data, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++)
		buf_addf(out, is_uri_byte(data[i]) ? "%c" : "%%%02X", data[i]);
	return true;
}

static int parse_address(int family, const char *text, struct buf *out)
{
	uint8_t address[16];

	if (inet_pton(family, text, address) != 1)
		return -EINVAL;
	buf_add(out, address, family == AF_INET ? 4 : 16);
	return 0;
}

static bool format_address(int family, const uint8_t *data, size_t len, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (len < (family == AF_INET ? 4 : 16) || !inet_ntop(family, data, text, sizeof(text)))
		return false;
	buf_adds(out, text);
	return true;
}

static int parse_ipv4(const char *text, struct buf *out)
{
	return parse_address(AF_INET, text, out);
}

static bool format_ipv4(const uint8_t *data, size_t len, struct buf *out)
{
	return format_address(AF_INET, data, len, out);
}

static int parse_ipv6(const char *text, struct buf *out)
{
	return parse_address(AF_INET6, text, out);
}

static bool format_ipv6(const uint8_t *data, size_t len, struct buf *out)
{
	return format_address(AF_INET6, data, len, out);
}

static void add_number(struct buf *out, uint64_t value, unsigned int bytes)
{
	while (bytes--)
		buf_addc(out, (char)(value >> (8 * bytes)));
}

static int parse_number(const char *text, unsigned int bytes, struct buf *out)
{
	char *end;
	unsigned long long value;

	if (!*text)
		return -EINVAL;
	value = strtoull(text, &end, 0);
	if (*end)
		return -EINVAL;
	add_number(out, value, bytes);
	return 0;
}

static int parse_int8(const char *text, struct buf *out)
{
	return parse_number(text, 1, out);
}

static int parse_int16(const char *text, struct buf *out)
{
	return parse_number(text, 2, out);
}

static int parse_int32(const char *text, struct buf *out)
{
	return parse_number(text, 4, out);
}

/* As many bytes as there are, whatever the type's own width; more than a long of i386 are none. */
bool ipxe_number(const uint8_t *data, size_t len, bool is_signed, int64_t *ret)
{
	int64_t value = is_signed && len && (data[0] & 0x80) ? -1 : 0;

	if (len > 4)
		return false;
	for (size_t i = 0; i < len; i++)
		value = (int64_t)((uint64_t)value << 8 | data[i]);
	*ret = value;
	return true;
}

static bool format_int(const uint8_t *data, size_t len, struct buf *out)
{
	int64_t value;

	if (!ipxe_number(data, len, true, &value))
		return false;
	buf_addf(out, "%" PRId64, value);
	return true;
}

static bool format_uint(const uint8_t *data, size_t len, struct buf *out)
{
	int64_t value;

	if (!ipxe_number(data, len, false, &value))
		return false;
	buf_addf(out, "%#" PRIx64, (uint64_t)value);
	return true;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int parse_base64(const char *text, struct buf *out)
{
	size_t len = strcspn(text, "=");
	uint32_t bits = 0;

	if (text[len + strspn(text + len, "=")])
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		const char *digit = strchr(base64_digits, text[i]);

		if (!digit)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)(digit - base64_digits);
		if (i % 4)
			buf_addc(out, (char)(bits >> (6 - 2 * (i % 4))));
	}
	return 0;
}

static bool format_base64(const uint8_t *data, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)data[i] << 16;

		bits |= n > 1 ? (uint32_t)data[i + 1] << 8 : 0;
		bits |= n > 2 ? data[i + 2] : 0;
		for (size_t d = 0; d < 4; d++)
			buf_addc(out, d > n ? '=' : base64_digits[bits >> (18 - 6 * d) & 63]);
	}
	return true;
}

static int parse_uuid_text(const char *text, struct buf *out)
{
	static const uint8_t dashes[] = { 8, 13, 18, 23 };
	char digits[33];
	size_t n = 0;

	if (strlen(text) != 36)
		return -EINVAL;
	for (size_t i = 0, d = 0; i < 36; i++) {
		if (d < sizeof(dashes) && i == dashes[d]) {
			d++;
			if (text[i] != '-')
				return -EINVAL;
			continue;
		}
		digits[n++] = text[i];
	}
	digits[n] = '\0';
	return parse_hexraw(digits, out);
}

static bool format_uuid(const uint8_t *data, size_t len, struct buf *out)
{
	if (len != 16)
		return false;
	for (size_t i = 0; i < 16; i++)
		buf_addf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", data[i]);
	return true;
}

/* BUS:DEVICE.FUNCTION of PCI; iPXE shows it and takes none. */
static int parse_busdevfn(const char *text, struct buf *out)
{
	(void)text;
	(void)out;
	return -EINVAL;
}

static bool format_busdevfn(const uint8_t *data, size_t len, struct buf *out)
{
	int64_t value;

	if (!ipxe_number(data, len, false, &value))
		return false;
	buf_addf(out, "%04x:%02x:%02x.%x", (unsigned int)(value >> 16) & 0xffff,
		 (unsigned int)(value >> 8) & 0xff, (unsigned int)(value >> 3) & 0x1f,
		 (unsigned int)value & 7);
	return true;
}

static const struct ipxe_type types[] = {
	{ "string", parse_string, format_string },
	{ "uristring", parse_uristring, format_uristring },
	{ "ipv4", parse_ipv4, format_ipv4 },
	{ "ipv6", parse_ipv6, format_ipv6 },
	{ "int8", parse_int8, format_int },
	{ "int16", parse_int16, format_int },
	{ "int32", parse_int32, format_int },
	{ "uint8", parse_int8, format_uint },
	{ "uint16", parse_int16, format_uint },
	{ "uint32", parse_int32, format_uint },
	{ "hex", parse_hex, format_hex },
	{ "hexhyp", parse_hexhyp, format_hexhyp },
	{ "hexraw", parse_hexraw, format_hexraw },
	{ "base64", parse_base64, format_base64 },
	{ "uuid", parse_uuid_text, format_uuid },
	{ "busdevfn", parse_busdevfn, format_busdevfn },
};

/* The names that iPXE itself knows, and their types. */
static const struct {
	const char *name, *type;
} known[] = {
	{ "asset", "string" },
	{ "board-serial", "string" },
	{ "buildarch", "string" },
	{ "busid", "hex" },
	{ "busloc", "busdevfn" },
	{ "bustype", "string" },
	{ "chip", "string" },
	{ "cwduri", "string" },
	{ "cwuri", "string" },
	{ "dns", "ipv4" },
	{ "domain", "string" },
	{ "errno", "uint32" },
	{ "filename", "string" },
	{ "gateway", "ipv4" },
	{ "hostname", "string" },
	{ "hwaddr", "hex" },
	{ "ifname", "string" },
	{ "initiator-iqn", "string" },
	{ "ip", "ipv4" },
	{ "ip6", "ipv6" },
	{ "keep-san", "int8" },
	{ "linktype", "string" },
	{ "mac", "hex" },
	{ "manufacturer", "string" },
	{ "memsize", "int32" },
	{ "netmask", "ipv4" },
	{ "next-server", "ipv4" },
	{ "ntp", "ipv4" },
	{ "password", "string" },
	{ "platform", "string" },
	{ "priority", "int8" },
	{ "product", "string" },
	{ "proxydhcp/next-server", "ipv4" },
	{ "reverse-password", "string" },
	{ "reverse-username", "string" },
	{ "root-path", "string" },
	{ "san-drive", "uint8" },
	{ "san-filename", "string" },
	{ "san-retries", "int8" },
	{ "scriptlet", "string" },
	{ "serial", "string" },
	{ "skip-san-boot", "int8" },
	{ "syslog", "ipv4" },
	{ "unixtime", "uint32" },
	{ "use-cached", "uint8" },
	{ "user-class", "string" },
	{ "username", "string" },
	{ "uuid", "uuid" },
	{ "vendor-class", "string" },
	{ "version", "string" },
};

const struct ipxe_type *ipxe_type_find(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	}
	return NULL;
}

const struct ipxe_type *ipxe_type_of_known(const char *name)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, name) == 0)
			return ipxe_type_find(known[i].type);
	}
	return NULL;
}

bool ipxe_type_is_settable(const struct ipxe_type *type)
{
	return type->parse != parse_uuid_text && type->parse != parse_busdevfn;
}
