/* config_file.h - reads a configuration file: JSON with comments, sections nested or dotted
 * ("gossip": {"period_ms": 200} is "gossip.period_ms": 200).
 * Memory: nothing stays allocated. Thread: one owner. */
#ifndef WEFT_DAEMON_CONFIG_FILE_H
#define WEFT_DAEMON_CONFIG_FILE_H

#include "daemon/config.h"

/* Sets what the file says; path - is standard input. false: the file can't be read, is no JSON, or
 * says something wrong; the error names path, line and column. Keys before it may be set then. */
bool config_file_read(struct config *config, const char *path, struct config_error *error);

/* The same with the text at hand; comments in it are overwritten. text[bytes] must be NUL. */
bool config_file_parse(struct config *config, const char *path, char *text, size_t bytes,
                       struct config_error *error);

#endif
