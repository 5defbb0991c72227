/* Payloads: which table of registry/acts/ knows an act, and its bytes read and written by that.
 * Apart from act.c, which whoever only names acts needs, without all that stands behind them. */
#include <string.h>

#include "base/array.h"
#include "registry/act.h"
#include "registry/answer.h"
#include "registry/codec.h"
#include "registry/internal.h"

static const struct us_act_ops *const tables[] = {
#define X(name, number, text, action, path, administrator, keyholder, court, person) \
	[number] = us_acts_##path,
	US_ACTS(X)
#undef X
};

const struct us_act_ops *
us_act_ops(enum us_act_type type)
{
	const struct us_act_ops *ops = (unsigned)type < US_COUNT(tables) ? tables[type] : NULL;

	while (ops != NULL && ops->type != type)
		ops = (unsigned)ops->type == 0 ? NULL : ops + 1;
	return ops;
}

enum us_filing_kind
us_act_opens(enum us_act_type type)
{
	const struct us_act_ops *ops = us_act_ops(type);

	return ops == NULL ? (enum us_filing_kind)0 : ops->opens;
}

uint32_t
us_act_collection(const struct us_registry *reg, const struct us_act *act)
{
	const struct us_act_ops *ops = us_act_ops(act->type);

	return ops == NULL || ops->collection == NULL ? 0 : ops->collection(reg, act);
}

void
us_act_answer(const struct us_registry *reg, const struct us_act *act, struct us_bytes result,
    struct us_json *j, int *pending)
{
	const struct us_act_ops *ops = us_act_ops(act->type);

	if (ops != NULL && ops->answer != NULL)
		ops->answer(reg, act, result, j, pending);
	else if (ops != NULL && (unsigned)ops->opens != 0)
		us_filing_answer(reg, ops->opens, us_act_number(result), j, pending);
}

int
us_act_decode(struct us_act *out, enum us_act_type type, struct us_bytes payload)
{
	const struct us_act_ops *ops = us_act_ops(type);

	if (ops != NULL)
		return us_code_read(out, type, ops->code, payload);
	memset(out, 0, sizeof *out);
	return US_ERR_RANGE;
}

int
us_act_encode(struct us_buf *out, const struct us_act *act)
{
	const struct us_act_ops *ops = us_act_ops(act->type);

	return ops == NULL ? US_ERR_RANGE : us_code_write(out, act, ops->code);
}
