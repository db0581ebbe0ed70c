#include "agent/reconcile_parts.h"

int reconcile_reach(const struct reconcile *reconcile, struct reach *ret, struct err *err)
{
	int code = reach_make(reconcile->specs, reconcile->n, &reconcile->table, reconcile->group,
			      ret);

	return code < 0 ? err_errno(err, code, "could not list the links") : 0;
}
