#include "netlink/hook_filter.h"

#include <errno.h>
#include <linux/if_ether.h>
#include <stdlib.h>

#include "netlink/bpf_emit.h"

/* Where the tag is on the wire: its TPID and TCI. */
#define TAG_AT	2 * ETH_ALEN
#define TAG_LEN 4
#define TAG_END (TAG_AT + TAG_LEN)

/* Ours; libpcap takes the scratch memory from its beginning. */
enum {
	MEM_A = BPF_MEMWORDS - 1,
	MEM_X = BPF_MEMWORDS - 2,
};

struct writer {
	struct bpf_code *code;
	struct bpf_label *matched;
	struct bpf_label *targets; /* one per instruction of the program */
	bool has_tag;
};

static void emit_beside(struct bpf_code *code, uint32_t what)
{
	emit(code, BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + what);
}

static unsigned int size_of(uint16_t op)
{
	if (BPF_SIZE(op) == BPF_W)
		return 4;
	return BPF_SIZE(op) == BPF_H ? 2 : 1;
}

/* One byte of the frame on the wire into A. */
static void write_byte(const struct writer *w, uint32_t at)
{
	if (w->has_tag && at >= TAG_AT && at < TAG_END) {
		emit_beside(w->code, at < TAG_AT + 2 ? SKF_AD_VLAN_TPID : SKF_AD_VLAN_TAG);
		if (at % 2 == 0)
			emit(w->code, BPF_ALU | BPF_RSH | BPF_K, 8);
		emit(w->code, BPF_ALU | BPF_AND | BPF_K, 0xff);
		return;
	}
	if (w->has_tag && at >= TAG_END)
		at -= TAG_LEN;
	emit_need(w->code, at + 1);
	emit(w->code, BPF_LD | BPF_B | BPF_ABS, at);
}

/* Some of it in the tag and some beside it: put together byte by byte. */
static void write_mixed_load(const struct writer *w, uint32_t at, unsigned int size)
{
	emit(w->code, BPF_STX, MEM_X);
	for (unsigned int i = 0; i < size; i++) {
		if (i) {
			emit(w->code, BPF_ALU | BPF_LSH | BPF_K, 8);
			emit(w->code, BPF_ST, MEM_A);
		}
		write_byte(w, at + i);
		if (i) {
			emit(w->code, BPF_LDX | BPF_MEM, MEM_A);
			emit(w->code, BPF_ALU | BPF_OR | BPF_X, 0);
		}
	}
	emit(w->code, BPF_LDX | BPF_MEM, MEM_X);
}

static void write_load(const struct writer *w, const struct bpf_op *op)
{
	const unsigned int size = size_of(op->code);
	uint32_t at = op->k;

	if (w->has_tag && size == 2 && (at == TAG_AT || at == TAG_AT + 2)) {
		emit_beside(w->code, at == TAG_AT ? SKF_AD_VLAN_TPID : SKF_AD_VLAN_TAG);
		return;
	}
	if (w->has_tag && at < TAG_END && at + size > TAG_AT) {
		write_mixed_load(w, at, size);
		return;
	}
	if (w->has_tag && at >= TAG_END)
		at -= TAG_LEN;
	emit_need(w->code, at + size);
	emit(w->code, op->code, at);
}

/* At X + k, of which the kernel's own check is after a sum of 32 bits. */
static void write_load_near_x(const struct writer *w, const struct bpf_op *op, uint32_t k)
{
	emit_need_behind_x(w->code, k + size_of(op->code));
	emit(w->code, op->code, k);
}

static void write_indirect_load(const struct writer *w, const struct bpf_op *op)
{
	const unsigned int size = size_of(op->code);
	struct bpf_label before = { 0 }, done = { 0 };

	if (!w->has_tag) {
		write_load_near_x(w, op, op->k);
		return;
	}
	if (op->k >= TAG_END) {
		write_load_near_x(w, op, op->k - TAG_LEN);
		return;
	}
	emit(w->code, BPF_MISC | BPF_TXA, 0);
	emit_test(w->code, BPF_JGE | BPF_K, TAG_END - op->k, 1, 0);
	emit_goto(w->code, &before);
	/* X + k - 4 with X - 4 in the place of X. */
	emit(w->code, BPF_STX, MEM_X);
	emit(w->code, BPF_ALU | BPF_SUB | BPF_K, TAG_LEN);
	emit(w->code, BPF_MISC | BPF_TAX, 0);
	write_load_near_x(w, op, op->k);
	emit(w->code, BPF_LDX | BPF_MEM, MEM_X);
	emit_goto(w->code, &done);
	emit_label(w->code, &before);
	if (op->k + size <= TAG_AT) {
		emit_test(w->code, BPF_JGT | BPF_K, TAG_AT - size - op->k, 0, 1);
		emit_drop(w->code);
		write_load_near_x(w, op, op->k);
	} else {
		emit_drop(w->code);
	}
	emit_label(w->code, &done);
}

/* X is four times the low half of a byte; A stays. */
static void write_header_length(const struct writer *w, const struct bpf_op *op)
{
	emit(w->code, BPF_ST, MEM_A);
	write_byte(w, op->k);
	emit(w->code, BPF_ALU | BPF_AND | BPF_K, 0xf);
	emit(w->code, BPF_ALU | BPF_LSH | BPF_K, 2);
	emit(w->code, BPF_MISC | BPF_TAX, 0);
	emit(w->code, BPF_LD | BPF_MEM, MEM_A);
}

static void write_length(const struct writer *w)
{
	emit(w->code, BPF_LD | BPF_W | BPF_LEN, 0);
	if (w->has_tag)
		emit_add(w->code, TAG_LEN);
}

static void write_length_to_x(const struct writer *w)
{
	emit(w->code, BPF_ST, MEM_A);
	write_length(w);
	emit(w->code, BPF_MISC | BPF_TAX, 0);
	emit(w->code, BPF_LD | BPF_MEM, MEM_A);
}

/* A division by zero ends a program as a load outside the frame does. */
static void write_division(const struct writer *w, const struct bpf_op *op)
{
	emit(w->code, BPF_ST, MEM_A);
	emit(w->code, BPF_MISC | BPF_TXA, 0);
	emit_test(w->code, BPF_JEQ | BPF_K, 0, 0, 1);
	emit_drop(w->code);
	emit(w->code, BPF_LD | BPF_MEM, MEM_A);
	emit(w->code, op->code, op->k);
}

static void write_jump(const struct writer *w, const struct bpf_op *op, size_t at)
{
	if (BPF_OP(op->code) == BPF_JA) {
		emit_goto(w->code, &w->targets[at + 1 + op->k]);
		return;
	}
	emit_test(w->code, BPF_OP(op->code) | BPF_SRC(op->code), op->k, 0, 1);
	emit_goto(w->code, &w->targets[at + 1 + op->jt]);
	emit_goto(w->code, &w->targets[at + 1 + op->jf]);
}

static void write_alu(const struct writer *w, const struct bpf_op *op)
{
	const bool divides = BPF_OP(op->code) == BPF_DIV || BPF_OP(op->code) == BPF_MOD;

	if (divides && BPF_SRC(op->code) == BPF_X)
		write_division(w, op);
	else
		emit(w->code, op->code, op->k);
}

static void write_op(const struct writer *w, const struct bpf_op *op, size_t at)
{
	switch (BPF_CLASS(op->code)) {
	case BPF_LD:
		if (BPF_MODE(op->code) == BPF_ABS)
			write_load(w, op);
		else if (BPF_MODE(op->code) == BPF_IND)
			write_indirect_load(w, op);
		else if (BPF_MODE(op->code) == BPF_LEN)
			write_length(w);
		else
			emit(w->code, op->code, op->k);
		break;
	case BPF_LDX:
		if (BPF_MODE(op->code) == BPF_MSH)
			write_header_length(w, op);
		else if (BPF_MODE(op->code) == BPF_LEN)
			write_length_to_x(w);
		else
			emit(w->code, op->code, op->k);
		break;
	case BPF_JMP:
		write_jump(w, op, at);
		break;
	case BPF_ALU:
		write_alu(w, op);
		break;
	case BPF_RET:
		if (op->k)
			emit_goto(w->code, w->matched);
		else
			emit_drop(w->code);
		break;
	default: /* BPF_ST, BPF_STX, BPF_MISC */
		emit(w->code, op->code, op->k);
	}
}

static void write_variant(struct writer *w, const struct bpf_op *ops, size_t n, bool has_tag)
{
	w->has_tag = has_tag;
	for (size_t i = 0; i < n; i++) {
		emit_label(w->code, &w->targets[i]);
		write_op(w, &ops[i], i);
	}
}

/* Whether what it reads depends on where the tag is. */
static bool minds_tags(const struct bpf_op *ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct bpf_op *op = &ops[i];
		const unsigned int mode = BPF_MODE(op->code);

		if (BPF_CLASS(op->code) != BPF_LD && BPF_CLASS(op->code) != BPF_LDX)
			continue;
		if (mode == BPF_LEN || mode == BPF_IND || mode == BPF_MSH ||
		    (mode == BPF_ABS && op->k + size_of(op->code) > TAG_AT))
			return true;
	}
	return false;
}

static bool jumps_outside(const struct bpf_op *op, size_t left)
{
	if (BPF_OP(op->code) == BPF_JA)
		return op->k >= left;
	return op->jt >= left || op->jf >= left;
}

/* What bpf_check_classic() wants, and that the places and returns are those counted on here. */
static const char *fault_of(const struct bpf_op *ops, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct bpf_op *op = &ops[i];
		const unsigned int class = BPF_CLASS(op->code), mode = BPF_MODE(op->code);
		const bool loads = class == BPF_LD || class == BPF_LDX;

		if (class == BPF_RET && BPF_RVAL(op->code) != BPF_K)
			return "it returns a computed value";
		if (class == BPF_JMP && jumps_outside(op, n - i - 1))
			return "it jumps back, as protochain does";
		if ((class == BPF_ST || class == BPF_STX || (loads && mode == BPF_MEM)) &&
		    op->k >= MEM_X)
			return "it takes too much scratch memory: make it simpler";
		if (loads && (mode == BPF_ABS || mode == BPF_IND || mode == BPF_MSH) &&
		    op->k >= (uint32_t)SKF_AD_OFF)
			return "it asks what is not in the frame, as inbound and ifindex do";
		if (loads && (mode == BPF_ABS || mode == BPF_IND || mode == BPF_MSH) &&
		    op->k > INT32_MAX - TAG_LEN)
			return "an offset in it is too large";
	}
	return n && BPF_CLASS(ops[n - 1].code) == BPF_RET ? NULL : "it does not end";
}

int hook_filter_add(struct bpf_code *code, const struct bpf_op *ops, size_t n, struct err *err)
{
	const char *fault = fault_of(ops, n);
	struct bpf_label matched = { 0 }, tagged = { 0 };
	struct writer w = { .code = code, .matched = &matched };

	if (fault)
		return err_set(err, -EINVAL, "the kernel cannot run it: %s", fault);
	w.targets = calloc(n, sizeof(*w.targets));
	if (!w.targets)
		return err_errno(err, -ENOMEM, "could not make a filter");
	if (minds_tags(ops, n)) {
		emit_beside(code, SKF_AD_VLAN_TAG_PRESENT);
		emit_test(code, BPF_JEQ | BPF_K, 0, 1, 0);
		emit_goto(code, &tagged);
		write_variant(&w, ops, n, false);
		emit_label(code, &tagged);
		write_variant(&w, ops, n, true);
	} else {
		write_variant(&w, ops, n, false);
	}
	emit_label(code, &matched);
	free(w.targets);
	return 0;
}
