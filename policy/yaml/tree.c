/* libyaml's events into a tree, refusing everything that makes YAML ambiguous. */
#include "policy/yaml/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/array.h"
#include "base/log.h"
#include "base/utf8.h"

void
us_finding(struct us_findings *f, enum us_severity severity, unsigned line, unsigned column,
    const char *format, ...)
{
	char text[600];
	va_list ap;

	if (severity == US_FINDING_ERROR)
		f->errors++;
	else
		f->warnings++;
	if (f->n == US_FINDINGS_MAX)
		return;
	struct us_finding *item = &f->items[f->n++];
	item->severity = severity;
	item->line = line;
	item->column = column;
	va_start(ap, format);
	(void)vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	/* the file is not ours: what it says is shown without its control characters */
	(void)us_printable(item->text, sizeof item->text, text, strlen(text));
}

void
us_yaml_free(struct us_yaml_node *node)
{
	if (node == NULL)
		return;
	for (size_t i = 0; i < node->n; i++)
		us_yaml_free(node->items[i]);
	free(node->items);
	free((void *)(uintptr_t)node->text.p);
	free(node);
}

const struct us_yaml_node *
us_yaml_find(const struct us_yaml_node *map, const char *key)
{
	for (size_t i = 0; map != NULL && map->kind == US_YAML_MAP && i + 1 < map->n; i += 2)
		if (us_bytes_is(map->items[i]->text, key))
			return map->items[i + 1];
	return NULL;
}

struct us_yaml_builder {
	struct us_yaml_node *root;
	struct us_yaml_node *stack[US_YAML_DEPTH];
	size_t depth;
	size_t nodes;
	int documents;
	struct us_findings *findings;
};

static int
complain(struct us_yaml_builder *b, const yaml_mark_t *mark, const char *text)
{
	us_finding(b->findings, US_FINDING_ERROR, (unsigned)mark->line + 1,
	    (unsigned)mark->column + 1, "%s", text);
	return US_ERR_FORMAT;
}

/* Hangs the node into its parent; the parent owns it from then on. */
static int
hang(struct us_yaml_builder *b, struct us_yaml_node *node)
{
	if (b->depth == 0) {
		b->root = node;
		return US_OK;
	}
	struct us_yaml_node *parent = b->stack[b->depth - 1];
	if (us_grow(&parent->items, parent->n, &parent->cap, sizeof(struct us_yaml_node *)) !=
	    US_OK)
		return US_ERR_NOMEM;
	parent->items[parent->n++] = node;
	return US_OK;
}

static int
set_text(struct us_yaml_node *node, const yaml_event_t *event)
{
	size_t n = event->data.scalar.length;
	uint8_t *text = malloc(n + 1);

	if (text == NULL)
		return US_ERR_NOMEM;
	memcpy(text, event->data.scalar.value, n);
	text[n] = '\0';
	node->text = (struct us_bytes){ text, n };
	node->quoted = event->data.scalar.style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
	    event->data.scalar.style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	return US_OK;
}

static int
begin(struct us_yaml_builder *b, const yaml_event_t *event, enum us_yaml_kind kind)
{
	const yaml_mark_t *mark = &event->start_mark;
	struct us_yaml_node *node;
	int err;

	if (++b->nodes > US_YAML_NODES)
		return complain(b, mark, "the file has more parts than an order may have");
	if (kind != US_YAML_SCALAR && b->depth == US_YAML_DEPTH)
		return complain(b, mark, "nested too deeply");
	/* keys are plain text; this also keeps a list from being one */
	if (b->depth > 0 && kind != US_YAML_SCALAR && b->stack[b->depth - 1]->kind == US_YAML_MAP &&
	    b->stack[b->depth - 1]->n % 2 == 0)
		return complain(b, mark, "a key must be text");
	node = calloc(1, sizeof *node);
	if (node == NULL)
		return US_ERR_NOMEM;
	node->kind = kind;
	node->line = (unsigned)mark->line + 1;
	node->column = (unsigned)mark->column + 1;
	err = kind == US_YAML_SCALAR ? set_text(node, event) : US_OK;
	if (err == US_OK)
		err = hang(b, node);
	if (err != US_OK) {
		us_yaml_free(node);
		return err;
	}
	if (kind != US_YAML_SCALAR)
		b->stack[b->depth++] = node;
	return US_OK;
}

static int
take_event(struct us_yaml_builder *b, const yaml_event_t *event)
{
	const yaml_mark_t *mark = &event->start_mark;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return complain(b, mark, "aliases (*name) are not used in orders: write it out");
	case YAML_SCALAR_EVENT:
		if (event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL)
			return complain(b, mark,
			    "anchors (&name) and tags (!name) are not used in orders");
		return begin(b, event, US_YAML_SCALAR);
	case YAML_SEQUENCE_START_EVENT:
		if (event->data.sequence_start.anchor != NULL ||
		    event->data.sequence_start.tag != NULL)
			return complain(b, mark,
			    "anchors (&name) and tags (!name) are not used in orders");
		return begin(b, event, US_YAML_LIST);
	case YAML_MAPPING_START_EVENT:
		if (event->data.mapping_start.anchor != NULL ||
		    event->data.mapping_start.tag != NULL)
			return complain(b, mark,
			    "anchors (&name) and tags (!name) are not used in orders");
		return begin(b, event, US_YAML_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return US_OK;
	case YAML_DOCUMENT_START_EVENT:
		if (++b->documents > 1)
			return complain(b, mark, "a second document (---): an order is one");
		if (event->data.document_start.version_directive != NULL ||
		    event->data.document_start.tag_directives.start !=
			event->data.document_start.tag_directives.end)
			return complain(b, mark, "directives (%) are not used in orders");
		return US_OK;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return US_OK;
	}
	return US_OK;
}

static int
run(struct us_yaml_builder *b, yaml_parser_t *parser)
{
	int err = US_OK, done = 0;

	while (err == US_OK && !done) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event)) {
			if (parser->error == YAML_MEMORY_ERROR)
				return US_ERR_NOMEM;
			us_finding(b->findings, US_FINDING_ERROR,
			    (unsigned)parser->problem_mark.line + 1,
			    (unsigned)parser->problem_mark.column + 1, "not YAML: %s%s%s",
			    parser->problem == NULL ? "unreadable" : parser->problem,
			    parser->context == NULL ? "" : " ",
			    parser->context == NULL ? "" : parser->context);
			return US_ERR_FORMAT;
		}
		err = take_event(b, &event);
		done = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	return err;
}

int
us_yaml_parse(struct us_bytes source, struct us_yaml_node **out, struct us_findings *findings)
{
	struct us_yaml_builder b = { .findings = findings };
	yaml_parser_t parser;
	int err;

	*out = NULL;
	if (source.n > US_ORDER_SOURCE_MAX) {
		us_finding(findings, US_FINDING_ERROR, 0, 0, "the file is larger than %d bytes",
		    US_ORDER_SOURCE_MAX);
		return US_ERR_FORMAT;
	}
	if (!us_utf8_valid(source.p, source.n)) {
		us_finding(findings, US_FINDING_ERROR, 0, 0, "the file is not UTF-8");
		return US_ERR_FORMAT;
	}
	if (!yaml_parser_initialize(&parser))
		return US_ERR_NOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser,
	    source.p == NULL ? (const unsigned char *)"" : source.p, source.n);
	err = run(&b, &parser);
	yaml_parser_delete(&parser);
	if (err == US_OK && b.root == NULL) {
		us_finding(findings, US_FINDING_ERROR, 0, 0, "the file is empty");
		err = US_ERR_FORMAT;
	}
	if (err != US_OK) {
		us_yaml_free(b.root);
		return err;
	}
	*out = b.root;
	return US_OK;
}
