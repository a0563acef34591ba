/* kinds.c - see kinds.h. */
#include "proto/kinds.h"

const char *kind_name(unsigned number)
{
    switch ((enum kind)number) {
#define KIND_NAME(value, name, where)                                                              \
    case KIND_##name:                                                                              \
        return #name;
        KIND_LIST(KIND_NAME)
#undef KIND_NAME
    }
    return "UNKNOWN_KIND";
}

bool kind_is_numbered(unsigned number)
{
    return number > KIND_GOODBYE;
}

bool kind_is_secret(unsigned number)
{
    return number == KIND_HELLO || number == KIND_AUTHENTICATE || number == KIND_REAUTHENTICATE;
}
