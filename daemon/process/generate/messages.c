/*
 * us_make_messages HEADER SOURCE: writes the C of all messages between roles, made of requests.def
 * and messages.def, and the lists of requests and routes, to daemon/process/messages_generated.h
 * and .c of the build folder. Both are laid out like the rest of the tree;
 * tests/unit/daemon/test_messages_generated.py holds them to that.
 */
#include <stdio.h>
#include <string.h>

#define WIDTH 100u

enum us_message_part_kind { MESSAGE, REQUEST, ROUTE, U8, U16, U32, U64, I64, FIX, BYTES };

/* A row of either, or a field of the row before it. Texts are as they stand there. */
struct us_message_part {
	enum us_message_part_kind kind;
	int line;
	const char *file;
	const char *name; /* of a ROUTE: all its columns */
	const char *size; /* of FIX; the most of BYTES, or of the body of a message */
	const char *number, *from, *to;
	const char *columns; /* of a REQUEST: action, sealed, needs */
};

static const struct us_message_part parts[] = {
#define MESSAGE(name, number, from, to, max) \
	{ MESSAGE, __LINE__, __FILE__, #name, #max, #number, #from, #to, "" },
#define REQUEST(name, number, to, max, action, sealed, needs) \
	{ REQUEST, __LINE__, __FILE__, #name, #max, #number, "FRONT", #to, \
		#action ", " #sealed ", " #needs },
#define ROUTE(...) { ROUTE, __LINE__, __FILE__, #__VA_ARGS__, "", "", "", "", "" },
#define FIELD(kind, name, size) { kind, __LINE__, __FILE__, #name, #size, "", "", "", "" },
#define U8(f) FIELD(U8, f, 1)
#define U16(f) FIELD(U16, f, 2)
#define U32(f) FIELD(U32, f, 4)
#define U64(f) FIELD(U64, f, 8)
#define I64(f) FIELD(I64, f, 8)
#define FIX(f, n) FIELD(FIX, f, n)
#define BYTES(f, max) FIELD(BYTES, f, max)
#include "daemon/process/requests.def"
#include "daemon/process/messages.def"
#undef MESSAGE
#undef REQUEST
#undef ROUTE
	{ MESSAGE, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL }, /* ends the last one's fields */
};

/* What a field of a kind is in the struct, in the encoder and in the decoder. */
static const struct {
	const char *member, *put, *take;
} fields[] = {
	[U8] = { "uint8_t $n;", "us_buf_put_u8(b, m->$n);", "m->$n = us_take_u8(&r);" },
	[U16] = { "uint16_t $n;", "us_buf_put_u16(b, m->$n);", "m->$n = us_take_u16(&r);" },
	[U32] = { "uint32_t $n;", "us_buf_put_u32(b, m->$n);", "m->$n = us_take_u32(&r);" },
	[U64] = { "uint64_t $n;", "us_buf_put_u64(b, m->$n);", "m->$n = us_take_u64(&r);" },
	[I64] = { "int64_t $n;", "us_buf_put_u64(b, (uint64_t)m->$n);",
	    "m->$n = (int64_t)us_take_u64(&r);" },
	[FIX] = { "uint8_t $n[$s];", "us_buf_put(b, m->$n, sizeof m->$n);",
	    "us_take_into(&r, m->$n, sizeof m->$n);" },
	[BYTES] = { "struct us_bytes $n;", "us_msg_put_bytes(b, m->$n, $s);",
	    "m->$n = us_take_str32(&r, $s);" },
};

/* --- printing -------------------------------------------------------------------------------- */

/* A line. What is too long goes on two, as clang-format has it: a prototype whose head would fit
 * without its type is broken behind that, all else behind a comma. */
static void
print_line(const char *line)
{
	size_t length = strlen(line), n = WIDTH;

	if (length <= WIDTH) {
		puts(line);
	} else if (strncmp(line, "int ", 4) == 0 && length - 4 <= WIDTH) {
		printf("int\n%s\n", line + 4);
	} else {
		while (line[n - 1] != ',')
			n--;
		printf("%.*s\n    %s\n", (int)n, line, line + n + 1);
	}
}

/* Whom a message goes to, by whom a request is handed on, unopened. */
static const char *
receiver(const struct us_message_part *m)
{
	if (m->kind != REQUEST)
		return m->to;
	return strcmp(m->to, "SEALER") == 0 ? "INTAKE" : "VAULT";
}

static int
is_request(const struct us_message_part *m)
{
	return m->kind == REQUEST;
}

static int
is_vaults(const struct us_message_part *m)
{
	return m->kind == REQUEST && strcmp(receiver(m), "VAULT") == 0;
}

static int
is_handed_on(const struct us_message_part *m)
{
	return m->kind == REQUEST && strcmp(m->to, "KEEPER") == 0;
}

/* What $c stands for, of a part. */
static const char *
value(const struct us_message_part *i, char c, char number[16])
{
	switch (c) {
	case 'n':
		return i->name;
	case 's':
		return i->size;
	case 't':
		return i->number;
	case 'f':
		return i->from;
	case 'o':
		return receiver(i);
	case 'h':
		return is_handed_on(i) ? "KEEPER" : "ANY";
	case 'm':
		return strrchr(i->file, '/') + 1;
	default: /* 'l' */
		(void)snprintf(number, 16, "%d", i->line);
		return number;
	}
}

/* Lines of text, the last one ending without \n, in which $n is the part's name, $s its size, $t
 * its number, $f and $o whom it goes from and to, $h whom it is handed on to, $l and $m its
 * line and that line's file. */
static void
print(const char *text, const struct us_message_part *i)
{
	char line[512], number[16];
	size_t n = 0;

	for (;; text++) {
		if (*text == '$') {
			const char *v = value(i, *++text, number);

			while (*v != '\0' && n < sizeof line - 1)
				line[n++] = *v++;
		} else if (*text != '\n' && *text != '\0') {
			if (n < sizeof line - 1)
				line[n++] = *text;
		} else {
			line[n] = '\0';
			print_line(line);
			n = 0;
		}
		if (*text == '\0')
			return;
	}
}

/* The message after m; its name is NULL if there is none. */
static const struct us_message_part *
after(const struct us_message_part *m)
{
	do
		m++;
	while (m->kind != MESSAGE && m->kind != REQUEST);
	return m;
}

static int
is_field(const struct us_message_part *i)
{
	return i->kind != MESSAGE && i->kind != REQUEST && i->kind != ROUTE;
}

static void
print_each(const char *text)
{
	for (const struct us_message_part *m = parts; m->name != NULL; m = after(m))
		print(text, m);
}

/* --- the header ------------------------------------------------------------------------------ */

static void
print_declarations(const struct us_message_part *m)
{
	print(is_handed_on(m) ? "\n/* $f -> $o -> $h, type $t, at most $s bytes; $m, line $l */" :
				"\n/* $f -> $o, type $t, at most $s bytes; $m, line $l */",
	    m);
	print("struct us_msg_$n {", m);
	for (const struct us_message_part *f = m + 1; is_field(f); f++) {
		putchar('\t');
		print(fields[f->kind].member, f);
	}
	print("};\n"
	      "int us_msg_$n_encode(struct us_buf *b, const struct us_msg_$n *m);\n"
	      "int us_msg_$n_decode(struct us_msg_$n *m, const void *p, size_t n);\n"
	      "int us_send_$n(struct us_channel *ch, uint32_t tag, const struct us_msg_$n *m);",
	    m);
}

static void
print_requests(const char *list, int (*belongs)(const struct us_message_part *m))
{
	printf("#define %s(X) \\\n", list);
	for (const struct us_message_part *m = parts; m->name != NULL; m = after(m))
		if (belongs(m))
			printf("\tX(%s, %s, %s) \\\n", m->name, m->to, m->columns);
	puts("\t/* and no more */\n");
}

/* Lists, which only the preprocessor reads: a row a line, however long. */
static void
print_lists(void)
{
	puts("/* clang-format off */\n"
	     "/* X(name, number, from, to, largest body in bytes) */\n"
	     "#define US_MESSAGES(X) \\");
	for (const struct us_message_part *m = parts; m->name != NULL; m = after(m))
		printf("\tX(%s, %s, %s, %s, %s) \\\n", m->name, m->number, m->from, receiver(m),
		    m->size);
	puts("\t/* and no more */\n\n"
	     "/* X(message, to, action, sealed, needs): all; those that the vault takes; and of "
	     "these\n"
	     " * those that it hands on to the keeper */");
	print_requests("US_REQUESTS", is_request);
	print_requests("US_VAULT_REQUESTS", is_vaults);
	print_requests("US_KEEPER_REQUESTS", is_handed_on);
	puts("/* X(message, method, pattern, media, largest body in bytes, detail) */\n"
	     "#define US_ROUTES(X) \\");
	for (const struct us_message_part *i = parts; i->name != NULL; i++)
		if (i->kind == ROUTE)
			printf("\tX(%s) \\\n", i->name);
	puts("\t/* and no more */\n"
	     "/* clang-format on */");
}

static void
print_header(void)
{
	puts("/*\n"
	     " * Generated by daemon/process/generate/messages.c of requests.def and messages.def "
	     "in\n"
	     " * daemon/process/, which say what the fields mean: change them.\n"
	     " *\n"
	     " * us_msg_NAME_encode() appends the body to b. US_ERR_LIMIT: a field or the body is "
	     "too\n"
	     " * large; b is then as it was. us_msg_NAME_decode() takes a body apart; views of m "
	     "point\n"
	     " * into p. US_OK, or US_ERR_MALFORMED and m is zeros. us_send_NAME() queues a "
	     "message: see\n"
	     " * us_channel_send().\n"
	     " */\n"
	     "#ifndef US_DAEMON_PROCESS_MESSAGES_GENERATED_H\n"
	     "#define US_DAEMON_PROCESS_MESSAGES_GENERATED_H\n\n"
	     "#include <stddef.h>\n"
	     "#include <stdint.h>\n\n"
	     "#include \"base/buf.h\"\n\n"
	     "struct us_channel;\n");
	print_lists();
	puts("\nenum us_msg_type {");
	print_each("\tUS_MSG_$n = $t,");
	puts("};");
	for (const struct us_message_part *m = parts; m->name != NULL; m = after(m))
		print_declarations(m);
	puts("\n#endif");
}

/* --- the source ------------------------------------------------------------------------------ */

static void
print_functions(const struct us_message_part *m)
{
	print("\n"
	      "int\n"
	      "us_msg_$n_encode(struct us_buf *b, const struct us_msg_$n *m)\n"
	      "{\n"
	      "\tsize_t start = b->len;\n"
	      "\tint err = US_OK;\n",
	    m);
	for (const struct us_message_part *f = m + 1; is_field(f); f++) {
		fputs("\tif (err == US_OK)\n\t\terr = ", stdout);
		print(fields[f->kind].put, f);
	}
	print("\treturn us_msg_encode_end(b, start, $s, err);\n"
	      "}\n"
	      "\n"
	      "int\n"
	      "us_msg_$n_decode(struct us_msg_$n *m, const void *p, size_t n)\n"
	      "{\n"
	      "\tstruct us_reader r;\n"
	      "\n"
	      "\tus_msg_decode_start(&r, p, n, $s);",
	    m);
	for (const struct us_message_part *f = m + 1; is_field(f); f++) {
		putchar('\t');
		print(fields[f->kind].take, f);
	}
	print("\treturn us_msg_decode_end(&r, m, sizeof *m);\n"
	      "}\n"
	      "\n"
	      "static int\n"
	      "encode_$n(struct us_buf *b, const void *m)\n"
	      "{\n"
	      "\treturn us_msg_$n_encode(b, m);\n"
	      "}\n"
	      "\n"
	      "int\n"
	      "us_send_$n(struct us_channel *ch, uint32_t tag, const struct us_msg_$n *m)\n"
	      "{\n"
	      "\treturn us_channel_send(ch, US_MSG_$n, tag, encode_$n, m);\n"
	      "}",
	    m);
}

static void
print_source(void)
{
	puts("/* Generated by daemon/process/generate/messages.c of requests.def and messages.def. "
	     "*/\n"
	     "#include \"daemon/process/messages.h\"\n\n"
	     "#include \"base/err.h\"\n"
	     "#include \"daemon/process/channel.h\"\n"
	     "#include \"daemon/process/messages_internal.h\"");
	for (const struct us_message_part *m = parts; m->name != NULL; m = after(m))
		print_functions(m);
	puts("\nint\nus_msg_info(uint16_t type, struct us_msg_info *info)\n{\n\tswitch (type) {");
	print_each("\tcase US_MSG_$n:\n"
		   "\t\tinfo->name = \"$n\";\n"
		   "\t\tinfo->from = US_ROLE_$f;\n"
		   "\t\tinfo->to = US_ROLE_$o;\n"
		   "\t\tinfo->hand_on = US_ROLE_$h;\n"
		   "\t\tinfo->max = $s;\n"
		   "\t\treturn 1;");
	puts("\tdefault:\n\t\treturn 0;\n\t}\n}\n\n"
	     "int\nus_msg_check(uint16_t type, const void *p, size_t n)\n{\n\tswitch (type) {");
	print_each("\tcase US_MSG_$n: {\n"
		   "\t\tstruct us_msg_$n m;\n"
		   "\n"
		   "\t\treturn us_msg_$n_decode(&m, p, n);\n"
		   "\t}");
	puts("\tdefault:\n\t\treturn US_ERR_MALFORMED;\n\t}\n}");
}

/* What print_file() prints becomes the file. Returns 0, or -1 and has said why. */
static int
make(const char *path, void (*print_file)(void))
{
	if (freopen(path, "w", stdout) != NULL) {
		print_file();
		if (fflush(stdout) == 0 && !ferror(stdout))
			return 0;
	}
	perror(path);
	return -1;
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: us_make_messages HEADER SOURCE\n", stderr);
		return 2;
	}
	return make(argv[1], print_header) == 0 && make(argv[2], print_source) == 0 ? 0 : 1;
}
