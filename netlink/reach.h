/*
 * Who can talk to whom, per lower device: the wanted links, with what others have on the same
 * devices, in classes of one kind and mode, so that a thousand links give a small table. Pure.
 */
#ifndef TW_REACH_H
#define TW_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink/link_spec.h"
#include "netlink/link_state.h"
#include "netlink/reach_filter.h"
#include "netlink/reach_rules.h"

/* One link of a class. */
struct reach_member {
	const char *name;
	const struct link_spec *spec; /* NULL: not of this configuration */
	const struct link_state *link; /* NULL: planned, the kernel does not have it so */
};

/* Links of one kind and mode on one lower device. macvtap is a guest's, macvlan the host's. */
struct reach_class {
	enum link_kind kind;
	enum reach_end end;
	const struct reach_member *members; /* in the order of the specs, then those of others */
	size_t n;
	size_t planned; /* of them */
	size_t elsewhere; /* in other network namespaces: not looked at */
	size_t foreign;
};

/* From whom to whom; NULL where that end is not a class. */
struct reach_cell {
	const struct reach_class *from_class, *to_class;
	enum reach_end from, to;
	struct reach_sieve sieves[LINK_HOOKS]; /* of the senders, of the receivers */
	enum reach_pass pass[REACH_CASTS]; /* of both; filters of others are not looked at */
};

#define REACH_CLASSES_MAX (LINK_KINDS * REACH_MODES)

struct reach_lower {
	const char *name;
	const struct link_state *device; /* NULL: it is not there */
	enum reach_reflection reflection;
	char reflection_why[128];
	struct reach_class classes[REACH_CLASSES_MAX];
	size_t n_classes;
	struct reach_cell *cells; /* guests, host legs and the host with each other, and outside */
	size_t n_cells;
	bool is_mixed; /* more modes than one: they do not talk directly */
	bool is_refused; /* passthru with others: the kernel will not have it */
};

struct reach {
	struct reach_lower *lowers; /* by name */
	size_t n;
	struct reach_member *members;
};

/* "macvtap bridge" for a class, else "host" or "outside". */
#define REACH_END_MAX 64
void reach_format_end(char ret[REACH_END_MAX], const struct reach_class *class, enum reach_end end);

/* What becomes of the frames of a cell by its mode and its filters; as reach_answer(). */
enum reach_answer reach_cell_answer(const struct reach_lower *lower, const struct reach_cell *cell,
				    enum reach_cast cast);

/*
 * The report of the lower devices that `specs` name. It is of the configuration when applied: a
 * link that the kernel has otherwise, or not at all, counts as planned. Links of ours that are in
 * no spec do not count: they are to go. The result points into `specs` and `table`; freed by
 * reach_done(). Returns 0 or -ENOMEM.
 */
int reach_make(const struct link_spec *specs, size_t n_specs, const struct link_table *table,
	       uint32_t group, struct reach *ret);
void reach_done(struct reach *reach);

#endif
