#include "agent/base/parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/base/hex.h"

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct err *err)
{
	uint64_t value = 0;
	const char *p = s;

	if (!*p)
		return err_set(err, -EINVAL, "a number is missing");
	for (; *p; p++) {
		if (*p < '0' || *p > '9')
			return err_set(err, -EINVAL, "\"%s\" is not a number", s);
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return err_set(err, -EINVAL, "%s is too large", s);
	}
	if (value < min || value > max)
		return err_set(err, -EINVAL, "%s is out of range (%llu to %llu)", s,
			       (unsigned long long)min, (unsigned long long)max);
	*ret = value;
	return 0;
}

int parse_bool(const char *s, bool *ret, struct err *err)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "yes", true }, { "no", false },  { "true", true }, { "false", false },
		{ "on", true },	 { "off", false }, { "1", true },    { "0", false },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(s, words[i].word) == 0) {
			*ret = words[i].value;
			return 0;
		}
	}
	return err_set(err, -EINVAL, "\"%s\" is neither yes nor no", s);
}

int parse_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct err *err)
{
	static const char units[] = "kmg";
	char digits[24];
	size_t len = strlen(s);
	unsigned int shift = 0;
	uint64_t value;
	const char *unit;
	int code;

	if (len && (unit = strchr(units, tolower((unsigned char)s[len - 1]))) && *unit) {
		shift = 10 * (unsigned int)(unit - units + 1);
		len--;
	}
	if (len == 0 || len >= sizeof(digits))
		return err_set(err, -EINVAL, "\"%s\" is not a size such as 64M", s);
	memcpy(digits, s, len);
	digits[len] = '\0';
	code = parse_u64(digits, 0, UINT64_MAX >> shift, &value, NULL);
	if (code)
		return err_set(err, code, "\"%s\" is not a size such as 64M", s);
	value <<= shift;
	if (value < min || value > max)
		return err_set(err, -EINVAL, "%s is out of range (%llu to %llu bytes)", s,
			       (unsigned long long)min, (unsigned long long)max);
	*ret = value;
	return 0;
}

int parse_mac(const char *s, uint8_t ret_mac[MAC_LEN], struct err *err)
{
	uint8_t mac[MAC_LEN];
	char sep = strlen(s) == 17 ? s[2] : '\0';
	const char *p = s;

	if (strlen(s) != 12 && sep != ':' && sep != '-')
		goto bad;
	for (int i = 0; i < MAC_LEN; i++) {
		int hi = hex_digit(p[0]);
		int lo = hi < 0 ? -1 : hex_digit(p[1]);

		if (lo < 0)
			goto bad;
		mac[i] = (uint8_t)(hi << 4 | lo);
		p += 2;
		if (sep && i < MAC_LEN - 1 && *p++ != sep)
			goto bad;
	}
	memcpy(ret_mac, mac, MAC_LEN);
	return 0;
bad:
	return err_set(err, -EINVAL, "\"%s\" is not a MAC address such as 52:54:00:12:34:56", s);
}

void format_mac(char out[MAC_TEXT_MAX], const uint8_t mac[MAC_LEN])
{
	snprintf(out, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
}

bool mac_is_unicast(const uint8_t mac[MAC_LEN])
{
	static const uint8_t zero[MAC_LEN];

	return !(mac[0] & 1) && memcmp(mac, zero, MAC_LEN) != 0;
}

int parse_name(const char *s, struct err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(s);
	size_t good = strspn(s, allowed);

	if (len == 0)
		return err_set(err, -EINVAL, "a name is missing");
	if (len > NAME_MAX_LEN)
		return err_set(err, -EINVAL, "a name has at most %d characters", NAME_MAX_LEN);
	if (s[good])
		return err_set(err, -EINVAL, "\"%s\": a name is of a-z, 0-9, '.', '_' and '-'", s);
	if (strchr("._-", s[0]))
		return err_set(err, -EINVAL, "\"%s\": a name begins with a letter or digit", s);
	return 0;
}

/* net/core/dev.c, dev_valid_name() */
int parse_ifname(const char *s, struct err *err)
{
	size_t len = strlen(s);

	if (len == 0)
		return err_set(err, -EINVAL, "an interface name is missing");
	if (len >= IFNAME_SIZE)
		return err_set(err, -EINVAL,
			       "\"%s\" is %zu characters long; the kernel allows an interface 15",
			       s, len);
	if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return err_set(err, -EINVAL, "\"%s\" is no interface name", s);
	/* Beside the folders of interfaces are two of these names: sysctl_dev_name_is_allowed(). */
	if (strcmp(s, "all") == 0 || strcmp(s, "default") == 0)
		return err_set(err, -EINVAL, "\"%s\" is a name that the kernel keeps for itself",
			       s);
	for (const char *p = s; *p; p++) {
		if (*p <= ' ' || *p > '~' || strchr("/:%", *p))
			return err_set(err, -EINVAL,
				       "\"%s\" has a character that an interface name cannot have",
				       s);
	}
	return 0;
}

int parse_hostname(const char *s, struct err *err)
{
	size_t label = 0;

	if (!*s || strlen(s) > HOST_TEXT_MAX - 1)
		return err_set(err, -EINVAL, "a host name has 1 to 253 characters");
	for (const char *p = s;; p++) {
		if (*p == '.' || *p == '\0') {
			if (label == 0 || label > 63 || p[-1] == '-')
				goto bad;
			if (!*p)
				return 0;
			label = 0;
		} else if (isalnum((unsigned char)*p) || (*p == '-' && label > 0)) {
			label++;
		} else {
			goto bad;
		}
	}
bad:
	return err_set(err, -EINVAL, "\"%s\" is not a host name (RFC 1123)", s);
}

/* Splits "host", "host:port", "[v6]" and "[v6]:port"; a bare IPv6 address has no port. */
static int split_port(const char *s, char host[HOST_TEXT_MAX], const char **ret_port)
{
	const char *end;
	const char *port = NULL;

	if (*s == '[') {
		end = strchr(++s, ']');
		if (!end || (end[1] && end[1] != ':'))
			return -EINVAL;
		if (end[1])
			port = end + 2;
	} else {
		end = strchr(s, ':');
		if (end && !strchr(end + 1, ':'))
			port = end + 1;
		else
			end = s + strlen(s);
	}
	if (end == s || (size_t)(end - s) >= HOST_TEXT_MAX)
		return -EINVAL;
	memcpy(host, s, (size_t)(end - s));
	host[end - s] = '\0';
	*ret_port = port;
	return 0;
}

int parse_host_port(const char *s, uint16_t port, struct host_port *ret, struct err *err)
{
	struct host_port hp = { .port = port };
	unsigned char addr[sizeof(struct in6_addr)];
	const char *port_text;
	uint64_t value = 0;
	int code;

	if (split_port(s, hp.host, &port_text) < 0)
		return err_set(err, -EINVAL, "\"%s\" is not ADDRESS or ADDRESS:PORT", s);
	if (port_text) {
		code = parse_u64(port_text, 1, UINT16_MAX, &value, err);
		if (code)
			return err_prefix(err, code, "port of \"%s\"", s);
		hp.port = (uint16_t)value;
	} else if (!port) {
		return err_set(err, -EINVAL, "\"%s\" names no port", s);
	}
	if (inet_pton(AF_INET6, hp.host, addr) == 1) {
		hp.ipv6 = true;
		inet_ntop(AF_INET6, addr, hp.host, sizeof(hp.host));
	} else if (*s == '[') {
		return err_set(err, -EINVAL, "\"%s\" is not an IPv6 address", hp.host);
	} else if (inet_pton(AF_INET, hp.host, addr) != 1) {
		/* All digits and dots is an address gone wrong, never a name. */
		if (!hp.host[strspn(hp.host, "0123456789.")])
			return err_set(err, -EINVAL, "\"%s\" is not an IPv4 address", hp.host);
		code = parse_hostname(hp.host, err);
		if (code)
			return code;
		hp.name = true;
	}
	*ret = hp;
	return 0;
}

int parse_netns(const char *s, struct err *err)
{
	size_t len = strlen(s);
	uint64_t pid;

	if (strspn(s, "0123456789") == len && parse_u64(s, 1, INT32_MAX, &pid, err) < 0)
		return err_set(err, -EINVAL, "\"%s\" is no pid", s);
	if (len == 0 || len >= NETNS_NAME_SIZE || *s == '.')
		goto bad;
	for (const char *p = s; *p; p++) {
		if (!isgraph((unsigned char)*p) || *p == '/')
			goto bad;
	}
	return 0;
bad:
	return err_set(err, -EINVAL,
		       "\"%s\" is not the name of a network namespace in /run/netns, nor a pid", s);
}

static bool is_usable(const struct cidr *cidr)
{
	const uint8_t *a = cidr->address;
	struct in6_addr in6;

	if (cidr->family == AF_INET)
		return a[0] != 0 && a[0] != 127 && a[0] < 224;
	memcpy(&in6, a, sizeof(in6));
	return !IN6_IS_ADDR_UNSPECIFIED(&in6) && !IN6_IS_ADDR_MULTICAST(&in6) &&
	       !IN6_IS_ADDR_LOOPBACK(&in6) && !IN6_IS_ADDR_V4MAPPED(&in6);
}

int parse_cidr(const char *s, struct cidr *ret, struct err *err)
{
	const char *slash = strchr(s, '/');
	char address[INET6_ADDRSTRLEN];
	struct cidr cidr = { .family = strchr(s, ':') ? AF_INET6 : AF_INET };
	size_t len = slash ? (size_t)(slash - s) : 0;
	uint64_t prefix = 0;

	if (len == 0 || len >= sizeof(address) ||
	    parse_u64(slash + 1, 1, cidr.family == AF_INET ? 32 : 128, &prefix, NULL))
		goto bad;
	memcpy(address, s, len);
	address[len] = '\0';
	cidr.prefix = (uint8_t)prefix;
	if (inet_pton(cidr.family, address, cidr.address) != 1)
		goto bad;
	if (!is_usable(&cidr))
		return err_set(err, -EINVAL, "\"%s\" is no address that an interface can have", s);
	*ret = cidr;
	return 0;
bad:
	return err_set(err, -EINVAL,
		       "\"%s\" is not an address with its prefix, such as 192.0.2.1/24", s);
}

static bool is_prefix(const struct cidr *cidr)
{
	for (unsigned int bit = cidr->prefix; bit < 8 * sizeof(cidr->address); bit++) {
		if (cidr->address[bit / 8] & 0x80 >> bit % 8)
			return false;
	}
	return true;
}

int parse_prefix(const char *s, struct cidr *ret, struct err *err)
{
	const char *slash = strchr(s, '/');
	struct cidr cidr = { .family = strchr(s, ':') ? AF_INET6 : AF_INET };
	const unsigned int bits = cidr.family == AF_INET6 ? 128 : 32;
	const size_t len = slash ? (size_t)(slash - s) : strlen(s);
	char address[INET6_ADDRSTRLEN];
	uint64_t prefix = bits;

	if (len < sizeof(address)) {
		memcpy(address, s, len);
		address[len] = '\0';
	}
	if (len >= sizeof(address) || inet_pton(cidr.family, address, cidr.address) != 1)
		return err_set(err, -EINVAL,
			       "\"%s\" is not an address, as 192.0.2.1 or 2001:db8::/64", s);
	if (slash && parse_u64(slash + 1, 0, bits, &prefix, NULL))
		return err_set(err, -EINVAL, "\"%s\": a prefix has 0 to %u bits", s, bits);
	cidr.prefix = (uint8_t)prefix;
	if (!is_prefix(&cidr))
		return err_set(err, -EINVAL, "\"%s\" has bits behind its prefix", s);
	*ret = cidr;
	return 0;
}

void format_cidr(char out[CIDR_TEXT_MAX], const struct cidr *cidr)
{
	char address[INET6_ADDRSTRLEN] = "";

	inet_ntop(cidr->family, cidr->address, address, sizeof(address));
	snprintf(out, CIDR_TEXT_MAX, "%s/%u", address, cidr->prefix);
}

/* "YYYY-MM." and a reversed domain name, then nothing or ":" and any of the allowed characters. */
static bool iqn_is_valid(const char *s)
{
	static const char domain[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
	size_t len;
	int month;

	for (int i = 0; i < 8; i++) {
		if (i == 4 ? s[i] != '-' : i == 7 ? s[i] != '.' : !isdigit((unsigned char)s[i]))
			return false;
	}
	month = (s[5] - '0') * 10 + (s[6] - '0');
	if (month < 1 || month > 12)
		return false;
	s += 8;
	len = strspn(s, domain);
	if (len == 0 || strchr(".-", s[0]) || strchr(".-", s[len - 1]) || strstr(s, ".."))
		return false;
	if (s[len] == '\0')
		return true;
	return s[len] == ':' && s[len + 1] &&
	       !s[len + strspn(s + len, "abcdefghijklmnopqrstuvwxyz0123456789.-:")];
}

static bool hex_is_valid(const char *s, size_t len_a, size_t len_b)
{
	size_t len = strspn(s, "0123456789abcdef");

	return !s[len] && (len == len_a || len == len_b);
}

int parse_iscsi_name(const char *s, struct err *err)
{
	bool ok = false;

	for (const char *p = s; *p; p++) {
		if (*p >= 'A' && *p <= 'Z')
			return err_set(err, -EINVAL,
				       "\"%s\": iSCSI names are lower case (RFC 3722 folds them)",
				       s);
	}
	if (strlen(s) > ISCSI_NAME_MAX)
		return err_set(err, -EINVAL, "an iSCSI name has at most %d bytes", ISCSI_NAME_MAX);
	if (strncmp(s, "iqn.", 4) == 0)
		ok = iqn_is_valid(s + 4);
	else if (strncmp(s, "eui.", 4) == 0)
		ok = hex_is_valid(s + 4, 16, 16);
	else if (strncmp(s, "naa.", 4) == 0)
		ok = hex_is_valid(s + 4, 16, 32);
	/* dracut looks for the last of these to find where the name begins. */
	if (ok && (strstr(s, ":iqn.") || strstr(s, ":eui.") || strstr(s, ":naa.")))
		return err_set(err, -EINVAL,
			       "\"%s\" holds a second iSCSI name, which initrds misread", s);
	if (!ok)
		return err_set(err, -EINVAL,
			       "\"%s\" is not an iSCSI name such as iqn.2026-01.org.example:disk1",
			       s);
	return 0;
}

int parse_altname(const char *s, struct err *err)
{
	size_t len = strlen(s);

	if (len == 0 || len > 127)
		return err_set(err, -EINVAL, "\"%s\": an altname has 1 to 127 characters", s);
	for (const char *p = s; *p; p++) {
		if (!isgraph((unsigned char)*p) || *p == '/' || *p == ',')
			return err_set(err, -EINVAL,
				       "\"%s\" has a character that an altname cannot have", s);
	}
	return 0;
}
