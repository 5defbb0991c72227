/*
 * Who speaks in a message of a conversation. Closed set with stable numbers: they stand in packed
 * records and in the documents of an index. New members are appended.
 */
#ifndef US_CASE_MESSAGE_ROLE_H
#define US_CASE_MESSAGE_ROLE_H

enum us_message_role {
	US_MESSAGE_SYSTEM = 1,
	US_MESSAGE_USER = 2,
	US_MESSAGE_ASSISTANT = 3,
	US_MESSAGE_TOOL = 4,
};

/* The name that stands in the native format: "system", …; static. NULL if role is none of the
 * set. */
const char *us_message_role_name(unsigned role);

#endif
