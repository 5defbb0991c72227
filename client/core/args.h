/* Commands, their options, and a command line once it is parsed. */
#ifndef US_CLIENT_CORE_ARGS_H
#define US_CLIENT_CORE_ARGS_H

#include <stddef.h>
#include <stdint.h>

/* One option of a command. argument NULL: a flag. */
struct us_option {
	const char *name;     /* without "--" */
	const char *argument; /* as shown in the synopsis, or NULL */
	const char *help;
};

#define US_OPTIONS_MAX 32
#define US_VALUES_MAX 64

/* A command line after parsing: options by position in the command's table, repeated ones keep
 * every value; operands in order. */
struct us_args {
	const struct us_option *table;
	size_t n_options;
	const char *value[US_OPTIONS_MAX][US_VALUES_MAX]; /* a flag's value is "" */
	size_t n_values[US_OPTIONS_MAX];
	char **operand;
	size_t n_operands;
};

struct us_client;

/* A line of a table of commands. Each file of commands has one such table, ended by a name of NULL;
 * client/core/commands.h declares and lists it. */
struct us_command {
	const char *name;     /* "person add" */
	const char *synopsis; /* behind the name: "NAME --party P..." */
	const char *summary;  /* one line */
	const char *example;  /* one line, a whole command */
	const struct us_option *options;
	size_t n_options;
	size_t min_operands, max_operands;
	int (*run)(struct us_client *client, const struct us_args *args); /* returns enum us_exit */
};

/* First value, or NULL. name must be in the command's table. */
const char *us_arg(const struct us_args *args, const char *name);
/* 1 if the option was given. */
int us_flag(const struct us_args *args, const char *name);
/* The i-th value of a repeated option, NULL behind the last. */
const char *us_arg_nth(const struct us_args *args, const char *name, size_t i);
/* The number an option holds, or fallback; a usage error ends the program if it is not within
 * min..max. */
int64_t us_arg_number(const struct us_args *args, const char *name, int64_t fallback, int64_t min,
    int64_t max);

#endif
