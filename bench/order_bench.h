/*
 * What the files of the bench of decisions share: an order and people made at random, a second
 * evaluator, and records. Everything is drawn from one seed, so that each run measures the same.
 */
#ifndef US_BENCH_ORDER_BENCH_H
#define US_BENCH_ORDER_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include "policy/evaluate.h"

#define BENCH_PEOPLE 500
#define BENCH_RULES 200
#define BENCH_PARTIES 8
#define BENCH_APPROVERS 6
#define BENCH_FREEZES 4
#define BENCH_COLLECTION "logs" /* the one whose records are made */

struct rng {
	uint64_t state; /* not 0 */
};
unsigned rng_below(struct rng *r, unsigned n);
/* Nanoseconds of a clock that only goes on. */
int64_t bench_now(void);
/* Prints to stderr and ends the program if err is not US_OK. */
void bench_check(int err, const char *what);

/* BENCH_RULES rules; every permit sets every condition and limit, and each rule has a query. Freed
 * with us_order_free(). */
struct us_order *bench_order(struct rng *r);
/* Parties and capacities mixed; person numbers from 1. */
void bench_people(struct rng *r, struct us_subject people[BENCH_PEOPLE]);

/* A request, with what its context points at. */
struct request {
	struct us_subject subject;
	enum us_action action;
	struct us_context context;
	struct us_approver approvers[BENCH_APPROVERS];
	struct us_freeze_on freezes[BENCH_FREEZES];
};
/* Of each request four in five satisfy every condition, so that all of them are asked; in the
 * others one fact is wrong. */
void bench_request(struct rng *r, const struct us_order *order,
    const struct us_subject people[BENCH_PEOPLE], struct request *out);

/* The evaluator one would write first: lists instead of bits, the rules that fit in an array, each
 * condition of each. */
struct plain_order;
struct plain_ruling {
	enum us_decision decision;
	enum us_reason reason;
	uint32_t rule; /* counted from 1 */
};
/* ends the program without memory; belongs to the caller */
struct plain_order *plain_new(const struct us_order *order);
void plain_free(struct plain_order *p);
void plain_evaluate(const struct plain_order *p, const struct request *q, struct plain_ruling *out);

/* Segments in memory with records whose values the rules' queries name. */
struct records;
/* The last segment holds segment records like the others: it is the one that arrives later, and not
 * counted in n. */
struct records *records_new(struct rng *r, uint32_t n, uint32_t segment);
void records_free(struct records *s);
struct visible_times {
	double seconds;      /* queries parsed, all segments opened, a bitmap made for each */
	double increment_ms; /* the same for the one that arrives later, with the parsed queries */
	uint64_t visible;    /* records */
};
void records_visible(struct records *s, const struct us_order *order,
    const struct us_ruling *ruling, struct visible_times *out);
/* A query as rules of this bench have them; text has room for n bytes. */
void records_query(struct rng *r, char *text, size_t n);

#endif
