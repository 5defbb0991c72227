#include "daemon/keeper/peers.h"

#include <stdlib.h>

#include "base/err.h"
#include "daemon/keeper/internal.h"

struct us_peers {
	struct us_channel *at[US_KEEPER_PEERS];
	struct us_channel *vault;   /* one of them */
	struct us_channel *control; /* to the monitor */
};

int
us_peers_new(struct us_keeper *k)
{
	k->peers = calloc(1, sizeof *k->peers);
	return k->peers == NULL ? US_ERR_NOMEM : US_OK;
}

void
us_peers_free(struct us_keeper *k)
{
	free(k->peers);
	k->peers = NULL;
}

struct us_channel *
us_peers_vault(const struct us_keeper *k)
{
	return k->peers->vault;
}

struct us_channel *
us_peers_control(const struct us_keeper *k)
{
	return k->peers->control;
}

void
us_peers_set_control(struct us_keeper *k, struct us_channel *control)
{
	k->peers->control = control;
}

int
us_peers_have_backlog(const struct us_keeper *k)
{
	for (size_t i = 0; i < US_KEEPER_PEERS; i++) {
		if (k->peers->at[i] != NULL && us_channel_backlog(k->peers->at[i]) > 0)
			return 1;
	}
	return 0;
}

void
us_peers_hang_up(struct us_keeper *k)
{
	struct us_channel *control = k->peers->control;

	for (size_t i = 0; i < US_KEEPER_PEERS; i++) {
		struct us_channel *ch = k->peers->at[i];

		if (ch != NULL && us_channel_peer(ch) == US_ROLE_VAULT)
			us_channel_hang_up(ch);
		else if (ch != NULL)
			us_channel_drain(ch);
	}
	if (control != NULL && !us_channel_is_gone(control))
		us_channel_hang_up(control);
}

struct us_channel *
us_peers_find(const struct us_keeper *k, enum us_role peer, uint8_t index)
{
	for (size_t i = 0; i < US_KEEPER_PEERS; i++) {
		struct us_channel *ch = k->peers->at[i];

		if (ch != NULL && us_channel_peer(ch) == peer && us_channel_peer_index(ch) == index)
			return ch;
	}
	return NULL;
}

int
us_peers_add(struct us_keeper *k, struct us_channel *ch)
{
	for (size_t i = 0; i < US_KEEPER_PEERS; i++) {
		if (k->peers->at[i] != NULL)
			continue;
		k->peers->at[i] = ch;
		if (us_channel_peer(ch) == US_ROLE_VAULT)
			k->peers->vault = ch;
		return US_OK;
	}
	return US_ERR_LIMIT;
}

int
us_peers_forget(struct us_keeper *k, const struct us_channel *ch)
{
	const int is_vault = k->peers->vault == ch;

	for (size_t i = 0; i < US_KEEPER_PEERS; i++) {
		if (k->peers->at[i] == ch)
			k->peers->at[i] = NULL;
	}
	if (is_vault)
		k->peers->vault = NULL;
	return is_vault;
}
