/* The template of a set's link names: "web%d" or "web%02d", numbered from 1. Pure. */
#ifndef TW_NAME_TEMPLATE_H
#define TW_NAME_TEMPLATE_H

#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/parse.h"

/*
 * The name of link `number`: one that the kernel takes and that a [link NAME] section can carry.
 * -EINVAL when the template has not exactly one %d or %0Nd, or the name is not valid.
 */
int name_template_format(const char *name_template, uint32_t number, char ret_name[IFNAME_SIZE],
			 struct err *err);

#endif
