/* error.c - see error.h. */
#include "proto/error.h"

const char *error_name(unsigned number)
{
    switch ((enum error)number) {
#define ERROR_NAME(value, name, sentence)                                                          \
    case ERROR_##name:                                                                             \
        return #name;
        ERROR_LIST(ERROR_NAME)
#undef ERROR_NAME
    }
    return "UNKNOWN_ERROR";
}

const char *error_sentence(unsigned number)
{
    switch ((enum error)number) {
#define ERROR_SENTENCE(value, name, sentence)                                                      \
    case ERROR_##name:                                                                             \
        return sentence;
        ERROR_LIST(ERROR_SENTENCE)
#undef ERROR_SENTENCE
    }
    return "an error that this version does not know";
}

const char *close_reason_name(unsigned number)
{
    switch ((enum close_reason)number) {
    case CLOSE_REASON_NONE:
        break;
#define CLOSE_REASON_NAME(value, name, text)                                                       \
    case CLOSE_REASON_##name:                                                                      \
        return text;
        CLOSE_REASON_LIST(CLOSE_REASON_NAME)
#undef CLOSE_REASON_NAME
    }
    return "unknown_reason";
}
