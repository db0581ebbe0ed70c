/* The addresses of a link: what the kernel tells of them, and the requests that set them. Pure. */
#ifndef TW_LINK_ADDR_H
#define TW_LINK_ADDR_H

#include "agent/base/link_types.h"
#include "netlink/link_msg.h"

/*
 * The mark of ours in the kernel object, IFA_PROTO: who put the address there. The kernel has used
 * 1 to 3 (IFAPROT_KERNEL_LO ...), and keeps it since Linux 5.18; before, addresses that are not
 * wanted any more stay.
 */
#define LINK_ADDR_PROTO 0x74

/*
 * What of a link matters: the wanted addresses may be anybody's, those to be taken away are ours.
 */
struct link_addr {
	uint32_t ifindex;
	struct cidr cidr;
	bool is_ours;
};

/*
 * Fills `ret` from a message of type RTM_NEWADDR. 0; -EBADMSG for one that is cut or wrong; -EINVAL
 * for another type or family. `ret` is untouched on failure.
 */
int link_addr_parse(const struct nlmsghdr *msg, struct link_addr *ret);

/* Those of one link; there may be more than are kept. */
#define LINK_ADDR_LIST_MAX 32

struct link_addr_list {
	size_t n;
	struct link_addr list[LINK_ADDR_LIST_MAX];
};

/* By address and prefix. */
bool link_addr_list_has(const struct link_addr_list *list, const struct cidr *cidr);

/* As the builders of link_msg.h. */
int link_msg_add_addr(struct link_msg *msg, uint32_t ifindex, const struct cidr *cidr);
int link_msg_delete_addr(struct link_msg *msg, uint32_t ifindex, const struct cidr *cidr);

#endif
