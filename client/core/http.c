#include "client/core/http.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/core/http_why.h"
#include "client/core/show.h"
#include "base/base64.h"
#include "base/err.h"
#include "base/number.h"
#include "base/time.h"

#define KEY_DER_MAX 4096
#define NOTE_MAX 4096 /* of a checkpoint in the head of an answer */
#define CONNECT_SECONDS 10L
#define SILENCE_SECONDS 300L /* without a byte in either direction: nobody is there any more */

struct us_http {
	CURL *curl;
	char base[512];
	struct us_buf key; /* PKCS#8 DER: wiped when freed */
	char error[CURL_ERROR_SIZE];
	struct us_http_failure
	    facts; /* that no exchange changes, and what TLS says of the server */
};

struct us_client_transfer {
	struct us_http *http;
	const struct us_client_request *request;
	struct us_reply *reply;
	int err;
};

static void
set_blob(CURL *curl, CURLoption option, const struct us_buf *b)
{
	struct curl_blob blob = { .data = b->data, .len = b->len, .flags = CURL_BLOB_COPY };

	(void)curl_easy_setopt(curl, option, &blob);
}

/* libcurl takes the CA as PEM only. */
static int
set_ca(CURL *curl, const struct us_buf *der)
{
	struct us_buf pem;
	int err;

	us_buf_init(&pem, 65536);
	err = us_pem_encode((struct us_bytes){ der->data, der->len }, "CERTIFICATE", &pem);
	if (err == US_OK)
		set_blob(curl, CURLOPT_CAINFO_BLOB, &pem);
	us_buf_free(&pem);
	return err;
}

/* ---- what is wrong ---- */

static void
take_dates(const struct us_buf *der, int64_t *from_ns, int64_t *to_ns)
{
	struct us_cert_info info;

	if (us_cert_parse((struct us_bytes){ der->data, der->len }, &info) != US_OK)
		return;
	*from_ns = info.validity.from_ns;
	*to_ns = info.validity.to_ns;
}

/* Of the server's certificate: the first thing that is wrong, and its dates. */
static int
on_certificate(int good, X509_STORE_CTX *verified)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(verified, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct us_http *http = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	X509 *server = X509_STORE_CTX_get0_cert(verified);
	struct us_buf der;
	unsigned char *bytes = NULL;
	const int n = good || http->facts.verify != X509_V_OK || server == NULL ?
	    -1 :
	    i2d_X509(server, &bytes);

	if (!good && http->facts.verify == X509_V_OK)
		http->facts.verify = X509_STORE_CTX_get_error(verified);
	us_buf_init(&der, US_CERT_MAX);
	if (n > 0 && us_buf_put(&der, bytes, (size_t)n) == US_OK)
		take_dates(&der, &http->facts.server_from_ns, &http->facts.server_to_ns);
	us_buf_free(&der);
	OPENSSL_free(bytes);
	return good;
}

static CURLcode
on_tls(CURL *curl, void *tls, void *ctx)
{
	(void)curl;
	SSL_CTX_set_app_data((SSL_CTX *)tls, ctx);
	SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, on_certificate);
	return CURLE_OK;
}

static void
say_why(struct us_http *http, CURLcode code)
{
	struct us_http_failure failure = http->facts;
	char why[US_HTTP_WHY_MAX];

	failure.server = http->base + sizeof "https://" - 1;
	failure.code = code;
	failure.text = http->error;
	failure.now_ns = us_time_now_ns();
	us_http_why(&failure, why);
	us_say("%s (%s)", why, http->error[0] != '\0' ? http->error : curl_easy_strerror(code));
}

/* ---- one exchange ---- */

void
us_reply_init(struct us_reply *reply)
{
	*reply = (struct us_reply){ .entry = -1 };
	us_buf_init(&reply->note, NOTE_MAX);
	us_buf_init(&reply->body, US_REPLY_MAX);
}

void
us_reply_free(struct us_reply *reply)
{
	us_buf_free(&reply->note);
	us_buf_free(&reply->body);
}

struct us_http *
us_http_new(const struct us_profile *profile)
{
	struct us_http *http = calloc(1, sizeof *http);

	if (http == NULL)
		return NULL;
	us_buf_init(&http->key, KEY_DER_MAX);
	http->curl = curl_easy_init();
	if (http->curl == NULL || us_pkey_to_der(profile->key, &http->key) != US_OK ||
	    set_ca(http->curl, &profile->ca) != US_OK) {
		us_say("cannot set up TLS with the profile's key");
		us_http_free(http);
		return NULL;
	}
	(void)snprintf(http->base, sizeof http->base, "https://%s", profile->server);
	take_dates(&profile->certificate, &http->facts.own_from_ns, &http->facts.own_to_ns);
	take_dates(&profile->ca, &http->facts.ca_from_ns, &http->facts.ca_to_ns);
	(void)curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->error);
	(void)curl_easy_setopt(http->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	(void)curl_easy_setopt(http->curl, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	(void)curl_easy_setopt(http->curl, CURLOPT_SSL_CTX_DATA, http);
	(void)curl_easy_setopt(http->curl, CURLOPT_SSLCERTTYPE, "DER");
	(void)curl_easy_setopt(http->curl, CURLOPT_SSLKEYTYPE, "DER");
	set_blob(http->curl, CURLOPT_SSLCERT_BLOB, &profile->certificate);
	set_blob(http->curl, CURLOPT_SSLKEY_BLOB, &http->key);
	(void)curl_easy_setopt(http->curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	(void)curl_easy_setopt(http->curl, CURLOPT_PROTOCOLS_STR, "https");
	(void)curl_easy_setopt(http->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(http->curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	(void)curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(http->curl, CURLOPT_LOW_SPEED_TIME, SILENCE_SECONDS);
	(void)curl_easy_setopt(http->curl, CURLOPT_TCP_NODELAY, 1L);
	(void)curl_easy_setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(http->curl, CURLOPT_USERAGENT, "underseal/" US_VERSION);
	return http;
}

void
us_http_free(struct us_http *http)
{
	if (http == NULL)
		return;
	curl_easy_cleanup(http->curl);
	us_buf_free(&http->key);
	free(http);
}

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct us_client_transfer *t = ctx;

	(void)size;
	(void)curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &t->reply->status);
	if (t->request->sink != NULL && t->reply->status / 100 == 2)
		t->err = t->request->sink(t->request->ctx, (const uint8_t *)p, n);
	else
		t->err = us_buf_put(&t->reply->body, p, n);
	return t->err == US_OK ? n : 0;
}

/* What a header line of that name says, without blanks around it; empty: it is another line. */
static struct us_bytes
said_in(const char *p, size_t n, const char *name)
{
	const size_t skip = strlen(name);

	if (n <= skip || strncasecmp(p, name, skip) != 0)
		return (struct us_bytes){ NULL, 0 };
	for (p += skip, n -= skip; n > 0 && strchr(" \t\r\n", p[n - 1]) != NULL;)
		n--;
	for (; n > 0 && (*p == ' ' || *p == '\t'); n--)
		p++;
	return (struct us_bytes){ (const uint8_t *)p, n };
}

/* The number in a header line of that name; -1: it is another line. */
static long long
number_in(const char *p, size_t n, const char *name)
{
	const struct us_bytes said = said_in(p, n, name);
	uint64_t number;

	return said.n > 0 &&
		us_number_digits((const char *)said.p, said.n, INT64_MAX, &number) == US_OK ?
	    (long long)number :
	    -1;
}

static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	const long long entry = number_in(p, n, "Underseal-Entry:");
	const long long seconds = number_in(p, n, "Retry-After:");
	const struct us_bytes note = said_in(p, n, "Underseal-Checkpoint:");
	struct us_client_transfer *t = ctx;

	(void)size;
	if (entry >= 0)
		t->reply->entry = entry;
	if (note.n > 0) { /* what does not decode is no checkpoint, and believed by nobody */
		us_buf_reset(&t->reply->note);
		(void)us_base64_take(&t->reply->note, (const char *)note.p, note.n);
	}
	if (seconds > 0)
		t->reply->retry_after = seconds > INT_MAX ? INT_MAX : (int)seconds;
	return n;
}

static int
on_progress(void *arg, curl_off_t d, curl_off_t down, curl_off_t u, curl_off_t up)
{
	const struct us_client_transfer *t = arg;

	(void)d;
	(void)down;
	(void)u;
	(void)up;
	return t->request->give_up(t->request->ctx);
}

int
us_http_exchange(struct us_http *http, const struct us_client_request *request,
    struct us_reply *reply)
{
	struct us_client_transfer t = { http, request, reply, US_OK };
	struct curl_slist *headers = NULL;
	char url[8192], type[128];
	CURLcode code;

	us_buf_reset(&reply->body);
	us_buf_reset(&reply->note);
	reply->entry = -1;
	reply->status = 0;
	reply->retry_after = 0;
	if (snprintf(url, sizeof url, "%s%s", http->base, request->path) >= (int)sizeof url)
		return US_ERR_LIMIT;
	(void)snprintf(type, sizeof type, "Content-Type: %s",
	    request->content_type == NULL ? "application/json" : request->content_type);
	headers = curl_slist_append(headers, "Expect:");
	if (request->body.n != 0)
		headers = curl_slist_append(headers, type);
	for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
		headers = curl_slist_append(headers, request->headers[i]);
	(void)curl_easy_setopt(http->curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, &t);
	(void)curl_easy_setopt(http->curl, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(http->curl, CURLOPT_HEADERDATA, &t);
	if (strcmp(request->method, "GET") == 0) {
		(void)curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
		(void)curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, NULL);
	} else {
		(void)curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)request->body.n);
		(void)curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS,
		    request->body.n == 0 ? "" : (const char *)request->body.p);
		(void)curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, request->method);
	}
	(void)curl_easy_setopt(http->curl, CURLOPT_NOPROGRESS, request->give_up == NULL ? 1L : 0L);
	(void)curl_easy_setopt(http->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	(void)curl_easy_setopt(http->curl, CURLOPT_XFERINFODATA, &t);
	http->facts.verify = X509_V_OK;
	http->facts.server_from_ns = http->facts.server_to_ns = 0;
	http->error[0] = '\0';
	code = curl_easy_perform(http->curl);
	curl_slist_free_all(headers);
	if (t.err != US_OK)
		return t.err;
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return US_ERR_CLOSED;
	if (code != CURLE_OK) {
		if (!request->quiet)
			say_why(http, code);
		return us_http_is_refusal(http->error) ? US_ERR_REVOKED : US_ERR_CLOSED;
	}
	(void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	return US_OK;
}
