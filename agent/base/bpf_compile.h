/*
 * From an expression of pcap-filter(7) to classic BPF over an Ethernet frame as it is on the wire.
 * With pcap_live.h all that knows libpcap: the agent's filters in the kernel and captures read the
 * same language. Edge: libpcap is loaded when it is first needed. No name is looked up,
 * which it would do by DNS.
 */
#ifndef TW_BPF_COMPILE_H
#define TW_BPF_COMPILE_H

#include "agent/base/bpf_code.h"
#include "agent/base/err.h"

/*
 * Replaces the content of `ret`. The program returns 0 for a frame that the expression does not
 * match. Returns 0, -EINVAL with the reason, or -ENOMEM; `ret` is untouched on failure. Not by two
 * threads at once: so it is with pcap_compile(3PCAP) before libpcap 1.8.
 */
int bpf_compile(const char *expression, struct bpf_code *ret, struct err *err);

/*
 * The same for frames of a LINKTYPE_ in a file that is of the machine's byte order or `swapped`:
 * what there is none of, as of inbound on Ethernet, is -EINVAL too.
 */
int bpf_compile_for_file(const char *expression, uint32_t link_type, bool swapped,
			 struct bpf_code *ret, struct err *err);

/* Before libpcap is asked in another way: it looks up what it takes for a name. 0 or -EINVAL. */
int bpf_check_words(const char *expression, struct err *err);

/* Whether a compiled expression matches the `len` bytes that there are of `wire_len`. */
bool bpf_matches(const struct bpf_code *code, const uint8_t *bytes, size_t len, size_t wire_len);

#endif
