/* A walk over netlink attributes that cannot leave its bytes, whatever their lengths say. Pure. */
#ifndef TW_ATTR_LIST_H
#define TW_ATTR_LIST_H

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stddef.h>

/* `data` is aligned to 4 bytes, as every netlink message and its nested parts are. */
struct attr_list {
	const char *data;
	size_t left;
};

static inline size_t attr_align(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

static inline struct attr_list attr_list_of(const struct nlattr *nest)
{
	return (struct attr_list){
		.data = mnl_attr_get_payload(nest),
		.left = mnl_attr_get_payload_len(nest),
	};
}

/* 1 and the next attribute, whole; 0 at the end; -EBADMSG for one that overruns the list. */
static inline int attr_next(struct attr_list *list, const struct nlattr **ret)
{
	const struct nlattr *attr = (const void *)list->data;
	size_t step;

	if (list->left == 0)
		return 0;
	if (list->left < sizeof(*attr) || attr->nla_len < sizeof(*attr) ||
	    attr->nla_len > list->left)
		return -EBADMSG;
	step = attr_align(attr->nla_len);
	if (step > list->left)
		step = list->left;
	list->data += step;
	list->left -= step;
	*ret = attr;
	return 1;
}

#endif
