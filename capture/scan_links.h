/*
 * The links of a capture: each interface that its packets came by, in all sections of a file, with
 * what is searched of it in common.
 *
 * Edge: a filter is compiled for each link type.
 */
#ifndef TW_SCAN_LINKS_H
#define TW_SCAN_LINKS_H

#include "agent/base/bpf_code.h"
#include "capture/capture_search.h"
#include "capture/pcap_reader.h"
#include "capture/sift.h"

/* Interfaces that differ, in all sections of a file together. */
#define SCAN_LINKS_MAX 65536u

#define SCAN_BUCKETS 4096u

struct scan_link {
	struct sift_link sift;
	struct scan_link *chain;
	struct pcap_interface interface; /* as it was first described */
	struct bpf_code filter;
	bool unfiltered; /* there is no such filter for the link type */
	bool described; /* in the file of the matching frames: */
	uint32_t out;
};

struct scan_links {
	struct capture_search *search;
	const char *bpf; /* in pcap-filter(7), or NULL */
	struct scan_link **all; /* by the number of their `sift` */
	size_t n;
	struct scan_link **buckets; /* SCAN_BUCKETS, by what tells them apart */
	struct scan_link **section; /* by the number that packets of the section have */
	size_t n_section;
};

/* The search is ready; it and `bpf` outlive the links. 0 or -ENOMEM: then nothing is to be done. */
int scan_links_init(struct scan_links *links, struct capture_search *search, const char *bpf);
void scan_links_done(struct scan_links *links);

/*
 * The link of an interface, which is met for the first time or has the same name and link type as
 * one of a section before. 0, -ENOMEM, or -E2BIG beyond SCAN_LINKS_MAX.
 */
int scan_links_find(struct scan_links *links, const struct pcap_interface *interface,
		    struct scan_link **ret);

/* The same, of the interface with that number in its section. */
int scan_links_of(struct scan_links *links, uint32_t number, const struct pcap_interface *interface,
		  struct scan_link **ret);

/* Another section begins: numbers of interfaces hold no more. */
void scan_links_section(struct scan_links *links);

/* The link whose `sift` it is. */
static inline const struct scan_link *scan_link_of(const struct sift_link *link)
{
	return (const struct scan_link *)((const char *)link - offsetof(struct scan_link, sift));
}

#endif
