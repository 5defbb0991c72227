/* Options of AddressSanitizer in a daemon whose roles have no environment to say them. */
const char *__asan_default_options(void);

/* Read by the runtime before main(). Roles end without giving back what lives as long as they. */
const char *
__asan_default_options(void)
{
	return "abort_on_error=0:detect_leaks=0";
}
