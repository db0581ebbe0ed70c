#include "netlink/link_spec.h"

#include <stdio.h>

void link_spec_alias(const struct link_spec *spec, char ret[LINK_ALIAS_MAX])
{
	snprintf(ret, LINK_ALIAS_MAX, LINK_ALIAS_PREFIX "%s/%s", spec->set, spec->name);
}
