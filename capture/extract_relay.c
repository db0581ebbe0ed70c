#include "capture/extract_relay.h"

void extract_relay_init(struct extract_relay *relay)
{
	*relay = (struct extract_relay){ .part = 0 };
	pthread_mutex_init(&relay->lock, NULL);
	pthread_cond_init(&relay->moved, NULL);
}

void extract_relay_done(struct extract_relay *relay)
{
	pthread_cond_destroy(&relay->moved);
	pthread_mutex_destroy(&relay->lock);
}

void extract_relay_peek(struct extract_relay *relay, union extract_carry *ret)
{
	pthread_mutex_lock(&relay->lock);
	*ret = relay->carry;
	pthread_mutex_unlock(&relay->lock);
}

void extract_relay_take(struct extract_relay *relay, uint64_t part, union extract_carry *ret)
{
	pthread_mutex_lock(&relay->lock);
	while (relay->part != part)
		pthread_cond_wait(&relay->moved, &relay->lock);
	*ret = relay->carry;
	pthread_mutex_unlock(&relay->lock);
}

void extract_relay_give(struct extract_relay *relay, const union extract_carry *carry)
{
	pthread_mutex_lock(&relay->lock);
	relay->carry = *carry;
	relay->part++;
	pthread_cond_broadcast(&relay->moved);
	pthread_mutex_unlock(&relay->lock);
}
