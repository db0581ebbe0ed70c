#include "agent/base/link_types.h"

const char *const link_kind_names[LINK_KINDS] = {
	[LINK_KIND_MACVTAP] = "macvtap",
	[LINK_KIND_MACVLAN] = "macvlan",
};

const char *const link_mode_names[LINK_MODES] = {
	[LINK_MODE_VEPA] = "vepa",
	[LINK_MODE_BRIDGE] = "bridge",
	[LINK_MODE_PRIVATE] = "private",
	[LINK_MODE_PASSTHRU] = "passthru",
};
