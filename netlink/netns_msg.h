/*
 * The ids that one network namespace has for others (RTM_NEWNSID, rtnetlink(7)): by them a link
 * tells where its lower device is. Pure.
 */
#ifndef TW_NETNS_MSG_H
#define TW_NETNS_MSG_H

#include "netlink/link_msg.h"

/* Gives the namespace of the open file `fd` an id, whichever; -EEXIST of the kernel: it has one. */
int netns_msg_new_id(struct link_msg *msg, int fd);

/* Asks for its id. */
int netns_msg_get_id(struct link_msg *msg, int fd);

/* The answer: -1 for none. 0, or -EBADMSG with `ret` untouched. */
int netns_id_parse(const struct nlmsghdr *msg, int32_t *ret);

#endif
