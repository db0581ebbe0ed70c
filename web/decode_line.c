/* A kernel command line, as boot_decode.h says. */
#include "web/boot_decode.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/parse.h"
#include "agent/base/parse_boot.h"
#include "agent/base/plural.h"

/* Whose words a line holds, as bits: what belongs together is judged when all were seen. */
enum seen {
	SEEN_ROOT = 1 << 0,
	SEEN_IP = 1 << 1,
	SEEN_DEBIAN = 1 << 2, /* iscsi_*= of Debian's open-iscsi */
	SEEN_DRACUT = 1 << 3, /* netroot= or rd.iscsi.* */
	SEEN_IBFT = 1 << 4, /* log in by the firmware's table */
	SEEN_TARGET_NAME = 1 << 5,
	SEEN_TARGET_IP = 1 << 6,
	SEEN_INITIATOR = 1 << 7,
	SEEN_USER = 1 << 8,
	SEEN_SECRET = 1 << 9,
	SEEN_IN_USER = 1 << 10,
	SEEN_IN_SECRET = 1 << 11,
	SEEN_UPPER = 1 << 12, /* ISCSI_*= */
};

struct line {
	struct decoded *decoded;
	unsigned int number;
	unsigned int seen;
	unsigned int others; /* words that say nothing of booting */
};

#define FAULT(line, level, ...) \
	findings_add(&(line)->decoded->findings, (line)->number, FINDING_##level, __VA_ARGS__)

/* "iscsi:", [USER:SECRET[:USER:SECRET]@], then an address as iPXE's with the LUN decimal. */
static void read_login(struct line *line, const char *value)
{
	const char *at = strrchr(value, '@');
	char *uri;

	if (at) {
		decoded_add(line->decoded, "login", "CHAP");
		FAULT(line, WARNING,
		      "a CHAP secret on the line: every user of the guest reads it "
		      "in /proc/cmdline");
	}
	if (asprintf(&uri, "iscsi:%s", at ? at + 1 : value + strlen("iscsi:")) < 0) {
		line->decoded->failed = true;
		return;
	}
	decode_san_address(uri, SAN_FOR_INITRD, line->number, line->decoded);
	free(uri);
}

static void read_netroot(struct line *line, const char *value)
{
	if (strncmp(value, "iscsi:", 6) == 0)
		read_login(line, value);
	else if (strcmp(value, "iscsi") == 0)
		FAULT(line, ERROR,
		      "netroot=iscsi alone: dracut reads \"iscsi\" as a server; "
		      "rd.iscsi.firmware=1 rd.iscsi.ibft=1 is how it logs in from iBFT");
	else
		decoded_add(line->decoded, "netroot", "%s", value);
}

static void read_root(struct line *line, const char *value)
{
	if (strncmp(value, "iscsi:", 6) == 0) {
		decoded_add(line->decoded, "root", "on a LUN");
		read_login(line, value);
		if (strchr(value, '['))
			FAULT(line, ERROR,
			      "root=iscsi: with an IPv6 address: Debian's initrd "
			      "splits it at every colon");
		return;
	}
	decoded_add(line->decoded, "root", "%s", value);
	if (strncmp(value, "/dev/sd", 7) == 0 || strncmp(value, "/dev/vd", 7) == 0)
		FAULT(line, WARNING, "root=%s: the order of disks may change: root=UUID= does not",
		      value);
	else if (strncasecmp(value, "UUID=", 5) == 0 && strlen(value) != 5 + UUID_TEXT_LEN)
		FAULT(line, NOTE, "\"%s\" is no UUID of an ext4 or XFS file system", value + 5);
}

static const char *const ip_fields[] = { "client",	  "server",	 "gateway",
					 "netmask",	  "hostname",	 "interface",
					 "configuration", "name server", "name server",
					 "time server" };

/* Of nfsroot.rst; dracut puts "[...]" around IPv6, in which colons stay. */
static size_t split_ip(struct line *line, const char *value)
{
	size_t n = 0;

	for (const char *s = value;; n++) {
		const char *end = s;
		bool inside = false;

		for (; *end && (inside || *end != ':'); end++) {
			if (*end == '[' || *end == ']')
				inside = *end == '[';
		}
		if (end > s && n < sizeof(ip_fields) / sizeof(ip_fields[0]))
			decoded_add(line->decoded, ip_fields[n], "%.*s", (int)(end - s), s);
		if (!*end)
			return n + 1;
		s = end + 1;
	}
}

static void read_ip(struct line *line, const char *value)
{
	static const char *const alone[] = { "dhcp",  "on",   "any",   "none",	"off",
					     "bootp", "both", "dhcp6", "auto6", "ibft" };
	size_t n;

	decoded_add(line->decoded, "ip", "%s", value);
	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		if (strcmp(value, alone[i]) == 0)
			return;
	}
	n = split_ip(line, value);
	if (n == 2)
		return; /* dracut: INTERFACE:dhcp */
	if (n < 6)
		FAULT(line, WARNING,
		      "ip= has %zu %s: CLIENT:SERVER:GATEWAY:NETMASK:HOSTNAME:INTERFACE:HOW", n,
		      plural(n, "field", "fields"));
	else if (n > 10)
		FAULT(line, WARNING, "ip= has %zu fields: the kernel and initrds read 10", n);
}

static void read_bootif(struct line *line, const char *value)
{
	uint8_t mac[MAC_LEN];

	decoded_add(line->decoded, "boot NIC", "%s", value);
	if (strncmp(value, "01-", 3) != 0 || parse_mac(value + 3, mac, NULL))
		FAULT(line, ERROR, "BOOTIF=%s: it is 01- and the MAC address with '-'", value);
}

static void read_name(struct line *line, const char *what, const char *value)
{
	struct err err;

	decoded_add(line->decoded, what, "%s", value);
	if (parse_iscsi_name(value, &err))
		FAULT(line, WARNING, "%s: %s", what, err.text);
}

static void read_initiator(struct line *line, const char *value)
{
	read_name(line, "initiator", value);
}

static void read_target(struct line *line, const char *value)
{
	read_name(line, "target", value);
}

static void read_target_ip(struct line *line, const char *value)
{
	struct in_addr address;

	decoded_add(line->decoded, "target address", "%s", value);
	if ((line->seen & SEEN_DEBIAN) && inet_pton(AF_INET, value, &address) != 1)
		FAULT(line, ERROR,
		      "\"%s\" is no IPv4 address, which is all that Debian's initrd "
		      "takes",
		      value);
}

static void read_port(struct line *line, const char *value)
{
	uint64_t port;

	decoded_add(line->decoded, "target port", "%s", value);
	if (parse_u64(value, 1, 65535, &port, NULL))
		FAULT(line, ERROR, "\"%s\" is no port", value);
}

static void read_user(struct line *line, const char *value)
{
	decoded_add(line->decoded, "CHAP user", "%s", value);
}

static void read_in_user(struct line *line, const char *value)
{
	decoded_add(line->decoded, "target's CHAP user", "%s", value);
}

/* The secret itself is shown nowhere. */
static void read_secret(struct line *line, const char *value)
{
	decoded_add(line->decoded, "CHAP secret", "%zu bytes", strlen(value));
	FAULT(line, WARNING,
	      "a CHAP secret on the line: every user of the guest reads it in /proc/cmdline");
}

static void read_ibft(struct line *line, const char *value)
{
	(void)value;
	decoded_add(line->decoded, "login", "from the firmware's table (iBFT)");
}

static void read_seed(struct line *line, const char *value)
{
	const char *url = strstr(value, "s=");

	decoded_add(line->decoded, "cloud-init", "%s", value);
	if (strncmp(value, "nocloud", 7) == 0 && url && value[strlen(value) - 1] != '/' &&
	    !strstr(url, "%s"))
		FAULT(line, ERROR, "the address of a NoCloud seed ends with '/'");
}

static void read_field(struct line *line, const char *name, const char *value)
{
	decoded_add(line->decoded, name, "%s", value);
}

static void read_console(struct line *line, const char *value)
{
	read_field(line, "console", value);
}

static void read_initrd(struct line *line, const char *value)
{
	read_field(line, "initrd", value);
}

static void read_lun(struct line *line, const char *value)
{
	read_field(line, "LUN", value);
}

static void read_group(struct line *line, const char *value)
{
	read_field(line, "target portal group", value);
}

static const struct {
	const char *name;
	void (*read)(struct line *line, const char *value);
	unsigned int seen;
} words[] = {
	{ "root", read_root, SEEN_ROOT },
	{ "ip", read_ip, SEEN_IP },
	{ "BOOTIF", read_bootif, 0 },
	{ "console", read_console, 0 },
	{ "initrd", read_initrd, 0 },
	{ "ds", read_seed, 0 },
	{ "netroot", read_netroot, SEEN_DRACUT },
	{ "iscsi_auto", read_ibft, SEEN_DEBIAN | SEEN_IBFT },
	{ "iscsi_initiator", read_initiator, SEEN_DEBIAN | SEEN_INITIATOR },
	{ "iscsi_target_name", read_target, SEEN_DEBIAN | SEEN_TARGET_NAME },
	{ "iscsi_target_ip", read_target_ip, SEEN_DEBIAN | SEEN_TARGET_IP },
	{ "iscsi_target_port", read_port, SEEN_DEBIAN },
	{ "iscsi_target_group", read_group, SEEN_DEBIAN },
	{ "iscsi_root_lun", read_lun, SEEN_DEBIAN },
	{ "iscsi_username", read_user, SEEN_DEBIAN | SEEN_USER },
	{ "iscsi_password", read_secret, SEEN_DEBIAN | SEEN_SECRET },
	{ "iscsi_in_username", read_in_user, SEEN_DEBIAN | SEEN_IN_USER },
	{ "iscsi_in_password", read_secret, SEEN_DEBIAN | SEEN_IN_SECRET },
	{ "rd.iscsi.firmware", read_ibft, SEEN_DRACUT | SEEN_IBFT },
	{ "rd.iscsi.initiator", read_initiator, SEEN_DRACUT | SEEN_INITIATOR },
	{ "rd.iscsi.target.name", read_target, SEEN_DRACUT | SEEN_TARGET_NAME },
	{ "rd.iscsi.target.ip", read_target_ip, SEEN_DRACUT | SEEN_TARGET_IP },
	{ "rd.iscsi.target.port", read_port, SEEN_DRACUT },
	{ "rd.iscsi.target.group", read_group, SEEN_DRACUT },
	{ "rd.iscsi.username", read_user, SEEN_DRACUT | SEEN_USER },
	{ "rd.iscsi.password", read_secret, SEEN_DRACUT | SEEN_SECRET },
	{ "rd.iscsi.in.username", read_in_user, SEEN_DRACUT | SEEN_IN_USER },
	{ "rd.iscsi.in.password", read_secret, SEEN_DRACUT | SEEN_IN_SECRET },
};

/* ISCSI_* is how init's environment has it: the same word in upper case. */
static bool is_word(const char *name, const char *word, bool *ret_upper)
{
	*ret_upper = strncmp(name, "ISCSI_", 6) == 0;
	return strcmp(name, word) == 0 || (*ret_upper && strcasecmp(name, word) == 0);
}

static void read_word(struct line *line, char *word)
{
	char *value = strchr(word, '=');
	bool upper;

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!is_word(word, words[i].name, &upper))
			continue;
		line->seen |= words[i].seen | (upper ? SEEN_UPPER : 0);
		words[i].read(line, value ? value : "");
		return;
	}
	line->others++;
}

/*
 * The next word of `*s`, which moves on: as next_arg() of the kernel, blanks within double quotes
 * are part of it, and quotes around a word or its value are taken off.
 */
static char *next_word(struct line *line, char **s)
{
	char *word = *s + strspn(*s, " \t\n"), *to = word, *from = word;
	bool inside = false;

	if (!*word)
		return NULL;
	for (; *from && (inside || !strchr(" \t\n", *from)); from++) {
		if (*from == '"')
			inside = !inside;
		else
			*to++ = *from;
	}
	if (inside)
		FAULT(line, ERROR, "a double quote is not closed");
	*s = *from ? from + 1 : from;
	*to = '\0';
	return word;
}

/* What belongs together, each as bits that are there and bits that must be then. */
static const struct {
	unsigned int there, missing;
	enum finding_level level;
	const char *text;
} rules[] = {
	{ SEEN_TARGET_NAME, SEEN_TARGET_IP, FINDING_ERROR,
	  "a target is named, but not its address" },
	{ SEEN_TARGET_IP, SEEN_TARGET_NAME, FINDING_ERROR,
	  "the target's address is there, but not its name" },
	{ SEEN_USER, SEEN_SECRET, FINDING_ERROR, "a CHAP user without a secret" },
	{ SEEN_SECRET, SEEN_USER, FINDING_ERROR, "a CHAP secret without its user" },
	{ SEEN_IN_USER, SEEN_IN_SECRET, FINDING_ERROR,
	  "the target's CHAP user without its secret" },
	{ SEEN_IN_SECRET, SEEN_IN_USER, FINDING_ERROR,
	  "the target's CHAP secret without its user" },
	{ SEEN_IN_USER, SEEN_USER, FINDING_ERROR,
	  "the target shows who it is only to one who does the same" },
	{ SEEN_DEBIAN, SEEN_IP, FINDING_ERROR,
	  "ip= is missing: Debian's initrd has no network then" },
	{ SEEN_TARGET_NAME, SEEN_INITIATOR, FINDING_NOTE,
	  "no initiator is named: the initrd's /etc/iscsi/initiatorname.iscsi is used" },
	{ SEEN_DEBIAN | SEEN_TARGET_NAME, 0, FINDING_NOTE,
	  "Debian's initrd logs in twice; \"15 - session exists\" of the second does no harm" },
	{ SEEN_DEBIAN | SEEN_DRACUT, 0, FINDING_WARNING,
	  "words of two initrds: iscsi_* is Debian's, netroot= and rd.iscsi.* are dracut's" },
	{ SEEN_IBFT | SEEN_TARGET_NAME, 0, FINDING_WARNING,
	  "the login is on the line and asked of the firmware's table too" },
	{ SEEN_UPPER, 0, FINDING_WARNING,
	  "ISCSI_* in upper case reaches the initrd as environment alone, of which the kernel "
	  "passes 32 words: iscsi_* is what its script reads" },
};

static void check_whole(struct line *line, size_t len)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		bool there = (line->seen & rules[i].there) == rules[i].there;
		bool fits = rules[i].missing && (line->seen & rules[i].missing);

		if (there && !fits)
			findings_add(&line->decoded->findings, line->number, rules[i].level, "%s",
				     rules[i].text);
	}
	if ((line->seen & (SEEN_DEBIAN | SEEN_DRACUT)) && !(line->seen & SEEN_ROOT))
		FAULT(line, ERROR, "root= is missing");
	if (len > CMDLINE_MAX)
		FAULT(line, ERROR, "%zu bytes: the kernel reads %d", len, CMDLINE_MAX);
	if (line->others)
		decoded_add(line->decoded, "other words", "%u", line->others);
}

void decode_kernel_line(const char *text, unsigned int line, struct decoded *decoded)
{
	struct line whole = { .decoded = decoded, .number = line };
	char *copy = strdup(text), *s = copy, *word;

	if (!copy) {
		decoded->failed = true;
		return;
	}
	while ((word = next_word(&whole, &s)))
		read_word(&whole, word);
	check_whole(&whole, strlen(text));
	free(copy);
}
