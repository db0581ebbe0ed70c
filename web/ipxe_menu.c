#include "web/ipxe_menu.h"

/* Menus are in iPXE since 2012 (hci/commands/menu_cmd.c), hence in the ROM of 2019. */
static const char *const texts[] = {
	[BOOT_STATE_RUN] = "its own system",
	[BOOT_STATE_INSTALL] = "its installer",
	[BOOT_STATE_RESCUE] = "its rescue system",
	[BOOT_STATE_LOCAL] = "a disk of the machine",
};

enum boot_state ipxe_menu_default(enum boot_state state)
{
	return state == BOOT_STATE_ONCE ? BOOT_STATE_RUN : state;
}

uint32_t ipxe_menu_offers(uint32_t menu, enum boot_state state)
{
	return menu ? menu | 1u << ipxe_menu_default(state) : 0;
}

void ipxe_menu(const struct boot_spec *spec, enum boot_state state, struct buf *out)
{
	uint32_t offers = ipxe_menu_offers(spec->menu, state);
	const uint8_t *mac = spec->mac;

	buf_addf(out, "menu tapwarden: guest %s\n", spec->guest);
	for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (offers & 1u << i)
			buf_addf(out, "item %s %s\n", boot_state_names[i], texts[i]);
	}
	buf_addf(out, "choose --default %s ", boot_state_names[ipxe_menu_default(state)]);
	/* In milliseconds; without one it waits for a key. */
	if (spec->menu_timeout)
		buf_addf(out, "--timeout %u000 ", spec->menu_timeout);
	/* Escape leaves the menu, and with it iPXE. What was chosen is a word of this script. */
	buf_addf(
		out,
		"chosen || exit 1\n"
		"chain --autofree --replace /ipxe/%02x-%02x-%02x-%02x-%02x-%02x/${chosen} || goto failed\n"
		":failed\n"
		"echo tapwarden: guest %s is not given what was chosen, next device\n"
		"exit 1\n",
		mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], spec->guest);
}
