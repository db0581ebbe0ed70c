/* What a macvlan link can be, in the words of ip-link(8): shared by configuration and netlink. */
#ifndef TW_LINK_TYPES_H
#define TW_LINK_TYPES_H

enum link_kind {
	LINK_KIND_MACVTAP,
	LINK_KIND_MACVLAN,
	LINK_KINDS
};

enum link_mode {
	LINK_MODE_VEPA,
	LINK_MODE_BRIDGE,
	LINK_MODE_PRIVATE,
	LINK_MODE_PASSTHRU,
	LINK_MODES,
};

/* Indexed by the enums; the tables of allowed words in the configuration are these too. */
extern const char *const link_kind_names[LINK_KINDS];
extern const char *const link_mode_names[LINK_MODES];

#endif
