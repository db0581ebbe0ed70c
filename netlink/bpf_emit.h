/*
 * Writing classic BPF for a clsact hook, where a program returns a TC_ACT_* verdict. One that loads
 * outside the frame is ended by the kernel with 0, which is TC_ACT_OK there: a frame that is too
 * short would pass. So each load stands behind a check of the length. Pure.
 */
#ifndef TW_BPF_EMIT_H
#define TW_BPF_EMIT_H

#include <linux/filter.h>
#include <linux/pkt_cls.h>

#include "agent/base/bpf_code.h"

/* A place ahead. Its jumps are chained by their `k` until it is known. Zero-initialise. */
struct bpf_label {
	size_t last; /* place of the latest jump, plus one; 0: none */
};

static inline void emit(struct bpf_code *code, unsigned int op, uint32_t k)
{
	bpf_code_add(code, (struct bpf_op){ .code = (uint16_t)op, .k = k });
}

static inline void emit_add(struct bpf_code *code, uint32_t k)
{
	emit(code, BPF_ALU | BPF_ADD, k); /* BPF_K is 0 */
}

/* Skips `jt` or `jf` instructions. */
static inline void emit_test(struct bpf_code *code, unsigned int test, uint32_t k, uint8_t jt,
			     uint8_t jf)
{
	bpf_code_add(
		code,
		(struct bpf_op){ .code = (uint16_t)(BPF_JMP | test), .jt = jt, .jf = jf, .k = k });
}

/* Reaches as far as a program is long, where a test reaches 255 instructions. */
static inline void emit_goto(struct bpf_code *code, struct bpf_label *to)
{
	emit(code, BPF_JMP | BPF_JA, (uint32_t)to->last);
	to->last = code->n;
}

static inline void emit_label(struct bpf_code *code, struct bpf_label *label)
{
	size_t at = label->last;

	while (at && !code->error) {
		struct bpf_op *jump = &code->ops[at - 1];
		size_t before = jump->k;

		jump->k = (uint32_t)(code->n - at);
		at = before;
	}
	label->last = 0;
}

static inline void emit_drop(struct bpf_code *code)
{
	emit(code, BPF_RET | BPF_K, TC_ACT_SHOT);
}

/* The next filter is asked, if there is one: those of others have their say too. */
static inline void emit_pass(struct bpf_code *code)
{
	emit(code, BPF_RET | BPF_K, (uint32_t)TC_ACT_UNSPEC);
}

static inline void emit_drop_unless(struct bpf_code *code, uint32_t k)
{
	emit_test(code, BPF_JEQ | BPF_K, k, 1, 0);
	emit_drop(code);
}

static inline void emit_goto_if(struct bpf_code *code, uint32_t k, struct bpf_label *to)
{
	emit_test(code, BPF_JEQ | BPF_K, k, 0, 1);
	emit_goto(code, to);
}

/* The frame has `len` bytes. Loses A. */
static inline void emit_need(struct bpf_code *code, uint32_t len)
{
	emit(code, BPF_LD | BPF_W | BPF_LEN, 0);
	emit_test(code, BPF_JGE | BPF_K, len, 1, 0);
	emit_drop(code);
}

/* The frame has `len` bytes behind the first X of it. Loses A. */
static inline void emit_need_behind_x(struct bpf_code *code, uint32_t len)
{
	emit_need(code, len);
	emit(code, BPF_ALU | BPF_SUB | BPF_K, len);
	emit_test(code, BPF_JGE | BPF_X, 0, 1, 0);
	emit_drop(code);
}

#endif
