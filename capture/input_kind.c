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

/* A text that is being typed is not kept waiting for the rest of a magic that it does not have. */
static bool may_be_capture(const uint8_t *head, size_t len)
{
	static const uint8_t firsts[] = { 0x0a, 0xa1, 0xd4, 0x4d };

	if (len >= PCAP_MAGIC_LEN)
		return pcap_is_capture(head, len);
	if (!len)
		return true;
	/* "\n\r\r\n" begins a section, "\n" many a text. */
	if (head[0] == 0x0a)
		return memcmp(head, "\n\r\r\n", len < 4 ? len : 4) == 0;
	return memchr(firsts, head[0], sizeof(firsts)) != NULL;
}

enum input_kind input_kind_of(const uint8_t *head, size_t len)
{
	if (may_be_capture(head, len))
		return len < PCAP_MAGIC_LEN ? INPUT_UNDECIDED : INPUT_CAPTURE;
	if (may_be_payloads(head, len))
		return len < sizeof(payload_head) - 1 ? INPUT_UNDECIDED : INPUT_PAYLOADS;
	return INPUT_TEXT;
}
