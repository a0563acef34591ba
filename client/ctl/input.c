/* input.c - see input.h. */
#include "client/ctl/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/values.h"

int input_read(const struct ctl *ctl, size_t at, struct input *input)
{
    enum weft_value_type type = WEFT_STRING;
    const char *name = ctl_flag(ctl, FLAG_TYPE), *why = NULL;
    if (name != NULL && !values_parse_type(name, &type))
        return problems_usage("--type takes string, json, int64, double or binary, not '%s'", name);
    if (ctl->words_count <= at)
        return name == NULL
                   ? EXIT_COMPLETE
                   : problems_usage("--type %s is the type of a VALUE, and there is none", name);
    const char *text = ctl->words[at];
    size_t bytes = strlen(text);
    input->is_there = true;
    if (strcmp(text, "-") == 0) {
        text = input->text = values_read(stdin, &bytes, &why);
        if (text == NULL)
            return problems_usage("standard input: %s", why);
        if (type == WEFT_BINARY) { /* it needs no base64 to come through a pipe */
            input->value = weft_binary(text, bytes);
            return EXIT_COMPLETE;
        }
        if (type != WEFT_STRING && bytes > 0 && text[bytes - 1] == '\n')
            input->text[--bytes] = '\0';
    }
    why = values_from_text(type, text, bytes, &input->value, &input->memory);
    return why == NULL ? EXIT_COMPLETE
                       : problems_usage("VALUE '%.40s' with --type %s: %s", text, name, why);
}

void input_clear(struct input *input)
{
    free(input->text);
    free(input->memory);
    *input = (struct input){0};
}
