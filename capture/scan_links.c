#include "capture/scan_links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/bpf_compile.h"
#include "agent/base/hash.h"

int scan_links_init(struct scan_links *links, struct capture_search *search, const char *bpf)
{
	*links = (struct scan_links){ .search = search, .bpf = bpf };
	links->buckets = calloc(SCAN_BUCKETS, sizeof(struct scan_link *));
	return links->buckets ? 0 : -ENOMEM;
}

static void link_free(struct scan_link *link)
{
	if (!link)
		return;
	sift_link_done(&link->sift);
	bpf_code_done(&link->filter);
	free(link);
}

void scan_links_done(struct scan_links *links)
{
	for (size_t i = 0; i < links->n; i++)
		link_free(links->all[i]);
	free(links->all);
	free(links->buckets);
	free(links->section);
}

static int link_add(struct scan_links *links, const struct pcap_interface *interface,
		    struct scan_link **bucket, struct scan_link **ret)
{
	const char *bpf = links->bpf;
	struct scan_link *link, **more;
	struct err err;

	if (links->n == SCAN_LINKS_MAX)
		return -E2BIG;
	link = calloc(1, sizeof(*link));
	more = reallocarray(links->all, links->n + 1, sizeof(*more));
	if (more)
		links->all = more;
	if (!link || !more ||
	    sift_link_init(&link->sift, (uint32_t)links->n, &links->search->rules,
			   &links->search->mask, false)) {
		link_free(link);
		return -ENOMEM;
	}
	link->interface = *interface;
	link->unfiltered = bpf && bpf_compile_for_file(bpf, interface->link_type,
						       interface->swapped, &link->filter, &err);
	more[links->n++] = link;
	link->chain = *bucket;
	*bucket = *ret = link;
	return 0;
}

int scan_links_find(struct scan_links *links, const struct pcap_interface *interface,
		    struct scan_link **ret)
{
	uint64_t numbers = (uint64_t)interface->link_type << 32 | interface->twin;
	uint64_t hash = hash_bytes(HASH_INIT ^ links->search->seed, &numbers, sizeof(numbers));
	struct scan_link **bucket =
		&links->buckets[hash_text(hash, interface->name) % SCAN_BUCKETS];

	for (struct scan_link *link = *bucket; link; link = link->chain) {
		const struct pcap_interface *known = &link->interface;

		if (known->link_type == interface->link_type && known->twin == interface->twin &&
		    strcmp(known->name, interface->name) == 0) {
			*ret = link;
			return 0;
		}
	}
	return link_add(links, interface, bucket, ret);
}

int scan_links_of(struct scan_links *links, uint32_t number, const struct pcap_interface *interface,
		  struct scan_link **ret)
{
	struct scan_link **more;
	int code;

	if (number < links->n_section && links->section[number]) {
		*ret = links->section[number];
		return 0;
	}
	code = scan_links_find(links, interface, ret);
	if (code || number >= PCAP_INTERFACES_MAX)
		return code;
	if (number >= links->n_section) {
		more = reallocarray(links->section, number + 1u, sizeof(struct scan_link *));
		if (!more)
			return -ENOMEM;
		memset(more + links->n_section, 0,
		       (number + 1u - links->n_section) * sizeof(struct scan_link *));
		links->section = more;
		links->n_section = number + 1u;
	}
	links->section[number] = *ret;
	return 0;
}

void scan_links_section(struct scan_links *links)
{
	links->n_section = 0;
}
