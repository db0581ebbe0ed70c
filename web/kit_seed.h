/* The files of a NoCloud seed, in the order of their names. Pure. */
#ifndef TW_KIT_SEED_H
#define TW_KIT_SEED_H

#include "web/kit.h"

#define KIT_SEEDS 4

struct kit_seed {
	const char *name;
	void (*write)(const struct kit *kit, struct text_out *out);
};

extern const struct kit_seed kit_seeds[KIT_SEEDS];

#endif
