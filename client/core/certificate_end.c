#include "client/core/certificate_end.h"

#include "base/err.h"
#include "base/time.h"
#include "client/core/run.h"
#include "client/core/show.h"
#include "crypto/cert.h"

void
us_certificate_end_tell(struct us_client *client)
{
	const struct us_buf *der = &client->profile.certificate;
	const int64_t now = us_time_now_ns();
	struct us_cert_info info;
	char text[US_CERT_END_SIZE];

	if (client->told_end ||
	    us_cert_parse((struct us_bytes){ der->data, der->len }, &info) != US_OK ||
	    us_cert_days_left(info.validity.to_ns, now) > 30)
		return;
	client->told_end = 1;
	us_say("your certificate %s. The next one: underseal credential request, then an "
	       "administrator issues it: underseal credential issue",
	    us_cert_end_text(info.validity.to_ns, now, text));
}
