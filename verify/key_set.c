#include "verify/key_set.h"

#include "base/err.h"

#define SWEEP_FIRST 64

void
us_verify_key_set_init(struct us_verify_key_set *s)
{
	us_map_init(&s->map, 16, sizeof(struct us_verify_key_set_item));
	s->sweep_at = SWEEP_FIRST;
}

void
us_verify_key_set_free(struct us_verify_key_set *s)
{
	us_map_free(&s->map);
	us_verify_key_set_init(s);
}

void
us_verify_key_set_clear(struct us_verify_key_set *s)
{
	us_map_clear(&s->map);
}

const struct us_verify_key_set_item *
us_verify_key_set_find(const struct us_verify_key_set *s, const uint8_t key[16])
{
	return us_map_get(&s->map, key);
}

static int
put(struct us_map *map, const void *key, const struct us_verify_key_set_item *item)
{
	void *at;
	int err = us_map_put(map, key, &at);

	if (err == US_OK)
		*(struct us_verify_key_set_item *)at = *item;
	return err;
}

/* Makes the set anew without what is too old. */
static int
sweep(struct us_verify_key_set *s, int64_t oldest_ns)
{
	const struct us_verify_key_set_item *item;
	struct us_verify_key_set young;
	const void *key;
	int err = US_OK;

	us_verify_key_set_init(&young);
	for (size_t at = 0; err == US_OK && (item = us_map_next(&s->map, &at, &key)) != NULL;)
		if (item->time_ns >= oldest_ns)
			err = put(&young.map, key, item);
	if (err != US_OK) {
		us_verify_key_set_free(&young);
		return err;
	}
	if (young.map.n * 2 > young.sweep_at)
		young.sweep_at = young.map.n * 2;
	us_verify_key_set_free(s);
	*s = young;
	return US_OK;
}

int
us_verify_key_set_add(struct us_verify_key_set *s, const uint8_t key[16],
    const struct us_verify_key_set_item *item, int64_t oldest_ns)
{
	int err = s->map.n < s->sweep_at ? US_OK : sweep(s, oldest_ns);

	return err != US_OK ? err : put(&s->map, key, item);
}
