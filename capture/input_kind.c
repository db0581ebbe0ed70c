#include "capture/input_kind.h"

#include <stdbool.h>
#include <string.h>

#include "capture/pcap_reader.h"

/* How an entry begins, with 0 for a digit. */
static const char payload_head[] = "@ 0000-00-00T00:00:00.000000000Z ";

static bool may_be_payloads(const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < len && i < sizeof(payload_head) - 1; i++) {
		bool digit = head[i] >= '0' && head[i] <= '9';

		if (payload_head[i] == '0' ? !digit : head[i] != (uint8_t)payload_head[i])
			return false;
	}
	return true;
}

/* As file(1) knows them; bzip2 as it is by default, with its largest blocks. */
static const struct {
	const char *bytes;
	size_t len;
} compressed[] = {
	{ "\x1f\x8b\x08", 3 }, { "\x28\xb5\x2f\xfd", 4 }, { "\xfd\x37zXZ\0", 6 },
	{ "BZh91AY&SY", 10 },  { "\x04\x22\x4d\x18", 4 },
};

static enum input_kind compressed_or_text(const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < sizeof(compressed) / sizeof(compressed[0]); i++) {
		size_t known = len < compressed[i].len ? len : compressed[i].len;

		if (memcmp(head, compressed[i].bytes, known) == 0)
			return known < compressed[i].len ? INPUT_UNDECIDED : INPUT_COMPRESSED;
	}
	return INPUT_TEXT;
}

enum input_kind input_kind_of(const uint8_t *head, size_t len)
{
	/* A text that is typed is not kept waiting for the rest of a magic that it lacks. */
	if (pcap_is_capture(head, len))
		return len < PCAP_MAGIC_LEN ? INPUT_UNDECIDED : INPUT_CAPTURE;
	if (may_be_payloads(head, len))
		return len < sizeof(payload_head) - 1 ? INPUT_UNDECIDED : INPUT_PAYLOADS;
	return compressed_or_text(head, len);
}
