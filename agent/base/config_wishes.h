/* Whether all the links that sets and sections make together can be: faults between them. Pure. */
#ifndef TW_CONFIG_WISHES_H
#define TW_CONFIG_WISHES_H

#include "agent/base/config.h"

/* `wishes` is what config_links() makes of `config`. Adds a fault for each. 0 or -ENOMEM. */
int config_check_wishes(const struct config *config, const struct link_wish *wishes, size_t n,
			struct faults *faults);

#endif
