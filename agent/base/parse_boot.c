#include "agent/base/parse_boot.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/parse.h"

#define DIGITS	  "0123456789"
#define LOWER	  "abcdefghijklmnopqrstuvwxyz"
#define UPPER	  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER_HEX "0123456789abcdef"

#define SOURCE_LEN_MAX 512
#define HASH_LEN_MAX   383 /* CRYPT_OUTPUT_SIZE of crypt(3) with its NUL is 384 */
#define CHAP_USER_LEN  223

static int refuse_byte(struct err *err, const char *s, size_t at, const char *what)
{
	return err_set(err, -EINVAL, "byte 0x%02x at offset %zu cannot be part of %s",
		       (unsigned char)s[at], at, what);
}

int parse_uuid(const char *s, struct err *err)
{
	size_t i = 0;

	for (; i < UUID_TEXT_LEN && s[i]; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !strchr(LOWER_HEX, s[i]))
			break;
	}
	if (i != UUID_TEXT_LEN || s[i])
		return err_set(err, -EINVAL,
			       "\"%s\" is not a UUID such as 6c816f51-0613-45e7-a15b-bc2d5cd00f88",
			       s);
	return 0;
}

/* Nor the network's own address, nor its broadcast, nor loopback, nor multicast. */
static bool is_host_v4(const struct in_addr *addr, unsigned int bits)
{
	uint32_t ip = ntohl(addr->s_addr);
	uint32_t host = bits >= 32 ? 0 : UINT32_MAX >> bits;

	if (ip >> 24 == 0 || ip >> 24 == 127 || ip >> 24 >= 224)
		return false;
	return bits > 30 || ((ip & host) != 0 && (ip & host) != host);
}

static bool is_host_v6(const struct in6_addr *addr)
{
	return !IN6_IS_ADDR_UNSPECIFIED(addr) && !IN6_IS_ADDR_LOOPBACK(addr) &&
	       !IN6_IS_ADDR_MULTICAST(addr) && !IN6_IS_ADDR_LINKLOCAL(addr);
}

int parse_net_address(const char *s, struct net_address *ret, struct err *err)
{
	struct net_address address = { 0 };
	const char *slash = strchr(s, '/');
	char host[sizeof(address.text)];
	struct in6_addr v6;
	struct in_addr v4;
	uint64_t bits;

	if (strcmp(s, "dhcp") == 0) {
		*ret = address;
		return 0;
	}
	if (!slash || (size_t)(slash - s) >= sizeof(host))
		goto bad;
	snprintf(host, sizeof(host), "%.*s", (int)(slash - s), s);
	address.ipv6 = strchr(host, ':') != NULL;
	if (inet_pton(address.ipv6 ? AF_INET6 : AF_INET, host,
		      address.ipv6 ? (void *)&v6 : (void *)&v4) != 1)
		goto bad;
	if (parse_u64(slash + 1, 1, address.ipv6 ? 128 : 32, &bits, NULL) != 0)
		goto bad;
	if (address.ipv6 ? !is_host_v6(&v6) : !is_host_v4(&v4, (unsigned int)bits))
		return err_set(err, -EINVAL, "%s is not an address that a host can have", s);
	address.bits = (uint8_t)bits;
	inet_ntop(address.ipv6 ? AF_INET6 : AF_INET, address.ipv6 ? (void *)&v6 : (void *)&v4,
		  address.text, sizeof(address.text));
	*ret = address;
	return 0;
bad:
	return err_set(err, -EINVAL, "\"%s\" is neither dhcp nor an address such as 192.0.2.10/24",
		       s);
}

int parse_ip(const char *s, struct err *err)
{
	struct in6_addr any;

	if (inet_pton(AF_INET, s, &any) == 1 || inet_pton(AF_INET6, s, &any) == 1)
		return 0;
	return err_set(err, -EINVAL, "\"%s\" is not an IP address", s);
}

/*
 * Of the bytes that crypt(5) allows, those that libxcrypt's methods print. Never repeats the hash.
 */
int parse_crypt_hash(const char *s, struct err *err)
{
	size_t good = strspn(s, "$./=,_-+" DIGITS LOWER UPPER);

	if (s[good])
		return refuse_byte(err, s, good, "a crypt(5) hash");
	if (s[0] != '$' || !s[1] || !strchr(s + 1, '$') || strlen(s) < 20)
		return err_set(err, -EINVAL, "this is no crypt(5) hash such as $6$...");
	if (good > HASH_LEN_MAX)
		return err_set(err, -EINVAL, "%zu bytes are too long for a crypt(5) hash", good);
	return 0;
}

bool boot_source_is_url(const char *s)
{
	return s[0] != '/';
}

/*
 * What stands between "//" and the path: another host would be asked for "http:///h/k" by each
 * reader.
 */
static int check_authority(const char *s, struct err *err)
{
	char text[HOST_TEXT_MAX + sizeof("[]:65535")];
	size_t len = strcspn(s, "/?");
	struct host_port host;
	int code;

	if (len >= sizeof(text))
		return err_set(err, -EINVAL, "%zu bytes are too long for its host", len);
	memcpy(text, s, len);
	text[len] = '\0';
	code = parse_host_port(text, 80, &host, err);
	return code ? err_prefix(err, code, "its host") : 0;
}

int parse_boot_source(const char *s, struct err *err)
{
	static const char *const schemes[] = { "http://", "https://", "tftp://", "/" };
	size_t good = strspn(s, "/._~:[]%?=,@+-" DIGITS LOWER UPPER);
	size_t i = 0;

	if (s[good])
		return refuse_byte(err, s, good, "a path or URL that guests are sent");
	if (good > SOURCE_LEN_MAX)
		return err_set(err, -EINVAL, "%zu bytes are too long: at most %d", good,
			       SOURCE_LEN_MAX);
	while (i < sizeof(schemes) / sizeof(schemes[0]) &&
	       strncmp(s, schemes[i], strlen(schemes[i])) != 0)
		i++;
	if (i == sizeof(schemes) / sizeof(schemes[0]) || !s[strlen(schemes[i])])
		return err_set(err, -EINVAL,
			       "\"%s\" is neither a path from the root nor an http, https or tftp "
			       "URL",
			       s);
	return boot_source_is_url(s) ? check_authority(s + strlen(schemes[i]), err) : 0;
}

int parse_cmdline(const char *s, struct err *err)
{
	size_t len = strlen(s);
	bool quoted = false;

	if (len > CMDLINE_MAX)
		return err_set(err, -EINVAL, "%zu bytes are too long: the kernel takes %d", len,
			       CMDLINE_MAX);
	for (size_t i = 0; i < len; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return refuse_byte(err, s, i, "a kernel command line");
		if (s[i] == ' ' && (i == 0 || i + 1 == len || s[i - 1] == ' '))
			return err_set(err, -EINVAL,
				       "offset %zu: two blanks in a row, or one at an end", i);
		quoted ^= s[i] == '"';
	}
	return quoted ? err_set(err, -EINVAL, "a quote does not end") : 0;
}

int parse_chap_user(const char *s, struct err *err)
{
	size_t len = strlen(s);

	if (len < 1 || len > CHAP_USER_LEN)
		return err_set(err, -EINVAL, "%zu bytes long: 1 to %d can be", len, CHAP_USER_LEN);
	for (size_t i = 0; i < len; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return refuse_byte(err, s, i, "a CHAP user's name");
	}
	return 0;
}

int parse_suite(const char *s, struct err *err)
{
	size_t good = strspn(s, "-" DIGITS LOWER);

	if (!*s || s[good] || *s == '-' || good > 32)
		return err_set(err, -EINVAL, "\"%s\" is not a release such as bookworm", s);
	return 0;
}
