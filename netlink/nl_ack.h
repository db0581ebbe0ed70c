/* The kernel's answer to one request: NLMSG_ERROR with its extended ack. Pure. */
#ifndef TW_NL_ACK_H
#define TW_NL_ACK_H

struct nlmsghdr;

#define NL_ACK_TEXT_MAX 192

struct nl_ack {
	int error; /* 0 or -errno */
	char text[NL_ACK_TEXT_MAX]; /* NLMSGERR_ATTR_MSG, printable bytes only; "" when none */
};

/*
 * Fills `ret` from a message of type NLMSG_ERROR, of which all nlmsg_len bytes are there. -EBADMSG
 * for one that is too short; attributes that do not fit are not read. -EINVAL for another type.
 */
int nl_ack_parse(const struct nlmsghdr *msg, struct nl_ack *ret);

#endif
