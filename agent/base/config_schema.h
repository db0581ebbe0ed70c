/*
 * Inside the configuration's tables: what their files have in common. Each config_schema_X.c holds
 * the sections about X; config_schema.c lists them all. Pure.
 */
#ifndef TW_CONFIG_SCHEMA_H
#define TW_CONFIG_SCHEMA_H

#include "agent/base/schema.h"

#define KIB (UINT64_C(1) << 10)
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* Whose copy has a key or a section. */
#define AGENT	CONFIG_FOR_AGENT
#define CAPTURE (CONFIG_FOR_AGENT | CONFIG_FOR_CAPTURE)
#define WEB	(CONFIG_FOR_AGENT | CONFIG_FOR_WEB)
#define ALL	(CONFIG_FOR_AGENT | CONFIG_FOR_CAPTURE | CONFIG_FOR_WEB)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEYS(array)                                \
	{                                          \
		.keys = (array), .n = COUNT(array) \
	}
#define WORDS(array)                                      \
	{                                                 \
		.words = (array), .n_words = COUNT(array) \
	}
#define RANGE(low, high)                    \
	{                                   \
		.min = (low), .max = (high) \
	}

/* Where a section is in struct config: a struct of its own, or an array of those with names. */
#define SINGLE(member) \
	.size = sizeof(((struct config *)NULL)->member), .offset = offsetof(struct config, member)
#define ARRAY(member, type)                                                                    \
	.named = true, .size = sizeof(struct type), .offset = offsetof(struct config, member), \
	.offset_n = offsetof(struct config, n_##member)

extern const struct schema_section agent_section;
extern const struct schema_section set_section;
extern const struct schema_section link_section;
extern const struct schema_section pattern_section;
extern const struct schema_section log_section;
extern const struct schema_section record_section;
extern const struct schema_section stream_section;
extern const struct schema_section target_section;
extern const struct schema_section guest_section;
extern const struct schema_section web_section;
extern const struct schema_section user_section;

#endif
