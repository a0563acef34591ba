/* problems.c - see problems.h. What nodes and handlers say may hold any bytes; on a line for people
 * control characters are shown as '?', so that nobody else's text can steer a terminal or forge a
 * second line. */
#include "client/ctl/problems.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/values.h"

static bool is_json_wanted;

void problems_use_json(bool is_json)
{
    is_json_wanted = is_json;
}

static void write_line(const char *code, const char *sentence)
{
    fprintf(stderr, "weftctl: %s: ", code);
    for (const char *at = sentence; *at != '\0'; at++)
        (void)fputc((unsigned char)*at < ' ' || *at == '\x7f' ? '?' : *at, stderr);
    (void)fputc('\n', stderr);
}

static void write_json(const char *code, const char *sentence, uint32_t line, uint32_t column)
{
    cJSON *document = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(document, "error");
    cJSON_AddStringToObject(error, "code", code);
    values_add_text(error, "message", (struct weft_text){sentence, strlen(sentence)});
    cJSON *errors = cJSON_AddArrayToObject(error, "errors");
    if (line > 0) {
        cJSON *entry = cJSON_CreateObject();
        values_add_text(entry, "message", (struct weft_text){sentence, strlen(sentence)});
        cJSON_AddNumberToObject(entry, "line", line);
        cJSON_AddNumberToObject(entry, "column", column);
        cJSON_AddItemToArray(errors, entry);
    }
    char *text = cJSON_PrintUnformatted(document);
    if (text != NULL)
        puts(text);
    cJSON_free(text);
    cJSON_Delete(document);
}

static char *format_sentence(const char *format, va_list rest)
    __attribute__((format(printf, 1, 0)));

static char *format_sentence(const char *format, va_list rest)
{
    char *sentence = NULL;
    return vasprintf(&sentence, format, rest) < 0 ? NULL : sentence;
}

static void say(const char *code, char *sentence, bool is_result)
{
    const char *said = sentence == NULL ? "out of memory" : sentence;
    write_line(code, said);
    if (is_result && is_json_wanted)
        write_json(code, said, 0, 0);
    free(sentence);
}

void problems_note(const char *code, const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    say(code, format_sentence(format, rest), false);
    va_end(rest);
}

int problems_report(const char *code, const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    say(code, format_sentence(format, rest), true);
    va_end(rest);
    return EXIT_ERROR;
}

int problems_usage(const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    say("USAGE", format_sentence(format, rest), true);
    va_end(rest);
    return EXIT_USAGE;
}

int problems_of_error(enum weft_error error, struct weft_text text, uint32_t line, uint32_t column)
{
    const char *code = weft_error_name(error);
    char *sentence = NULL;
    if (text.bytes == 0)
        text = values_text(weft_error_sentence(error));
    int bytes = line > 0
                    ? asprintf(&sentence, "%u:%u: %.*s", line, column, (int)text.bytes, text.data)
                    : asprintf(&sentence, "%.*s", (int)text.bytes, text.data);
    if (bytes < 0)
        return problems_report(code, "%s", weft_error_sentence(error));
    write_line(code, sentence);
    if (is_json_wanted)
        write_json(code, sentence, line, column);
    free(sentence);
    return error == WEFT_NO_SUCH_SESSION ? EXIT_NOTHING : EXIT_ERROR;
}

int problems_of_result(const struct weft_result *result)
{
    return problems_of_error(result->error, result->text, result->line, result->column);
}
