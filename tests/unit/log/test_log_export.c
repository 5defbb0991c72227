/* Lines of keys.jsonl: which are taken, and which must be refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "log/export.h"
#include "base/err.h"

#define K "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

static void
test_keys_lines(void **state)
{
	static const char *const good[] = { "{\"index\":0}", " { \"index\" : 12 } ",
		"{\"access\":\"" K "\",\"index\":9223372036854775807}",
		"{\"index\":1,\"query\":\"" K "\",\"disclosure\":\"" K "\",\"access\":\"" K
		"\"}\r" };
	static const char *const bad[] = { "", "{}", "{\"index\":}", "{\"index\":01}",
		"{\"index\":-1}", "{\"index\":1.0}", "{\"index\":\"1\"}", "{\"index\":1}}",
		"{\"index\":1,}", "{\"index\":1,\"index\":1}", "{\"index\":9223372036854775808}",
		"{\"index\":1,\"other\":\"" K "\"}", "{\"access\":\"" K "\"}",
		"{\"index\":1,\"access\":\"AAAA\"}", "{\"index\":1,\"access\":\"" K "AAAA\"}",
		"{\"index\":1,\"access\":\"" K "\",\"access\":\"" K "\"}", "[1]", "{\"index\":1",
		"{\"index\":1,\"access\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\"}",
		"{\"\\u0069ndex\":1}", "null", "{\"index\":1 \"access\":\"" K "\"}" };
	struct us_export_keys k, again;
	struct us_buf out;
	size_t i, n;

	(void)state;
	us_buf_init(&out, 4096);
	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(us_export_keys_parse(&k, good[i], strlen(good[i])), US_OK);
		us_buf_reset(&out);
		assert_int_equal(us_export_keys_line(&out, k.index,
				     k.present[0] ? &k.keys[0] : NULL,
				     k.present[1] ? &k.keys[1] : NULL,
				     k.present[2] ? &k.keys[2] : NULL),
		    US_OK);
		assert_int_equal(us_export_keys_parse(&again, (const char *)out.data, out.len - 1),
		    US_OK);
		assert_memory_equal(&k, &again, sizeof(k));
		for (n = 0; n + 2 < out.len; n++)
			assert_int_equal(us_export_keys_parse(&again, (const char *)out.data, n),
			    US_ERR_FORMAT);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(us_export_keys_parse(&k, bad[i], strlen(bad[i])), US_ERR_FORMAT);
	us_buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
