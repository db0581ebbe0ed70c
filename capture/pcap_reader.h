/*
 * Packets out of the bytes of a pcap or pcapng file, whoever wrote it.
 *
 * Pure. pcap in microseconds or nanoseconds, also as a patched libpcap has it, in either byte
 * order; pcapng with any number of sections and interfaces of differing types, times in any
 * resolution. The bytes are hostile: every length is checked, interfaces are bounded.
 *
 * libpcap reads these formats too, but refuses a file whose interfaces differ in link type or
 * snapshot length (sf-pcapng.c), and tells neither names of interfaces, nor comments, nor where in
 * a file it had to stop.
 */
#ifndef TW_PCAP_READER_H
#define TW_PCAP_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A GSO frame of the kernel has at most 512 KiB (GSO_MAX_SIZE); a longer packet is no packet. */
#define PCAP_PACKET_MAX (1u << 20)

/* A packet with its header and options: what a caller has to be able to hold. */
#define PCAP_NEED_MAX (PCAP_PACKET_MAX + (256u << 10))

#define PCAP_INTERFACES_MAX 4096u
#define PCAP_NAME_MAX	    64u /* with NUL; a longer name, or description, is cut */

/* As many bytes as tell a capture from anything else. */
#define PCAP_MAGIC_LEN 12u

enum pcap_result {
	PCAP_PACKET,
	PCAP_LOSS, /* like a packet without bytes: `drops` that an interface's statistics tell */
	PCAP_NO_PACKET, /* passed over something else */
	PCAP_MORE, /* `need` bytes have to be there */
	PCAP_BAD, /* `why`: nothing behind this can be trusted */
};

struct pcap_interface {
	uint32_t link_type;
	uint32_t snaplen; /* 0: no limit */
	uint8_t resolution; /* as if_tsresol: 10^-n, with bit 7 2^-n */
	int64_t offset; /* seconds added to every time */
	bool swapped; /* in the other byte order than the machine's: what of LINKTYPE_NULL is too */
	uint64_t drops; /* told so far */
	char name[PCAP_NAME_MAX]; /* "" unless told */
	char description[PCAP_NAME_MAX];
	uint32_t twin; /* so many before it in its section have the same name and link type */
};

enum pcap_format {
	PCAP_UNKNOWN,
	PCAP_CLASSIC,
	PCAP_NG,
};

struct pcap_reader {
	enum pcap_format format;
	bool swapped; /* the file's byte order is not the machine's */
	uint8_t packet_len; /* of a pcap file, what each packet has before its bytes */
	struct pcap_interface *interfaces; /* of the section; one of a pcap file */
	size_t n_interfaces;
	size_t cap_interfaces;
	bool ours; /* the section is of tapwarden(1): what is outbound was sent by a guest */
	uint32_t generation; /* counts sections: an interface number is that of its section */
};

struct pcap_packet {
	const uint8_t *bytes;
	size_t len;
	size_t wire_len;
	uint64_t time_ns; /* 0 when the file does not say */
	uint32_t interface;
	uint32_t link_type;
	uint32_t flags; /* epb_flags */
	uint64_t drops; /* lost before it, as epb_dropcount or the statistics say */
};

struct pcap_step {
	enum pcap_result result;
	uint64_t used; /* bytes to leave behind; may be more than there are */
	size_t need; /* at most PCAP_NEED_MAX */
	const char *why;
	struct pcap_packet packet; /* its bytes are in `data` */
};

/*
 * Whether a file that begins with these bytes is a capture; with fewer than PCAP_MAGIC_LEN, whether
 * it may be.
 */
bool pcap_is_capture(const uint8_t *head, size_t len);

void pcap_reader_init(struct pcap_reader *reader);
void pcap_reader_done(struct pcap_reader *reader);

/* One step over `data`, which begins where the bytes used by the steps before end. */
void pcap_reader_next(struct pcap_reader *reader, const uint8_t *data, size_t len,
		      struct pcap_step *ret);

#endif
