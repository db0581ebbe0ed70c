#include "capture/record_number.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "capture/record.h"

#define SEQ_DIGITS 16

#define LITERAL_OF(x) #x
#define LITERAL(x)    LITERAL_OF(x)

/* How every record begins, and the keys before its numbers. */
#define RECORD_BEGIN "{\"timestamp\":\""
#define SEQ_KEY	     ",\"tapwarden\":{\"v\":" LITERAL(RECORD_VERSION) ",\"seq\":"
#define LOST_KEY     ",\"gap\":{\"lost\":"
#define LOST_RECORDS ",\"unit\":\"records\","
#define ALERT	     "\",\"event_type\":\"alert\","
#define PAYLOAD_KEY  ",\"payload_seq\":"

static bool starts_with(const char *p, const char *end, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(end - p) >= len && memcmp(p, text, len) == 0;
}

/*
 * The number behind a key, its first digit and where it ends; NULL for none. Quotes inside texts
 * are escaped, so that a key with its own stands only where a key is.
 */
static const char *find_number(const char *p, const char *end, const char *key, uint64_t *ret,
			       const char **ret_digits)
{
	const char *at = memmem(p, (size_t)(end - p), key, strlen(key)), *digits;
	uint64_t value = 0;

	if (!at)
		return NULL;
	digits = at += strlen(key);
	for (; at < end && *at >= '0' && *at <= '9' && at - digits < SEQ_DIGITS; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	if (at == digits)
		return NULL;
	*ret = value;
	*ret_digits = digits;
	return at;
}

int record_numbers_read(const char *line, size_t len, struct record_numbers *ret)
{
	const char *end = line + len, *behind, *digits, *at;
	struct record_numbers numbers = { 0 };
	uint64_t n = 1;

	if (!starts_with(line, end, RECORD_BEGIN) || line[len - 1] != '}')
		return -EBADMSG;
	behind = find_number(line, end, LOST_KEY, &n, &digits);
	numbers.lost = behind && starts_with(behind, end, LOST_RECORDS);
	if (!numbers.lost)
		n = 1;
	else if (n == 0)
		return -EBADMSG;
	behind = find_number(line, end, SEQ_KEY, &numbers.seq, &digits);
	if (!behind || (*behind != ',' && *behind != '}') || numbers.seq > RECORD_SEQ_MAX ||
	    n > RECORD_SEQ_MAX - numbers.seq)
		return -EBADMSG;
	numbers.next = numbers.seq + n;
	numbers.seq_at = (size_t)(digits - line);
	numbers.seq_len = (size_t)(behind - digits);
	at = find_number(behind, end, PAYLOAD_KEY, &numbers.payload_seq, &digits);
	numbers.names_payload = at != NULL;
	if (at) {
		numbers.payload_at = (size_t)(digits - line) - strlen(PAYLOAD_KEY);
		numbers.payload_len = (size_t)(at - line) - numbers.payload_at;
	}
	/* The timestamp has always the same length. */
	at = line + strlen(RECORD_BEGIN) + RECORD_TIME_TEXT - 1;
	numbers.has_payload = !numbers.names_payload && at < end && starts_with(at, end, ALERT);
	*ret = numbers;
	return 0;
}

void record_numbers_write(struct buf *out, const char *line, size_t len,
			  const struct record_numbers *numbers, uint64_t seq,
			  const uint64_t *payload_seq)
{
	size_t at = numbers->seq_at + numbers->seq_len;

	buf_reset(out);
	buf_add(out, line, numbers->seq_at);
	buf_addf(out, "%" PRIu64, seq);
	if (numbers->names_payload) {
		buf_add(out, line + at, numbers->payload_at - at);
		if (payload_seq)
			buf_addf(out, PAYLOAD_KEY "%" PRIu64, *payload_seq);
		at = numbers->payload_at + numbers->payload_len;
	}
	buf_add(out, line + at, len - at);
}
