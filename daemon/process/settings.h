/* Settings of a role's process: names and values that the monitor hands out at the start. */
#ifndef US_DAEMON_PROCESS_SETTINGS_H
#define US_DAEMON_PROCESS_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

struct us_settings;

/* Value of a setting, or fallback if it is not set. */
const char *us_setting(const struct us_settings *settings, const char *name, const char *fallback);
/* The number a setting holds; fallback if it is absent; fatal if it is not within min..max. */
int64_t us_setting_number(const struct us_settings *settings, const char *name, int64_t fallback,
    int64_t min, int64_t max);
/* Parses lines "name=value"; unknown names are kept. For tests too. */
struct us_settings *us_settings_parse(const char *text, size_t n);
/* NULL is allowed. */
void us_settings_free(struct us_settings *settings);
/* The i-th setting in effect, in the order of their names' last mention: 1 and its name and value,
 * 0 behind the last. */
int
us_setting_at(const struct us_settings *settings, size_t i, const char **name, const char **value);

#endif
