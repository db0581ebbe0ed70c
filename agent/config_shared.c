#include "agent/config_shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/schema.h"

/* An iSCSI name and a LUN. */
#define VALUE_MAX 256

struct one {
	const struct conf_head *head;
	char value[VALUE_MAX];
};

static const char *lun_of_target(const struct config *config, size_t i, char *room)
{
	const struct target_conf *target = &config->targets[i];

	snprintf(room, VALUE_MAX, "%s LUN %u", target->name, target->lun);
	return room;
}

static const char *target_of_guest(const struct config *config, size_t i, char *room)
{
	(void)room;
	return config->guests[i].target;
}

static const char *initiator_of_guest(const struct config *config, size_t i, char *room)
{
	(void)room;
	return config->guests[i].initiator;
}

static const char *address_of_guest(const struct config *config, size_t i, char *room)
{
	const char *address = config->guests[i].address;

	if (!address || strcmp(address, "dhcp") == 0)
		return NULL;
	snprintf(room, VALUE_MAX, "%.*s", (int)strcspn(address, "/"), address);
	return room;
}

static const char *uuid_of_guest(const struct config *config, size_t i, char *room)
{
	(void)room;
	return config->guests[i].uuid;
}

static const struct {
	const char *key, *section;
	/* NULL when it has none; `room` has VALUE_MAX bytes for it. */
	const char *(*value)(const struct config *config, size_t i, char *room);
	const char *why;
} shared[] = {
	{ "name", "target", lun_of_target, "they are one LUN" },
	{ "target", "guest", target_of_guest,
	  "two that write to one LUN at once destroy its file systems" },
	{ "initiator", "guest", initiator_of_guest,
	  "a target ends the session of the one when the other logs in (RFC 7143 6.3.5)" },
	{ "address", "guest", address_of_guest, "two machines of one network need two" },
	{ "uuid", "guest", uuid_of_guest, "it is to tell machines apart" },
};

/* Those that are the same in the order of the file, as the sections are. */
static int compare(const void *a, const void *b)
{
	const struct one *x = a, *y = b;
	int order = strcasecmp(x->value, y->value);

	return order ? order : (x->head > y->head) - (x->head < y->head);
}

static size_t collect(const struct config *config, size_t which, struct one *list)
{
	const bool guests = strcmp(shared[which].section, "guest") == 0;
	const size_t count = guests ? config->n_guests : config->n_targets;
	size_t n = 0;

	for (size_t i = 0; i < count; i++) {
		char room[VALUE_MAX];
		const char *value = shared[which].value(config, i, room);

		if (!value)
			continue;
		list[n].head = guests ? &config->guests[i].head : &config->targets[i].head;
		snprintf(list[n++].value, VALUE_MAX, "%s", value);
	}
	return n;
}

void config_note_shared(const struct config *config, struct faults *notes)
{
	const size_t most = config->n_guests > config->n_targets ? config->n_guests
								 : config->n_targets;
	struct one *list = calloc(most + 1, sizeof(*list));

	for (size_t which = 0; list && which < sizeof(shared) / sizeof(shared[0]); which++) {
		const size_t n = collect(config, which, list);

		if (n)
			qsort(list, n, sizeof(*list), compare);
		for (size_t i = 1; i < n; i++) {
			if (strcasecmp(list[i].value, list[i - 1].value) == 0)
				schema_fault(notes, list[i].head, shared[which].key,
					     "[%s %s] has %s, too: %s: it holds all the same",
					     shared[which].section, list[i - 1].head->name,
					     list[i].value, shared[which].why);
		}
	}
	free(list);
}
