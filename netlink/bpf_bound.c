#include "netlink/bpf_bound.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stdlib.h>

/* A word of which the bits in `mask` are known; the others are 0 in `value`. */
struct word {
	uint32_t value, mask;
};

/* What A and X are when an instruction is reached, by whatever way. Scratch memory is not known. */
struct state {
	bool reached;
	struct word a, x;
};

struct walk {
	const struct bpf_known *known;
	struct state *states; /* one per instruction */
	size_t n;
	bool matches, fails; /* a return of either kind can be reached */
};

static struct word constant(uint32_t value)
{
	return (struct word){ value, UINT32_MAX };
}

static struct word join_word(struct word a, struct word b)
{
	const uint32_t mask = a.mask & b.mask & ~(a.value ^ b.value);

	return (struct word){ a.value & mask, mask };
}

/* False for a jump out of the program. */
static bool join(struct walk *walk, size_t at, const struct state *state)
{
	struct state *there;

	if (at >= walk->n)
		return false;
	there = &walk->states[at];
	if (!there->reached) {
		*there = *state;
		return true;
	}
	there->a = join_word(there->a, state->a);
	there->x = join_word(there->x, state->x);
	return true;
}

static struct word load_bytes(const struct walk *walk, uint32_t at, unsigned int size)
{
	struct word word = { 0, 0 };

	for (unsigned int i = 0; i < size; i++) {
		const bool inside = at < BPF_KNOWN_LEN && at + i < BPF_KNOWN_LEN;
		const uint8_t mask = inside ? walk->known->mask[at + i] : 0;

		word.mask = word.mask << 8 | mask;
		word.value = word.value << 8 | (inside ? walk->known->value[at + i] & mask : 0u);
	}
	/* What is shorter than a word has zeros before it. */
	if (size < 4)
		word.mask |= UINT32_MAX << (8 * size);
	return word;
}

static struct word load(const struct walk *walk, const struct bpf_op *op)
{
	static const unsigned int sizes[] = { [BPF_W >> 3] = 4,
					      [BPF_H >> 3] = 2,
					      [BPF_B >> 3] = 1 };
	const unsigned int size = BPF_SIZE(op->code) >> 3;

	if (BPF_MODE(op->code) == BPF_IMM)
		return constant(op->k);
	if (BPF_MODE(op->code) == BPF_ABS && size < sizeof(sizes) / sizeof(sizes[0]))
		return load_bytes(walk, op->k, sizes[size]);
	return (struct word){ 0, 0 };
}

static struct word compute(const struct bpf_op *op, struct word a, struct word b)
{
	uint32_t ones, zeros;

	switch (BPF_OP(op->code)) {
	case BPF_AND:
		zeros = (a.mask & ~a.value) | (b.mask & ~b.value);
		ones = a.value & b.value;
		return (struct word){ ones, zeros | ones };
	case BPF_OR:
		ones = a.value | b.value;
		zeros = a.mask & ~a.value & b.mask & ~b.value;
		return (struct word){ ones, zeros | ones };
	case BPF_LSH:
		if (b.mask == UINT32_MAX && b.value < 32)
			return (struct word){ a.value << b.value,
					      a.mask << b.value | ((1u << b.value) - 1) };
		break;
	case BPF_RSH:
		if (b.mask == UINT32_MAX && b.value < 32)
			return (struct word){ a.value >> b.value,
					      a.mask >> b.value | ~(UINT32_MAX >> b.value) };
		break;
	}
	return (struct word){ 0, 0 };
}

/* Which ways a test can go. */
struct ways {
	bool yes, no;
};

static struct ways test(const struct bpf_op *op, struct word a, struct word b)
{
	const uint32_t both = a.mask & b.mask;
	const bool all = both == UINT32_MAX;

	switch (BPF_OP(op->code)) {
	case BPF_JEQ:
		return (struct ways){ !((a.value ^ b.value) & both), !all || a.value != b.value };
	case BPF_JSET:
		/* A bit that is one on both sides decides, and none that may be. */
		return (struct ways){ ((a.value | ~a.mask) & (b.value | ~b.mask)) != 0,
				      !(a.value & b.value) };
	case BPF_JGT:
		return (struct ways){ !all || a.value > b.value, !all || a.value <= b.value };
	case BPF_JGE:
		return (struct ways){ !all || a.value >= b.value, !all || a.value < b.value };
	}
	return (struct ways){ true, true };
}

static bool jump(struct walk *walk, size_t at, const struct bpf_op *op)
{
	const struct state *here = &walk->states[at];
	const bool by_x = BPF_SRC(op->code) == BPF_X;
	const struct word operand = by_x ? here->x : constant(op->k);
	struct state equal = *here;
	struct ways ways;

	if (BPF_OP(op->code) == BPF_JA)
		return join(walk, at + 1 + op->k, here);
	ways = test(op, here->a, operand);
	if (BPF_OP(op->code) == BPF_JEQ && !by_x)
		equal.a = operand;
	return (!ways.yes || join(walk, at + 1 + op->jt, &equal)) &&
	       (!ways.no || join(walk, at + 1 + op->jf, here));
}

/* Of an instruction that goes on to the next one. */
static void step(const struct walk *walk, const struct bpf_op *op, struct state *state)
{
	switch (BPF_CLASS(op->code)) {
	case BPF_LD:
		state->a = load(walk, op);
		break;
	case BPF_LDX:
		state->x = BPF_MODE(op->code) == BPF_IMM ? constant(op->k) : (struct word){ 0, 0 };
		break;
	case BPF_ALU:
		state->a = compute(op, state->a,
				   BPF_SRC(op->code) == BPF_X ? state->x : constant(op->k));
		break;
	case BPF_MISC:
		if (BPF_MISCOP(op->code) == BPF_TAX)
			state->x = state->a;
		else
			state->a = state->x;
		break;
	}
}

/* The kernel ends a program so that divides by zero, with 0. */
static bool may_fail(const struct bpf_op *op)
{
	return BPF_CLASS(op->code) == BPF_ALU && BPF_SRC(op->code) == BPF_X &&
	       (BPF_OP(op->code) == BPF_DIV || BPF_OP(op->code) == BPF_MOD);
}

static bool visit(struct walk *walk, size_t at, const struct bpf_op *op)
{
	struct state next = walk->states[at];

	if (BPF_CLASS(op->code) == BPF_RET) {
		walk->matches = walk->matches || BPF_RVAL(op->code) == BPF_A || op->k;
		walk->fails = walk->fails || BPF_RVAL(op->code) == BPF_A || !op->k;
		return true;
	}
	if (BPF_CLASS(op->code) == BPF_JMP)
		return jump(walk, at, op);
	walk->fails = walk->fails || may_fail(op);
	step(walk, op, &next);
	return join(walk, at + 1, &next);
}

enum bpf_bound bpf_bound(const struct bpf_op *ops, size_t n, const struct bpf_known *known)
{
	struct walk walk = { .known = known, .n = n };
	bool sound;

	walk.states = calloc(n + 1, sizeof(*walk.states));
	sound = walk.states && n;
	if (sound)
		walk.states[0] = (struct state){ true, constant(0), constant(0) };
	/* Jumps go forward only: every way to an instruction is known when it is visited. */
	for (size_t at = 0; sound && at < n; at++) {
		if (walk.states[at].reached)
			sound = visit(&walk, at, &ops[at]);
	}
	free(walk.states);
	if (!sound || walk.matches == walk.fails)
		return BPF_MATCHES_SOME;
	return walk.matches ? BPF_MATCHES_ALL : BPF_MATCHES_NONE;
}
