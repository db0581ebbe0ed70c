#include "agent/leases.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/base/buf.h"
#include "agent/state_file.h"

/* "LINK MAC ADDRESS UNTIL" */
#define LINE_MAX_LEN 128
#define FILE_MAX     ((size_t)LEASES_MAX * LINE_MAX_LEN)

void leases_done(struct leases *leases)
{
	free(leases->list);
	*leases = (struct leases){ 0 };
}

static size_t host_bits(const struct cidr *address)
{
	return address->family == AF_INET ? 32 : 128;
}

static bool is_of(const struct lease *lease, const char *link, uint8_t family)
{
	return lease->address.family == family && strcmp(lease->link, link) == 0;
}

static struct lease *find(struct leases *leases, const char *link, uint8_t family)
{
	for (size_t i = 0; i < leases->n; i++) {
		if (is_of(&leases->list[i], link, family))
			return &leases->list[i];
	}
	return NULL;
}

static void remove_at(struct leases *leases, size_t i)
{
	leases->list[i] = leases->list[--leases->n];
}

static int add(struct leases *leases, const struct lease *lease)
{
	struct lease *list;

	if (leases->n == LEASES_MAX)
		return -ENOSPC;
	list = reallocarray(leases->list, leases->n + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	leases->list = list;
	list[leases->n++] = *lease;
	return 1;
}

int leases_set(struct leases *leases, const struct lease *lease)
{
	struct lease *known = find(leases, lease->link, lease->address.family);
	bool same = known &&
		    memcmp(&known->address, &lease->address, sizeof(known->address)) == 0 &&
		    memcmp(known->mac, lease->mac, MAC_LEN) == 0;

	if (!lease->until) {
		if (same)
			remove_at(leases, (size_t)(known - leases->list));
		return same;
	}
	if (!known)
		return add(leases, lease);
	*known = *lease;
	return !same;
}

bool leases_expire(struct leases *leases, int64_t now)
{
	size_t before = leases->n;

	for (size_t i = 0; i < leases->n;) {
		if (leases->list[i].until <= now)
			remove_at(leases, i);
		else
			i++;
	}
	return leases->n != before;
}

int64_t leases_next(const struct leases *leases)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < leases->n; i++) {
		if (leases->list[i].until < next)
			next = leases->list[i].until;
	}
	return next;
}

uint32_t leases_add_to(const struct leases *leases, const char *link, const uint8_t mac[MAC_LEN],
		       int64_t now, struct guest_addrs *addresses)
{
	uint32_t n = 0;

	for (size_t i = 0; i < leases->n && n < GUEST_LEASES_MAX; i++) {
		const struct lease *lease = &leases->list[i];

		if (strcmp(lease->link, link) != 0 || memcmp(lease->mac, mac, MAC_LEN) != 0 ||
		    lease->until <= now)
			continue;
		addresses->list[addresses->n++] = lease->address;
		n++;
	}
	return n;
}

/* ---- the file ------------------------------------------------------------------------------- */

static int parse_line(char *line, struct lease *ret, struct err *err)
{
	char *words[4] = { NULL }, *rest = line;
	struct lease lease = { .until = 0 };
	uint64_t until;
	int code;

	for (size_t i = 0; i < 4; i++)
		words[i] = strsep(&rest, " ");
	if (!words[3] || rest)
		return err_set(err, -EINVAL, "a line has four words");
	code = parse_ifname(words[0], err);
	if (code == 0)
		code = parse_mac(words[1], lease.mac, err);
	if (code == 0)
		code = parse_prefix(words[2], &lease.address, err);
	if (code == 0)
		code = parse_u64(words[3], 1, INT64_MAX, &until, err);
	if (code == 0 && lease.address.prefix != host_bits(&lease.address))
		code = err_set(err, -EINVAL, "%s is no host's address", words[2]);
	if (code)
		return code;
	snprintf(lease.link, sizeof(lease.link), "%s", words[0]);
	lease.until = (int64_t)until;
	*ret = lease;
	return 0;
}

static int parse_all(struct leases *leases, char *text, struct err *err)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		struct lease lease;
		int code = *line ? parse_line(line, &lease, err) : 0;

		if (code == 0 && *line)
			code = leases_set(leases, &lease);
		if (code == -ENOMEM || code == -ENOSPC)
			return err_errno(err, code, "no room for them");
		if (code < 0)
			return code;
	}
	return 0;
}

int leases_load(struct leases *leases, const char *run_dir, struct err *err)
{
	struct leases read = { 0 };
	struct buf text;
	int code;

	buf_init(&text, FILE_MAX);
	code = state_file_load(run_dir, LEASES_NAME, &text, err);
	if (code == 0) {
		buf_addc(&text, '\0');
		code = parse_all(&read, text.data, err);
	}
	buf_done(&text);
	if (code && code != -ENOENT) {
		leases_done(&read);
		return err_prefix(err, code, "%s/" LEASES_NAME, run_dir);
	}
	leases_done(leases);
	*leases = read;
	return 0;
}

static void format(const struct leases *leases, struct buf *text)
{
	for (size_t i = 0; i < leases->n; i++) {
		const struct lease *lease = &leases->list[i];
		char mac[MAC_TEXT_MAX], address[CIDR_TEXT_MAX];

		format_mac(mac, lease->mac);
		format_cidr(address, &lease->address);
		buf_addf(text, "%s %s %s %" PRId64 "\n", lease->link, mac, address, lease->until);
	}
}

int leases_save(const struct leases *leases, const char *run_dir, struct err *err)
{
	struct buf text;
	int code;

	buf_init(&text, FILE_MAX);
	format(leases, &text);
	code = state_file_write(run_dir, LEASES_NAME, &text);
	buf_done(&text);
	return code ? err_errno(err, code, "cannot write %s/" LEASES_NAME, run_dir) : 0;
}
