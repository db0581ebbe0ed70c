#include "agent/pin_macs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/desired.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The links of all guests, in the order of their names; the caller frees it. */
static const char **guest_links(const struct config *config)
{
	const char **links = calloc(config->n_guests + 1, sizeof(const char *));

	for (size_t i = 0; links && i < config->n_guests; i++)
		links[i] = config->guests[i].link;
	if (links)
		qsort(links, config->n_guests, sizeof(const char *), compare);
	return links;
}

static int pin(struct config *config, const struct link_spec *specs, size_t n)
{
	struct config_pin *pins = calloc(n + 1, sizeof(*pins));
	const char **links = guest_links(config);
	size_t n_pins = 0;
	int code = -ENOMEM;

	for (size_t i = 0; pins && links && i < n; i++) {
		const char *name = specs[i].name;

		if (!bsearch(&name, links, config->n_guests, sizeof(name), compare))
			continue;
		pins[n_pins] = (struct config_pin){ .name = name, .set = specs[i].set };
		memcpy(pins[n_pins++].mac, specs[i].mac, MAC_LEN);
	}
	if (pins && links)
		code = config_pin_macs(config, pins, n_pins);
	free(links);
	free(pins);
	return code;
}

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
	code = pin(config, specs, n);
	free(specs);
	return code ? err_errno(err, code, "cannot keep the links' MAC addresses") : 0;
}
