#include "capture/payload_reader.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/base/parse.h"
#include "agent/base/time_units.h"

/* Of a header line: a time, a link, two addresses and the rest. */
#define LINE_MAX_BYTES 256u
#define FIELDS	       9u

/* The fields of a header line; "cut" may follow. */
enum field {
	FIELD_AT,
	FIELD_TIME,
	FIELD_LINK,
	FIELD_DIRECTION,
	FIELD_SOURCE,
	FIELD_ARROW,
	FIELD_TARGET,
	FIELD_PROTO,
	FIELD_LENGTH,
};

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {
	{ "TCP", IPPROTO_TCP },
	{ "UDP", IPPROTO_UDP },
	{ "ICMP", IPPROTO_ICMP },
	{ "IPv6-ICMP", IPPROTO_ICMPV6 },
};

/* As record_format_time() writes it. */
static int read_time(const char *text, uint64_t *ret)
{
	struct tm tm = { .tm_isdst = 0 };
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S.", &tm);
	uint64_t ns;
	char digits[10];

	if (!at || strlen(at) != sizeof(digits) || at[9] != 'Z')
		return -EINVAL;
	memcpy(digits, at, sizeof(digits) - 1);
	digits[9] = '\0';
	if (strspn(digits, "0123456789") != 9)
		return -EINVAL;
	ns = strtoull(digits, NULL, 10);
	*ret = (uint64_t)timegm(&tm) * NS_PER_S + ns;
	return 0;
}

/* ADDRESS, ADDRESS:PORT, [ADDRESS6] or [ADDRESS6]:PORT. */
static int read_end(char *text, struct frame *frame, uint8_t ip[16], uint16_t *ret_port)
{
	bool six = *text == '[';
	char *address = text + six, *end = strchr(address, six ? ']' : ':'), *port = NULL;
	uint64_t value = 0;

	if (six && !end)
		return -EINVAL;
	if (end) {
		port = six ? end + 1 : end;
		if (*port && *port != ':')
			return -EINVAL;
		port = *port ? port + 1 : NULL;
		*end = '\0';
	}
	if (inet_pton(six ? AF_INET6 : AF_INET, address, ip) != 1 ||
	    (port && parse_u64(port, 0, UINT16_MAX, &value, NULL)))
		return -EINVAL;
	frame->ip_version = six ? 6 : 4;
	frame->has_ports = port != NULL;
	*ret_port = (uint16_t)value;
	return 0;
}

static int read_proto(const char *text, struct frame *frame)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (strcmp(text, protocols[i].name) != 0)
			continue;
		frame->proto = protocols[i].number;
		frame->has_tcp = frame->proto == IPPROTO_TCP;
		return 0;
	}
	return -EINVAL;
}

static int split(char *line, char *fields[FIELDS], bool *ret_cut)
{
	char *rest = line, *field;
	size_t n = 0;

	*ret_cut = false;
	while ((field = strsep(&rest, " "))) {
		if (n < FIELDS)
			fields[n++] = field;
		else if (!*ret_cut && strcmp(field, "cut") == 0)
			*ret_cut = true;
		else
			return -EINVAL;
	}
	return n == FIELDS ? 0 : -EINVAL;
}

static int read_line(char *line, struct payload_entry *ret, size_t *ret_len)
{
	struct frame *frame = &ret->frame;
	char *f[FIELDS];
	uint64_t len;

	if (split(line, f, &frame->truncated) || strcmp(f[FIELD_AT], "@") != 0 ||
	    strcmp(f[FIELD_ARROW], ">") != 0 || strlen(f[FIELD_LINK]) >= sizeof(ret->link) ||
	    read_time(f[FIELD_TIME], &ret->time_ns) || read_proto(f[FIELD_PROTO], frame) ||
	    read_end(f[FIELD_SOURCE], frame, ret->ip[0], &frame->src_port) ||
	    read_end(f[FIELD_TARGET], frame, ret->ip[1], &frame->dst_port) ||
	    parse_u64(f[FIELD_LENGTH], 0, UINT16_MAX, &len, NULL))
		return -EINVAL;
	if (strcmp(f[FIELD_DIRECTION], "from") != 0 && strcmp(f[FIELD_DIRECTION], "to") != 0)
		return -EINVAL;
	ret->direction = f[FIELD_DIRECTION][0] == 'f' ? STATS_FROM_GUEST : STATS_TO_GUEST;
	memcpy(ret->link, f[FIELD_LINK], strlen(f[FIELD_LINK]) + 1);
	*ret_len = (size_t)len;
	return 0;
}

enum payload_result payload_read(const uint8_t *data, size_t len, struct payload_entry *ret,
				 size_t *ret_used)
{
	const uint8_t *newline = memchr(data, '\n', len < LINE_MAX_BYTES ? len : LINE_MAX_BYTES);
	size_t head = newline ? (size_t)(newline - data) + 1 : 0, payload;
	char line[LINE_MAX_BYTES];

	if (!newline)
		return len < LINE_MAX_BYTES ? PAYLOAD_MORE : PAYLOAD_BAD;
	memcpy(line, data, head - 1);
	line[head - 1] = '\0';
	*ret = (struct payload_entry){ .time_ns = 0 };
	if (strlen(line) != head - 1 || read_line(line, ret, &payload))
		return PAYLOAD_BAD;
	if (len - head <= payload)
		return PAYLOAD_MORE;
	if (data[head + payload] != '\n')
		return PAYLOAD_BAD;
	ret->frame.src_ip = ret->ip[0];
	ret->frame.dst_ip = ret->ip[1];
	ret->frame.payload = data + head;
	ret->frame.payload_len = ret->frame.payload_wire_len = payload;
	*ret_used = head + payload + 1;
	return PAYLOAD_ENTRY;
}
