#include "client/core/http_why.h"

#include <stdio.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include "base/array.h"
#include "base/time.h"

#define DAY_TEXT 40

/* A day as people write it; "a time that is not told" if there is none. */
static const char *
day_of(int64_t ns, char out[DAY_TEXT])
{
	if (ns == 0)
		(void)snprintf(out, DAY_TEXT, "a day that is not told");
	else
		(void)us_time_format_date(ns, out);
	return out;
}

/* What is wrong with a certificate by its dates; 0: nothing. */
static int
dates_wrong(const char *whose, const char *remedy, int64_t from_ns, int64_t to_ns, int64_t now_ns,
    char out[US_HTTP_WHY_MAX])
{
	char day[DAY_TEXT];

	if (to_ns != 0 && now_ns > to_ns)
		(void)snprintf(out, US_HTTP_WHY_MAX, "%s has expired on %s: %s", whose,
		    day_of(to_ns, day), remedy);
	else if (from_ns != 0 && now_ns < from_ns)
		(void)snprintf(out, US_HTTP_WHY_MAX,
		    "%s is not valid before %s: is this computer's clock right?", whose,
		    day_of(from_ns, day));
	else
		return 0;
	return 1;
}

/* What a server says, in a TLS alert, of the certificate that it was shown. */
static const struct us_http_alert {
	const char *text; /* OpenSSL's word for it */
	const char *says;
} alerts[] = {
	/* the first: who was let in once is let in no more */
	{ "certificate revoked",
	    "the vault does not let this profile's certificate in: it was revoked. Ask an "
	    "administrator of the vault for a new one" },
	{ "certificate expired",
	    "the vault does not let this profile's certificate in: it has expired, or is not valid "
	    "yet by the vault's clock. Ask an administrator of the vault for a new one" },
	{ "unknown ca",
	    "the vault does not know who issued this profile's certificate: the profile is of "
	    "another vault, or the vault was made anew" },
	{ "certificate unknown",
	    "the vault does not let this profile's certificate in: it is not one of a live "
	    "person" },
	{ "bad certificate",
	    "the vault does not take this profile's certificate: it is damaged or of another "
	    "kind" },
	{ "access denied",
	    "the vault does not let this profile's certificate in: it is not one of a live "
	    "person" },
	{ "certificate required", "the vault was shown no certificate: the profile is damaged" },
	{ "protocol version", "what answers there does not speak TLS 1.3: is it the vault?" },
};

static const char *
alert_in(const char *text)
{
	for (size_t i = 0; i < US_COUNT(alerts); i++)
		if (strstr(text, "alert") != NULL && strstr(text, alerts[i].text) != NULL)
			return alerts[i].says;
	return NULL;
}

int
us_http_is_refusal(const char *text)
{
	return strstr(text, "alert") != NULL && strstr(text, alerts[0].text) != NULL;
}

/* What is wrong with the server's certificate. */
static void
server_wrong(const struct us_http_failure *f, char out[US_HTTP_WHY_MAX])
{
	if (dates_wrong("the vault's certificate authority",
		"the vault must be given a new one, and everybody's profile with it", f->ca_from_ns,
		f->ca_to_ns, f->now_ns, out) ||
	    dates_wrong("the server's certificate", "whoever runs the vault must renew it",
		f->server_from_ns, f->server_to_ns, f->now_ns, out))
		return;
	if (f->verify == X509_V_OK || f->verify == X509_V_ERR_HOSTNAME_MISMATCH ||
	    f->verify == X509_V_ERR_IP_ADDRESS_MISMATCH)
		(void)snprintf(out, US_HTTP_WHY_MAX,
		    "the server at %s has a certificate for another name: the profile's 'server=' "
		    "must name the vault as its certificate does",
		    f->server);
	else if (f->verify == X509_V_ERR_CERT_HAS_EXPIRED)
		(void)snprintf(out, US_HTTP_WHY_MAX,
		    "the server's certificate has expired: whoever runs the vault must renew it");
	else if (f->verify == X509_V_ERR_CERT_NOT_YET_VALID)
		(void)snprintf(out, US_HTTP_WHY_MAX,
		    "the server's certificate is not valid yet: is this computer's clock right?");
	else
		(void)snprintf(out, US_HTTP_WHY_MAX,
		    "the server at %s is not the vault of this profile: another authority issued "
		    "its certificate. Do not go on before you know why",
		    f->server);
}

void
us_http_why(const struct us_http_failure *f, char out[US_HTTP_WHY_MAX])
{
	const char *alert = alert_in(f->text);

	if (f->code == CURLE_PEER_FAILED_VERIFICATION || f->verify != X509_V_OK) {
		server_wrong(f, out);
		return;
	}
	/* the vault may also just close the connection */
	if (dates_wrong("this profile's certificate",
		"ask an administrator of the vault for a new one", f->own_from_ns, f->own_to_ns,
		f->now_ns, out))
		return;
	switch (f->code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		(void)snprintf(out, US_HTTP_WHY_MAX,
		    "there is no machine of that name: %s. Is the profile's 'server=' right, and "
		    "this computer on the network?",
		    f->server);
		return;
	case CURLE_COULDNT_CONNECT:
		(void)snprintf(out, US_HTTP_WHY_MAX,
		    "nothing answers at %s: the vault is not running, or the network is in the way",
		    f->server);
		return;
	case CURLE_OPERATION_TIMEDOUT:
		(void)snprintf(out, US_HTTP_WHY_MAX,
		    "the vault at %s did not answer in time: the network is in the way, or the "
		    "vault is overloaded. Ask again",
		    f->server);
		return;
	default:
		if (alert != NULL)
			(void)snprintf(out, US_HTTP_WHY_MAX, "%s", alert);
		else
			(void)snprintf(out, US_HTTP_WHY_MAX,
			    "the connection to the vault at %s ended: ask again; if it ends again, "
			    "'underseal status' says whether the vault takes this profile's "
			    "certificate",
			    f->server);
	}
}
