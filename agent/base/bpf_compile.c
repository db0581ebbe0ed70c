#include "agent/base/bpf_compile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/hint.h"
#include "agent/base/pcap_lib.h"
#include "agent/base/pcapng_format.h"

/* Every byte of a frame is there in the kernel, so a match need not say how many it wants. */
#define SNAPLEN 262144

#define WORD_CHARS                                             \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_.:\\-$"

/* The words of pcap-filter(7) that mean something on Ethernet; any other would be looked up. */
static const char *const keywords[] = {
	"dst",
	"src",
	"link",
	"ether",
	"arp",
	"rarp",
	"ip",
	"sctp",
	"tcp",
	"udp",
	"icmp",
	"igmp",
	"igrp",
	"pim",
	"vrrp",
	"carp",
	"ip6",
	"icmp6",
	"ah",
	"esp",
	"atalk",
	"aarp",
	"decnet",
	"lat",
	"moprc",
	"mopdl",
	"iso",
	"esis",
	"es-is",
	"isis",
	"l1",
	"l2",
	"iih",
	"lsp",
	"snp",
	"csnp",
	"psnp",
	"llc",
	"is-is",
	"clnp",
	"stp",
	"ipx",
	"netbeui",
	"host",
	"net",
	"mask",
	"port",
	"portrange",
	"proto",
	"protochain",
	"less",
	"greater",
	"broadcast",
	"multicast",
	"and",
	"or",
	"not",
	"len",
	"length",
	"inbound",
	"outbound",
	"ifindex",
	"vlan",
	"mpls",
	"pppoed",
	"pppoes",
	"geneve",
	"icmptype",
	"icmpcode",
	"icmp-echoreply",
	"icmp-unreach",
	"icmp-sourcequench",
	"icmp-redirect",
	"icmp-echo",
	"icmp-routeradvert",
	"icmp-routersolicit",
	"icmp-timxceed",
	"icmp-paramprob",
	"icmp-tstamp",
	"icmp-tstampreply",
	"icmp-ireq",
	"icmp-ireqreply",
	"icmp-maskreq",
	"icmp-maskreply",
	"icmp6type",
	"icmp6code",
	"icmp6-destinationrunreach",
	"icmp6-packettoobig",
	"icmp6-timeexceeded",
	"icmp6-parameterproblem",
	"icmp6-echo",
	"icmp6-echoreply",
	"icmp6-multicastlistenerquery",
	"icmp6-multicastlistenerreportv1",
	"icmp6-multicastlistenerdone",
	"icmp6-routersolicit",
	"icmp6-routeradvert",
	"icmp6-neighborsolicit",
	"icmp6-neighboradvert",
	"icmp6-redirect",
	"icmp6-multicastlistenerreportv2",
	"tcpflags",
	"tcp-fin",
	"tcp-syn",
	"tcp-rst",
	"tcp-push",
	"tcp-ack",
	"tcp-urg",
	"tcp-ece",
	"tcp-cwr",
};

#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static size_t count(const char *word, size_t len, const char *chars)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += strchr(chars, word[i]) != NULL;
	return n;
}

static const char digits[] = "0123456789", hex[] = "0123456789abcdefABCDEF";

static bool is_number(const char *word, size_t len)
{
	if (len > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
		return count(word + 2, len - 2, hex) == len - 2;
	return len && count(word, len, digits) == len;
}

/* Six times one or two digits, with "-" between them; those with ":" are told by that. */
static bool is_mac(const char *word, size_t len)
{
	const char *end = word + len;

	for (unsigned int i = 0; i < 6; i++) {
		size_t n = strspn(word, hex);

		if (n < 1 || n > 2 || word + n > end || (i < 5 && word[n] != '-'))
			return false;
		word += n + (i < 5);
	}
	return word == end;
}

/*
 * What libpcap reads by itself: a number, one with a size as in "[0xf:2]", an IPv4 address or the
 * beginning of one, a MAC, an IPv6 address. "1-2" is one too as a range of ports; as a host it
 * would be asked of a name server.
 */
static bool is_literal(const char *word, size_t len, bool is_range)
{
	const char *colon = memchr(word, ':', len);
	size_t before = colon ? (size_t)(colon - word) : len;

	if (is_number(word, before) && (!colon || is_number(colon + 1, len - before - 1)))
		return true;
	if (colon)
		return count(word, len, hex) + count(word, len, ":.") == len;
	if (is_mac(word, len))
		return true;
	if (count(word, len, digits) + count(word, len, is_range ? "-" : ".") != len)
		return false;
	return is_range ? count(word, len, "-") <= 1 : count(word, len, ".") <= 3;
}

static bool is_keyword(const char *word, size_t len)
{
	for (size_t i = 0; i < KEYWORDS; i++) {
		if (strlen(keywords[i]) == len && strncmp(keywords[i], word, len) == 0)
			return true;
	}
	return false;
}

static int complain_of_word(const char *word, size_t len, struct err *err)
{
	char text[64];
	struct hint hint;

	snprintf(text, sizeof(text), "%.*s", (int)len, word);
	hint = hint_for(text);
	for (size_t i = 0; i < KEYWORDS; i++)
		hint_try(&hint, keywords[i]);
	return err_set(
		err, -EINVAL,
		"\"%s\" is not a word of pcap-filter(7), and names are not looked up: %s%s%s", text,
		hint.best ? "did you mean \"" : "write its number or address",
		hint.best ? hint.best : "", hint.best ? "\"?" : "");
}

/* As the scanner of libpcap cuts words; "\\tcp" is a keyword in the place of a name. */
int bpf_check_words(const char *expression, struct err *err)
{
	const char *at = expression;
	bool is_range = false;

	while (*(at += strcspn(at, WORD_CHARS))) {
		size_t len = strspn(at, WORD_CHARS);
		size_t skip = *at == '\\' || *at == '-';
		const char *word = at + skip;

		at += len;
		len -= skip;
		if (len && !is_keyword(word, len) && !is_literal(word, len, is_range))
			return complain_of_word(word, len, err);
		is_range = len == strlen("portrange") && strncmp(word, "portrange", len) == 0;
	}
	return 0;
}

static void take(const struct bpf_program *program, struct bpf_code *code)
{
	for (unsigned int i = 0; i < program->bf_len; i++) {
		const struct bpf_insn *insn = &program->bf_insns[i];

		bpf_code_add(code, (struct bpf_op){ .code = insn->code,
						    .jt = insn->jt,
						    .jf = insn->jf,
						    .k = insn->k });
	}
}

bool bpf_matches(const struct bpf_code *code, const uint8_t *bytes, size_t len, size_t wire_len)
{
	const struct bpf_program program = { .bf_len = (u_int)code->n,
					     .bf_insns = (struct bpf_insn *)(void *)code->ops };
	const struct pcap_pkthdr head = { .caplen = (u_int)len, .len = (u_int)wire_len };

	_Static_assert(sizeof(struct bpf_op) == sizeof(struct bpf_insn), "one is the other");
	return pcap_lib.offline_filter(&program, &head, bytes) != 0;
}

/* `pcap` says of which frames, and is closed. */
static int compile(pcap_t *pcap, const char *expression, struct bpf_code *ret, struct err *err)
{
	struct bpf_program program;
	struct bpf_code code = { 0 };
	int error;

	if (!pcap)
		return err_errno(err, -ENOMEM, "could not compile");
	if (pcap_lib.compile(pcap, &program, expression, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		error = err_set(err, -EINVAL, "%s", pcap_lib.geterr(pcap));
		goto out;
	}
	take(&program, &code);
	pcap_lib.freecode(&program);
	error = code.error;
	if (error == -E2BIG)
		error = err_set(err, -EINVAL, "it takes more than %d instructions", BPF_CODE_MAX);
	else if (error)
		err_errno(err, error, "could not compile");
out:
	pcap_lib.close(pcap);
	if (error) {
		bpf_code_done(&code);
		return error;
	}
	bpf_code_done(ret);
	*ret = code;
	return 0;
}

int bpf_compile(const char *expression, struct bpf_code *ret, struct err *err)
{
	int error = bpf_check_words(expression, err);

	if (!error)
		error = pcap_lib_load(err);
	return error ? error
		     : compile(pcap_lib.open_dead(DLT_EN10MB, SNAPLEN), expression, ret, err);
}

static uint32_t order32(uint32_t value, bool swapped)
{
	return swapped ? __builtin_bswap32(value) : value;
}

static uint16_t order16(uint16_t value, bool swapped)
{
	return swapped ? __builtin_bswap16(value) : value;
}

/*
 * To libpcap, frames of a file are not those of an interface: families of LINKTYPE_NULL are in the
 * byte order of whoever wrote it, that of IPv6 is of several systems, and there is no direction.
 */
static pcap_t *open_file(uint32_t link_type, bool swapped)
{
	struct pcap_file_header head = {
		.magic = order32(PCAP_MAGIC_US, swapped),
		.version_major = order16(PCAP_VERSION_MAJOR, swapped),
		.version_minor = order16(PCAP_VERSION_MINOR, swapped),
		.snaplen = order32(SNAPLEN, swapped),
		.linktype = order32(link_type, swapped),
	};
	char why[PCAP_ERRBUF_SIZE];
	FILE *file = fmemopen(&head, sizeof(head), "rb");
	pcap_t *pcap = file ? pcap_lib.fopen_offline(file, why) : NULL;

	if (file && !pcap)
		fclose(file);
	return pcap;
}

int bpf_compile_for_file(const char *expression, uint32_t link_type, bool swapped,
			 struct bpf_code *ret, struct err *err)
{
	int error = bpf_check_words(expression, err);

	if (!error)
		error = pcap_lib_load(err);
	return error ? error : compile(open_file(link_type, swapped), expression, ret, err);
}
