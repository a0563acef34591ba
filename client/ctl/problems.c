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

static void write_json(const char *code, const char *sentence, const struct problems_place *places,
                       size_t count)
{
    cJSON *document = cJSON_CreateObject();
    cJSON *error = cJSON_AddObjectToObject(document, "error");
    cJSON_AddStringToObject(error, "code", code);
    values_add_text(error, "message", (struct weft_text){sentence, strlen(sentence)});
    cJSON *errors = cJSON_AddArrayToObject(error, "errors");
    for (size_t i = 0; i < count && places[i].line > 0; i++) {
        cJSON *entry = cJSON_CreateObject();
        values_add_text(entry, "message", places[i].text);
        cJSON_AddNumberToObject(entry, "line", places[i].line);
        cJSON_AddNumberToObject(entry, "column", places[i].column);
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
        write_json(code, said, NULL, 0);
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

/* What is wrong as a sentence with its place, on the heap. */
static char *place_sentence(const struct problems_place *place)
{
    char *sentence = NULL;
    int bytes = (int)place->text.bytes;
    int written = place->line > 0 ? asprintf(&sentence, "%u:%u: %.*s", place->line, place->column,
                                             bytes, place->text.data)
                                  : asprintf(&sentence, "%.*s", bytes, place->text.data);
    return written < 0 ? NULL : sentence;
}

int problems_of_places(const char *code, const struct problems_place *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *sentence = place_sentence(&places[i]);
        const char *said = sentence == NULL ? "out of memory" : sentence;
        write_line(code, said);
        if (i == 0 && is_json_wanted)
            write_json(code, said, places, count);
        free(sentence);
    }
    return EXIT_ERROR;
}

int problems_of_error(enum weft_error error, struct weft_text text, uint32_t line, uint32_t column)
{
    struct problems_place place = {.text = text, .line = line, .column = column};
    if (text.bytes == 0 && error == WEFT_INVALID_FILTER) /* found here, before it was sent */
        place.text = values_text("a filter has 1 byte to 16 KiB; `all` means every session");
    else if (text.bytes == 0)
        place.text = values_text(weft_error_sentence(error));
    (void)problems_of_places(weft_error_name(error), &place, 1);
    return error == WEFT_NO_SUCH_SESSION ? EXIT_NOTHING : EXIT_ERROR;
}

int problems_of_result(const struct weft_result *result)
{
    return problems_of_error(result->error, result->text, result->line, result->column);
}
