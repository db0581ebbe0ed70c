/* The network namespaces beside the agent's own in which links live, or were left. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/reconcile_parts.h"
#include "netlink/link_filters.h"
#include "netlink/link_marks.h"
#include "netlink/netns.h"

static struct reconcile_place *find(struct reconcile *reconcile, const char *netns)
{
	for (size_t i = 0; i < reconcile->n_places; i++) {
		if (strcmp(reconcile->places[i].netns, netns) == 0)
			return &reconcile->places[i];
	}
	return NULL;
}

static struct reconcile_place *add(struct reconcile *reconcile, const char *netns)
{
	struct reconcile_place *places = reallocarray(reconcile->places, reconcile->n_places + 1,
						      sizeof(*reconcile->places));

	if (!places)
		return NULL;
	reconcile->places = places;
	places += reconcile->n_places++;
	*places = (struct reconcile_place){ .wanted = false };
	snprintf(places->netns, sizeof(places->netns), "%s", netns);
	return places;
}

static void leave(struct reconcile_place *place)
{
	nl_channel_free(place->channel);
	place->channel = NULL;
}

static void forget(struct reconcile_place *place)
{
	leave(place);
	link_table_done(&place->table);
}

/* Enters the namespace of the open file `fd` and looks at its links. */
static int enter(struct reconcile *reconcile, struct reconcile_place *place, int fd,
		 struct err *err)
{
	int code;

	if (netns_is_same(fd, reconcile->home))
		return err_set(err, -EINVAL, "it is the agent's own: leave netns out");
	code = netns_channel(fd, &place->channel, err);
	/* What has an id is listened to, see nl_channel_listen_all(). */
	if (code == 0 && !reconcile->listens_all) {
		code = nl_channel_listen_all(reconcile->channel);
		if (code < 0)
			err_errno(err, code, "it cannot be listened to");
		reconcile->listens_all = code == 0;
	}
	if (code == 0)
		code = netns_id(reconcile->channel, fd, true, &place->nsid, err);
	if (code == 0)
		code = netns_id(place->channel, reconcile->home, true, &place->home_nsid, err);
	if (code == 0)
		code = nl_channel_dump_links(place->channel, reconcile->stats, &place->table, err);
	if (code == 0)
		code = link_filters_look(place->channel, &place->table, reconcile->group, err);
	return code;
}

/* What is the matter with it is in `absent` after it. */
static void look(struct reconcile *reconcile, struct reconcile_place *place)
{
	int fd = netns_open(place->netns);
	struct err err = { "" };

	leave(place);
	link_table_reset(&place->table);
	place->absent[0] = '\0';
	if (fd == -ENOENT) {
		snprintf(place->absent, sizeof(place->absent),
			 "the network namespace %s does not exist: waiting for it", place->netns);
		return;
	}
	if (fd < 0)
		err_errno(&err, fd, "it cannot be opened");
	if (fd < 0 || enter(reconcile, place, fd, &err) < 0) {
		snprintf(place->absent, sizeof(place->absent), "the network namespace %s: %.120s",
			 place->netns, err.text);
		leave(place);
		link_table_reset(&place->table);
	}
	if (fd >= 0)
		close(fd);
}

static bool has_ours(const struct reconcile *reconcile, const struct reconcile_place *place)
{
	for (size_t i = 0; i < place->table.n; i++) {
		if (link_is_ours(&place->table.links[i], reconcile->group))
			return true;
	}
	return false;
}

/* One that has links on devices of this namespace has an id here (dev_change_net_namespace()). */
static bool has_id(struct reconcile *reconcile, const char *netns)
{
	int fd = netns_open(netns);
	int32_t id = -1;

	if (fd < 0)
		return false;
	if (netns_is_same(fd, reconcile->home) ||
	    netns_id(reconcile->channel, fd, false, &id, NULL) < 0)
		id = -1;
	close(fd);
	return id >= 0;
}

/* Adds those where a link of ours is that nobody asked for there. */
static void scan(struct reconcile *reconcile)
{
	DIR *dir = opendir(NETNS_DIR);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct reconcile_place *place;

		if (parse_netns(entry->d_name, NULL) < 0 || find(reconcile, entry->d_name) ||
		    !has_id(reconcile, entry->d_name))
			continue;
		place = add(reconcile, entry->d_name);
		if (!place)
			break;
		look(reconcile, place);
		if (has_ours(reconcile, place))
			continue;
		forget(place);
		reconcile->n_places--;
	}
	if (dir)
		closedir(dir);
}

/* Those that are wanted, each once; of the others those stay in which something is left to do. */
static int list_wanted(struct reconcile *reconcile, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < reconcile->n_places; i++)
		reconcile->places[i].wanted = false;
	for (size_t i = 0; i < reconcile->n; i++) {
		const char *netns = reconcile->specs[i].netns;
		struct reconcile_place *place = *netns ? find(reconcile, netns) : NULL;

		if (*netns && !place)
			place = add(reconcile, netns);
		if (*netns && !place)
			return err_errno(err, -ENOMEM, "could not list the network namespaces");
		if (place)
			place->wanted = true;
	}
	for (size_t i = 0; i < reconcile->n_places; i++) {
		struct reconcile_place *place = &reconcile->places[i];

		if (place->wanted || has_ours(reconcile, place))
			reconcile->places[n++] = *place;
		else
			forget(place);
	}
	reconcile->n_places = n;
	return 0;
}

int reconcile_refresh_places(struct reconcile *reconcile, struct err *err)
{
	int code = list_wanted(reconcile, err);

	if (code < 0)
		return code;
	for (size_t i = 0; i < reconcile->n_places; i++)
		look(reconcile, &reconcile->places[i]);
	if (reconcile->scan)
		scan(reconcile);
	reconcile->scan = false;
	return 0;
}

void reconcile_leave_places(struct reconcile *reconcile)
{
	for (size_t i = 0; i < reconcile->n_places; i++)
		leave(&reconcile->places[i]);
}

void reconcile_free_places(struct reconcile *reconcile)
{
	for (size_t i = 0; i < reconcile->n_places; i++)
		forget(&reconcile->places[i]);
	free(reconcile->places);
	reconcile->places = NULL;
	reconcile->n_places = 0;
}

const struct reconcile_place *reconcile_place_of(const struct reconcile *reconcile,
						 const struct link_spec *spec)
{
	for (size_t i = 0; *spec->netns && i < reconcile->n_places; i++) {
		if (strcmp(reconcile->places[i].netns, spec->netns) == 0)
			return &reconcile->places[i];
	}
	return NULL;
}

const struct link_table *reconcile_table_of(const struct reconcile *reconcile,
					    const struct link_spec *spec)
{
	const struct reconcile_place *place = reconcile_place_of(reconcile, spec);

	return place ? &place->table : &reconcile->table;
}

/* Which steps go together, in which order: what is in the way elsewhere goes first. */
enum phase {
	PHASE_ELSEWHERE_AWAY,
	PHASE_HOME,
	PHASE_ELSEWHERE,
	PHASES
};

static enum phase phase_of(const struct link_step *step)
{
	if (step->place == 0)
		return PHASE_HOME;
	if (step->op == LINK_OP_DELETE || step->attrs & 1u << LINK_ATTR_NETNS)
		return PHASE_ELSEWHERE_AWAY;
	return PHASE_ELSEWHERE;
}

static int apply_part(struct reconcile *reconcile, unsigned int number, enum phase phase,
		      link_result_cb cb, void *data, struct err *err)
{
	const struct reconcile_place *place = number ? &reconcile->places[number - 1] : NULL;
	const struct link_rising_watch elsewhere = { .cb = NULL };
	const struct link_plan *whole = &reconcile->plan;
	struct link_plan part = {
		.steps = calloc(whole->n + 1, sizeof(*part.steps)),
		.lowers = &reconcile->table,
		.lower_nsid = place ? place->home_nsid : -1,
	};
	int code = 0;

	if (!part.steps)
		return err_errno(err, -ENOMEM, "could not carry out the plan");
	for (size_t i = 0; i < whole->n; i++) {
		if (whole->steps[i].place == number && phase_of(&whole->steps[i]) == phase)
			part.steps[part.n++] = whole->steps[i];
	}
	if (part.n)
		code = link_apply(place && place->channel ? place->channel : reconcile->channel,
				  &part, place ? &place->table : &reconcile->table,
				  reconcile->group, place ? reconcile->home : -1,
				  place ? &elsewhere : &reconcile->rising, cb, data, err);
	free(part.steps);
	return code;
}

int reconcile_apply_places(struct reconcile *reconcile, link_result_cb cb, void *data,
			   struct err *err)
{
	int open = 0, code;

	for (int phase = 0; phase < PHASES; phase++) {
		for (unsigned int number = 0; number <= reconcile->n_places; number++) {
			code = apply_part(reconcile, number, (enum phase)phase, cb, data, err);
			if (code < 0)
				return code;
			open += code;
		}
	}
	return open;
}
