#include "daemon/offline/init.h"

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/cms.h"
#include "crypto/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/number.h"
#include "daemon/offline/handout.h"
#include "daemon/offline/place.h"
#include "daemon/keeper/create.h"
#include "policy/yaml/yaml.h"

#define PEOPLE_MAX US_INIT_PEOPLE

static const char help[] =
    "usage: undersealed init --data DIR --admin NAME --out DIR [options]\n\n"
    "Makes a new vault in DIR, which must be empty or not exist.\n\n"
    "  --data DIR             the vault's directory\n"
    "  --out DIR              where shares, the administrator's profile and log.vkey go\n"
    "  --admin NAME           the first administrator\n"
    "  --order FILE           the protective order (YAML); without one nothing is permitted\n"
    "  --signer CSR           request of a roster signer whom the order names (repeat)\n"
    "  --keyholder NAME=CSR   who gets a share, encrypted to the request's key (repeat)\n"
    "  --shares N             how many shares (5)\n"
    "  --threshold K          how many of them unseal (3)\n"
    "  --host NAME            DNS name or address of the server (repeat; default localhost)\n"
    "  --listen ADDR:PORT     where it listens (127.0.0.1:8443)\n"
    "  --user NAME            as root: one user for all roles (setting \"users\"), in place of the "
    "five\n"
    "  --demo                 plain shares and an administrator's key without passphrase\n\n"
    "example: undersealed init --data /var/lib/underseal --out /root/ceremony --admin \"Adam "
    "Administrator\"\n"
    "           --order order.yaml --signer alice.pem --keyholder \"Kay Keyholder\"=kay.pem ...\n";

struct us_offline_init {
	const char *data, *out, *admin, *order;
	struct us_place place;
	const char *signer[PEOPLE_MAX], *keyholder[PEOPLE_MAX], *host[US_INIT_HOSTS];
	size_t signers, keyholders, hosts;
	unsigned shares, threshold;
	int demo;
	struct us_buf source, compiled;
	struct us_pkey *admin_key;
	struct us_create_person person[PEOPLE_MAX];
	char name[PEOPLE_MAX][US_CERT_NAME_MAX + 1];
	struct us_buf csr[PEOPLE_MAX];
	size_t people;
};

/* ---- the command line ---- */

static unsigned
number(const char *option, const char *text, unsigned min, unsigned max)
{
	int64_t v;

	if (us_number_text(text, min, max, &v) != US_OK)
		us_fatal("%s takes a number from %u to %u", option, min, max);
	return (unsigned)v;
}

static void
push(const char **list, size_t *n, size_t max, const char *value, const char *option)
{
	if (*n == max)
		us_fatal("%s is given too often", option);
	list[(*n)++] = value;
}

static int
parse_options(struct us_offline_init *in, int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "out", required_argument, NULL, 'o' },
		{ "admin", required_argument, NULL, 'a' },
		{ "order", required_argument, NULL, 'r' },
		{ "signer", required_argument, NULL, 's' },
		{ "keyholder", required_argument, NULL, 'k' },
		{ "shares", required_argument, NULL, 'n' },
		{ "threshold", required_argument, NULL, 't' },
		{ "host", required_argument, NULL, 'h' },
		{ "listen", required_argument, NULL, 'l' },
		{ "user", required_argument, NULL, 'u' },
		{ "demo", no_argument, NULL, 'D' },
		{ "help", no_argument, NULL, '?' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'd':
			in->data = optarg;
			break;
		case 'o':
			in->out = optarg;
			break;
		case 'a':
			in->admin = optarg;
			break;
		case 'r':
			in->order = optarg;
			break;
		case 's':
			push(in->signer, &in->signers, PEOPLE_MAX / 2, optarg, "--signer");
			break;
		case 'k':
			push(in->keyholder, &in->keyholders, US_SLIP39_SHARES_MAX, optarg,
			    "--keyholder");
			break;
		case 'n':
			in->shares = number("--shares", optarg, 1, US_SLIP39_SHARES_MAX);
			break;
		case 't':
			in->threshold = number("--threshold", optarg, 1, US_SLIP39_SHARES_MAX);
			break;
		case 'h':
			push(in->host, &in->hosts, US_INIT_HOSTS - 1, optarg, "--host");
			break;
		case 'l':
			in->place.listen = optarg;
			break;
		case 'u':
			in->place.user = optarg;
			break;
		case 'D':
			in->demo = 1;
			break;
		default:
			return 0;
		}
	return optind == argc;
}

static void
check_options(struct us_offline_init *in)
{
	if (in->data == NULL || in->out == NULL || in->admin == NULL)
		us_fatal("--data, --out and --admin are needed; see 'undersealed init --help'");
	if (in->threshold > in->shares)
		us_fatal("--threshold %u is more than --shares %u", in->threshold, in->shares);
	if (in->threshold == 1 && in->shares > 1)
		us_fatal("a threshold of one of several shares is not allowed: any of them alone "
			 "would open the "
			 "vault");
	if (!in->demo && in->keyholders != in->shares)
		us_fatal("%u shares need %u keyholders (--keyholder NAME=CSR); %zu are given. Only "
			 "--demo writes "
			 "plain shares",
		    in->shares, in->shares, in->keyholders);
	if (in->hosts == 0)
		in->host[in->hosts++] = "localhost";
}

/* ---- files ---- */

static void
refuse_if_used(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	if (dir == NULL) {
		if (errno != ENOENT)
			us_fatal("cannot look into %s: %s", path, strerror(errno));
		return;
	}
	while ((e = readdir(dir)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			us_fatal("%s is not empty (it has %s): a vault is made in an empty "
				 "directory",
			    path, e->d_name);
	(void)closedir(dir);
}

static void
read_file(const char *path, size_t max, struct us_buf *out)
{
	FILE *f = fopen(path, "re");
	uint8_t chunk[8192];
	size_t n;

	us_buf_init(out, max);
	if (f == NULL)
		us_fatal("cannot read %s: %s", path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		if (us_buf_put(out, chunk, n) != US_OK)
			us_fatal("%s is larger than %zu bytes", path, max);
	if (ferror(f))
		us_fatal("cannot read %s", path);
	(void)fclose(f);
}

/* ---- the order ---- */

/* Before there is any key in this process. */
static void
read_order(struct us_offline_init *in)
{
	static struct us_findings findings;
	int err;

	us_buf_init(&in->compiled, US_ORDER_COMPILED_MAX);
	us_buf_init(&in->source, US_ORDER_SOURCE_MAX);
	if (in->order == NULL) {
		us_log(US_LOG_WARNING, "no --order: nobody will be permitted anything");
		return;
	}
	read_file(in->order, US_ORDER_SOURCE_MAX, &in->source);
	err = us_order_compile((struct us_bytes){ in->source.data, in->source.len }, &in->compiled,
	    &findings);
	for (size_t i = 0; i < findings.n; i++)
		fprintf(stderr, "%s:%u:%u: %s: %s\n", in->order, findings.items[i].line,
		    findings.items[i].column,
		    findings.items[i].severity == US_FINDING_ERROR ? "error" : "warning",
		    findings.items[i].text);
	if (err != US_OK)
		us_fatal("the order cannot be used: nothing was made");
}

/* ---- people ---- */

static struct us_create_person *
add_person(struct us_offline_init *in, const char *name, enum us_capacity capacity)
{
	struct us_create_person *p = &in->person[in->people];

	if (in->people == PEOPLE_MAX)
		us_fatal("too many people");
	(void)snprintf(in->name[in->people], sizeof in->name[0], "%s", name);
	for (size_t i = 0; i < in->people; i++)
		if (strcmp(in->name[i], in->name[in->people]) == 0)
			us_fatal("%s is named twice", name);
	*p = (struct us_create_person){ .name = us_bytes_of(in->name[in->people]),
		.capacity = capacity };
	us_buf_init(&in->csr[in->people], US_CERT_MAX);
	in->people++;
	return p;
}

static void
read_request(struct us_create_person *p, struct us_buf *der, const char *path,
    struct us_csr_info *info)
{
	struct us_buf pem;

	read_file(path, 65536, &pem);
	if (us_pem_decode((struct us_bytes){ pem.data, pem.len }, "CERTIFICATE REQUEST", der) !=
		US_OK ||
	    us_csr_check((struct us_bytes){ der->data, der->len }, info) != US_OK)
		us_fatal("%s is not a certificate request signed by its own key", path);
	p->csr = (struct us_bytes){ der->data, der->len };
	us_buf_free(&pem);
}

static void
add_admin(struct us_offline_init *in)
{
	struct us_create_person *p = add_person(in, in->admin, US_CAPACITY_ADMINISTRATOR);
	struct us_buf *der = &in->csr[in->people - 1];

	if (us_pkey_new(US_PKEY_P256, &in->admin_key) != US_OK ||
	    us_csr_create(in->admin_key, in->admin, der) != US_OK)
		us_fatal("cannot make the administrator's key");
	p->csr = (struct us_bytes){ der->data, der->len };
}

static int
compare_bytes(const void *a, const void *b)
{
	const struct us_bytes *x = a, *y = b;
	int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);

	return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

/* A signer's capacity and parties stand in the order. */
static void
add_signer(struct us_offline_init *in, const struct us_order *order, const char *path)
{
	struct us_buf first;
	struct us_csr_info info;
	struct us_create_person probe = { 0 }, *p = NULL;

	us_buf_init(&first, US_CERT_MAX);
	read_request(&probe, &first, path, &info);
	for (size_t i = 0; i < order->n_parties; i++)
		for (size_t j = 0; j < order->parties[i].n_signers; j++) {
			const struct us_signer *s = &order->parties[i].signers[j];

			if (!us_bytes_is(s->person, info.name))
				continue;
			if (p == NULL)
				p = add_person(in, info.name, s->capacity);
			p->parties[p->n_parties++] = order->parties[i].id;
		}
	if (p == NULL)
		us_fatal("%s: the order names no roster signer '%s'", path, info.name);
	qsort(p->parties, p->n_parties, sizeof p->parties[0], compare_bytes);
	if (us_buf_put(&in->csr[in->people - 1], first.data, first.len) != US_OK)
		us_fatal("out of memory");
	p->csr = (struct us_bytes){ in->csr[in->people - 1].data, in->csr[in->people - 1].len };
	us_buf_free(&first);
}

static void
add_keyholder(struct us_offline_init *in, const char *argument)
{
	const char *equals = strchr(argument, '=');
	struct us_csr_info info;
	char name[US_CERT_NAME_MAX + 1];
	struct us_create_person *p;

	if (equals == NULL || (size_t)(equals - argument) >= sizeof name)
		us_fatal("--keyholder takes NAME=CSR");
	memcpy(name, argument, (size_t)(equals - argument));
	name[equals - argument] = '\0';
	p = add_person(in, name, US_CAPACITY_KEYHOLDER);
	read_request(p, &in->csr[in->people - 1], equals + 1, &info);
}

static void
gather_people(struct us_offline_init *in, struct us_order *order)
{
	add_admin(in);
	if (in->signers > 0 && in->order == NULL)
		us_fatal("--signer needs --order, which names the signers");
	for (size_t i = 0; i < in->signers; i++)
		add_signer(in, order, in->signer[i]);
	for (size_t i = 0; i < in->keyholders; i++)
		add_keyholder(in, in->keyholder[i]);
}

/* ---- making ---- */

static void
add_listen_host(struct us_offline_init *in, char *host, size_t size)
{
	const char *colon = strrchr(in->place.listen, ':');
	size_t n = colon == NULL ? 0 : (size_t)(colon - in->place.listen);

	if (n == 0 || n >= size)
		us_fatal("--listen takes ADDR:PORT");
	(void)snprintf(host, size, "%.*s", (int)n, in->place.listen);
	if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "[::]") == 0)
		return;
	for (size_t i = 0; i < in->hosts; i++)
		if (strcmp(in->host[i], host) == 0)
			return;
	if (host[0] != '[')
		in->host[in->hosts++] = host;
}

static void
create(struct us_offline_init *in, struct us_created *made)
{
	char keeper[4096], vault[4096], detail[256] = "";
	struct us_create_options options = { .dir = keeper,
		.n_hosts = in->hosts,
		.hosts = in->host,
		.order_source = { in->source.data, in->source.len },
		.order_compiled = { in->compiled.data, in->compiled.len },
		.n_people = in->people,
		.people = in->person,
		.shares = in->shares,
		.threshold = in->threshold };
	int err;

	us_handout_directory(in->data, 0755);
	(void)snprintf(keeper, sizeof keeper, "%s/keeper", in->data);
	(void)snprintf(vault, sizeof vault, "%s/vault", in->data);
	us_handout_directory(keeper, 0700);
	us_handout_directory(vault, 0700);
	err = us_keeper_create(made, &options, detail);
	if (err != US_OK)
		us_fatal("cannot make the vault: %s%s%s", us_strerror(err), detail[0] ? ": " : "",
		    detail);
	us_place_settings(in->data, &in->place, (struct us_bytes){ 0 });
	us_place_give(in->data, &in->place);
	us_place_try(in->data, &in->place);
}

int
us_init_main(int argc, char **argv)
{
	struct us_offline_init in = { .place = { .listen = "127.0.0.1:8443" },
		.shares = 5,
		.threshold = 3 };
	struct us_order *order = NULL;
	struct us_created made;
	char listen_host[128];
	struct us_handout h;

	us_log_init("init", US_LOG_INFO);
	(void)umask(022);
	if (!parse_options(&in, argc, argv)) {
		fputs(help, argc == 2 && strcmp(argv[1], "--help") == 0 ? stdout : stderr);
		return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
	}
	check_options(&in);
	if (us_crypto_init() != US_OK)
		us_fatal("cannot start the cryptographic library");
	refuse_if_used(in.data);
	refuse_if_used(in.out);
	us_place_check(&in.place, "--listen");
	add_listen_host(&in, listen_host, sizeof listen_host);
	read_order(&in);
	if (in.compiled.len > 0 &&
	    us_order_decode(in.compiled.data, in.compiled.len, &order) != US_OK)
		us_fatal("the compiled order cannot be read: this is a bug");
	gather_people(&in, order);
	create(&in, &made);
	h = (struct us_handout){ .out = in.out,
		.listen = in.place.listen,
		.host = in.host[0],
		.demo = in.demo,
		.people = in.people,
		.person = in.person,
		.made = &made,
		.admin_key = in.admin_key };
	us_hand_out(&h);
	us_created_free(&made);
	us_pkey_free(in.admin_key);
	us_order_free(order);
	for (size_t i = 0; i < in.people; i++)
		us_buf_free(&in.csr[i]);
	us_buf_free(&in.source);
	us_buf_free(&in.compiled);
	return 0;
}
