#include "client/core/http.h"

#include <curl/curl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/core/show.h"
#include "base/err.h"
#include "base/number.h"

#define KEY_DER_MAX 4096

struct us_http {
	CURL *curl;
	char base[512];
	struct us_buf key; /* PKCS#8 DER: wiped when freed */
	char error[CURL_ERROR_SIZE];
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

void
us_reply_init(struct us_reply *reply)
{
	*reply = (struct us_reply){ .entry = -1 };
	us_buf_init(&reply->body, US_REPLY_MAX);
}

void
us_reply_free(struct us_reply *reply)
{
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
	(void)curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->error);
	(void)curl_easy_setopt(http->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	(void)curl_easy_setopt(http->curl, CURLOPT_SSLCERTTYPE, "DER");
	(void)curl_easy_setopt(http->curl, CURLOPT_SSLKEYTYPE, "DER");
	set_blob(http->curl, CURLOPT_SSLCERT_BLOB, &profile->certificate);
	set_blob(http->curl, CURLOPT_SSLKEY_BLOB, &http->key);
	(void)curl_easy_setopt(http->curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	(void)curl_easy_setopt(http->curl, CURLOPT_PROTOCOLS_STR, "https");
	(void)curl_easy_setopt(http->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(http->curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(http->curl, CURLOPT_CONNECTTIMEOUT, 10L);
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
	long status = 0;

	(void)size;
	(void)curl_easy_getinfo(t->http->curl, CURLINFO_RESPONSE_CODE, &status);
	if (t->request->sink != NULL && status / 100 == 2)
		t->err = t->request->sink(t->request->ctx, (const uint8_t *)p, n);
	else
		t->err = us_buf_put(&t->reply->body, p, n);
	return t->err == US_OK ? n : 0;
}

/* The number in a header line of that name; -1: it is another line. */
static long long
number_in(const char *p, size_t n, const char *name)
{
	const size_t skip = strlen(name);
	uint64_t number;

	if (n <= skip || strncasecmp(p, name, skip) != 0)
		return -1;
	for (p += skip, n -= skip; n > 0 && strchr(" \t\r\n", p[n - 1]) != NULL;)
		n--;
	for (; n > 0 && (*p == ' ' || *p == '\t'); n--)
		p++;
	return us_number_digits(p, n, INT64_MAX, &number) == US_OK ? (long long)number : -1;
}

static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	const long long entry = number_in(p, n, "Underseal-Entry:");
	const long long seconds = number_in(p, n, "Retry-After:");
	struct us_client_transfer *t = ctx;

	(void)size;
	if (entry >= 0)
		t->reply->entry = entry;
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
	code = curl_easy_perform(http->curl);
	curl_slist_free_all(headers);
	if (t.err != US_OK)
		return t.err;
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return US_ERR_CLOSED;
	if (code != CURLE_OK) {
		us_say("cannot talk to the vault at %s: %s", http->base,
		    http->error[0] != '\0' ? http->error : curl_easy_strerror(code));
		return US_ERR_CLOSED;
	}
	(void)curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	return US_OK;
}
