/* Designations of a load: the order's list, as the vault has sent it, and what each record's own
 * stands for in it. */
#include <stdlib.h>

#include "base/err.h"
#include "daemon/sealer/internal.h"

int
us_sealer_designations_take(struct us_sealer_load *load, struct us_bytes list,
    struct us_bytes other)
{
	struct us_reader r;
	int err = US_OK;

	load->designations = calloc(1, sizeof *load->designations);
	if (load->designations == NULL)
		return US_ERR_NOMEM;
	us_reader_init(&r, list.p, list.n);
	while (r.left > 0 && r.err == US_OK && err == US_OK)
		err = us_designations_add(load->designations, us_take_str16(&r, US_ORDER_ID_MAX));
	if (err == US_OK)
		err = us_reader_end(&r);
	if (err == US_OK && other.n > 0)
		err = us_designations_find(load->designations, other, &load->designation);
	/* views of a message that goes: what is folded is enough here */
	load->designation.name = load->designation.nearest = (struct us_bytes){ NULL, 0 };
	for (size_t i = 0; i < load->designations->n; i++)
		load->designations->list[i].name = (struct us_bytes){ NULL, 0 };
	return err;
}

int
us_sealer_designation_check(const struct us_sealer_load *load, struct us_bytes document)
{
	struct us_designated found;
	struct us_reader r;
	struct us_bytes own;

	/* evidence/index/doc.h has the bytes */
	us_reader_init(&r, document.p, document.n);
	(void)us_take(&r, 9);
	(void)us_take_str16(&r, US_WORD_MAX);
	(void)us_take_str16(&r, US_WORD_MAX);
	own = us_take_str16(&r, US_WORD_MAX);
	if (r.err != US_OK || own.n == 0)
		return r.err;
	return us_designations_find(load->designations, own, &found);
}
