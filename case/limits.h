/*
 * Limits that more than one room keeps to. One that a single room keeps stands in its header;
 * docs/OPERATING.md lists those that people meet.
 */
#ifndef US_CASE_LIMITS_H
#define US_CASE_LIMITS_H

/* Decompressed bytes of one part of a load, and of one record in it. */
#define US_PART_RAW_MAX (16u * 1024u * 1024u)
#define US_RECORD_MAX (8u * 1024u * 1024u)
/* Bytes of the id that a record has where it comes from. */
#define US_SOURCE_ID_MAX 512u
/* Records of one batch. */
#define US_BATCH_RECORDS_MAX 65536

/* Bytes of a signed act with what is committed beside it: as it stands in the log's state. */
#define US_ACT_COMMITTED_MAX 1114112
/* Parties that one person may belong to. */
#define US_PERSON_PARTIES 16

/* Bytes of a collection's name, of a designation, of the purpose of a request. */
#define US_COLLECTION_NAME_MAX 64
#define US_DESIGNATION_MAX 64
#define US_PURPOSE_MAX 1024

#endif
