/*
 * A classic BPF program as plain data, with the layout of struct sock_filter (linux/filter.h) and
 * of struct bpf_insn (pcap/bpf.h), whose headers exclude each other. Pure.
 */
#ifndef TW_BPF_CODE_H
#define TW_BPF_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* BPF_MAXINSNS: what the kernel takes at most. */
#define BPF_CODE_MAX 4096

struct bpf_op {
	uint16_t code; /* BPF_* of linux/bpf_common.h */
	uint8_t jt, jf; /* instructions to skip when true, when false */
	uint32_t k;
};

/* Grows as instructions are added. Zero-initialise; freed by bpf_code_done(). */
struct bpf_code {
	struct bpf_op *ops;
	size_t n;
	size_t cap;
	int error; /* the first of bpf_code_add(); nothing is added after it */
};

/* -ENOMEM, or -E2BIG beyond BPF_CODE_MAX, is kept in `code->error`, to be asked for once. */
void bpf_code_add(struct bpf_code *code, struct bpf_op op);
void bpf_code_reset(struct bpf_code *code); /* empties it; keeps the memory */
void bpf_code_done(struct bpf_code *code);

#endif
