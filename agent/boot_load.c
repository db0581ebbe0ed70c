#include "agent/boot_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/hint.h"
#include "agent/pin_macs.h"
#include "agent/secrets.h"

/* Only this guest's secret is needed, so another's that cannot be read does not matter. */
static int load_secrets(struct config *config, const struct guest_conf *guest, struct err *err)
{
	for (size_t i = 0; i < config->n_targets; i++) {
		if (guest->target && strcmp(config->targets[i].head.name, guest->target) == 0)
			return secrets_load_target(&config->targets[i], err);
	}
	return 0;
}

static int no_guest(const struct config *config, const char *name, struct err *err)
{
	struct hint hint = hint_for(name);
	char meant[HINT_TEXT_MAX];

	for (size_t i = 0; i < config->n_guests; i++)
		hint_try(&hint, config->guests[i].head.name);
	return err_set(err, -ENOENT, "there is no [guest %s]%s", name, hint_text(hint.best, meant));
}

int boot_load(struct config *config, const char *name, struct boot_spec *ret, struct err *err)
{
	const struct guest_conf *guest = config_find_guest(config, name);
	struct link_wish *links = NULL;
	struct boot_spec spec;
	size_t n;
	int code;

	if (!guest)
		return no_guest(config, name, err);
	code = load_secrets(config, guest, err);
	if (!code)
		code = pin_macs(config, err);
	if (!code)
		code = boot_spec_init(&spec, config, guest, err);
	if (!code)
		code = config_links(config, &links, &n, err);
	if (code)
		return code;
	boot_spec_set_mac(&spec, links, n);
	free(links);
	*ret = spec;
	return 0;
}
