/* What terms.c and conditions.c share. */
#ifndef US_POLICY_COMPARE_TERMS_INTERNAL_H
#define US_POLICY_COMPARE_TERMS_INTERNAL_H

#include "policy/compare/terms.h"

/* The next fitting permit from i (from 0) on; i becomes what is behind it. NULL: none. */
const struct us_rule *us_compare_next_permit(const struct us_compare_side *s, int *i);
/* Appends the text. Errors of us_buf_put(). */
int us_compare_put_text(struct us_buf *out, struct us_bytes text);
/* A word of a list: the separator stands before all but the first. Likewise. */
int us_compare_put_word(struct us_buf *out, const char *separator, struct us_bytes word);
/* Its days, hours, zone and holidays. Likewise. */
int us_compare_put_calendar(const struct us_calendar *c, struct us_buf *out);

/* The conditions of all permits that fit: struct us_compare_term, put. */
/* As its name says. */
int us_compare_put_acknowledgement(const struct us_compare_side *s, struct us_buf *out);
/* As its name says. */
int us_compare_put_clearance(const struct us_compare_side *s, struct us_buf *out);
/* As its name says. */
int us_compare_put_matter(const struct us_compare_side *s, struct us_buf *out);
/* As its name says. */
int us_compare_put_period(const struct us_compare_side *s, struct us_buf *out);
/* As its name says. */
int us_compare_put_hours(const struct us_compare_side *s, struct us_buf *out);
/* As its name says. */
int us_compare_put_network(const struct us_compare_side *s, struct us_buf *out);
/* As its name says. */
int us_compare_put_credential(const struct us_compare_side *s, struct us_buf *out);
/* As its name says. */
int us_compare_put_purpose(const struct us_compare_side *s, struct us_buf *out);
/* As its name says. */
int us_compare_put_approval(const struct us_compare_side *s, struct us_buf *out);

#endif
