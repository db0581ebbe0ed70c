#include "agent/pin_macs.h"

#include <stdlib.h>

#include "agent/desired.h"

int pin_macs(struct config *config, struct err *err)
{
	char host_id[HOST_ID_MAX];
	struct link_spec *specs;
	size_t n;
	int code;

	/* Of guests alone: a section for each of a thousand links is megabytes in every process. */
	if (config->n_guests == 0)
		return 0;
	desired_host_id(host_id);
	code = desired_links(config, host_id, &specs, &n, err);
	if (code)
		return code;
	for (size_t i = 0; code == 0 && i < n; i++) {
		if (config_guest_of_link(config, specs[i].name))
			code = config_pin_mac(config, specs[i].name, specs[i].set, specs[i].mac);
	}
	free(specs);
	return code ? err_errno(err, code, "cannot keep the links' MAC addresses") : 0;
}
