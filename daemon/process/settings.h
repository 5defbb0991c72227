/* Settings: names and values of a file, which the monitor hands out to the roles at the start. */
#ifndef US_DAEMON_PROCESS_SETTINGS_H
#define US_DAEMON_PROCESS_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#define US_PER_ROLE_MAX 16 /* processes of one role */
#define US_SETTING_WHY 256

struct us_settings;

/* Value of a setting, or fallback if it is not set. */
const char *us_setting(const struct us_settings *settings, const char *name, const char *fallback);
/* The number that one of the settings in settings.def holds, within the limits there; fallback if
 * it is absent, fatal if it is none. */
int64_t us_setting_number(const struct us_settings *settings, const char *name, int64_t fallback);
/* US_OK if settings.def has the name and allows the value; else US_ERR_NOT_FOUND or US_ERR_RANGE,
 * with a sentence in why that says what to write instead. */
int us_setting_check(const char *name, const char *value, char why[US_SETTING_WHY]);
/* The i-th name in settings.def; NULL behind the last. */
const char *us_setting_name(size_t i);
/* Parses lines "name=value"; unknown names are kept. For tests too. */
struct us_settings *us_settings_parse(const char *text, size_t n);
/* NULL is allowed. */
void us_settings_free(struct us_settings *settings);
/* The i-th setting in effect, in the order of their names' last mention: 1 and its name and value,
 * 0 behind the last. */
int
us_setting_at(const struct us_settings *settings, size_t i, const char **name, const char **value);

#endif
