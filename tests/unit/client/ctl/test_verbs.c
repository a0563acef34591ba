/* test_verbs.c - the table is whole. */
#include <criterion/criterion.h>

#include <string.h>

#include "client/ctl/verbs.h"

Test(verbs, each_has_what_its_help_needs)
{
    size_t count = 0;
    const struct verb *verbs = verbs_list(&count);
    cr_assert_geq(count, 11);
    for (size_t i = 0; i < count; i++) {
        const struct verb *verb = &verbs[i];
        cr_assert_not_null(verb->run, "%s", verb->noun);
        cr_assert_gt(strlen(verb->summary), 0);
        cr_assert_lt(strlen(verb->summary), 80, "%s fits on its line", verb->noun);
        cr_assert_eq(verb->examples[strlen(verb->examples) - 1], '\n', "%s", verb->noun);
        cr_assert_leq(verb->words_most, CTL_WORDS_MAX);
        cr_assert_leq(verb->words_least, verb->words_most);
        cr_assert_eq(verb->args == NULL, verb->words_most == 0, "%s", verb->noun);
    }
}

Test(verbs, each_is_found_by_its_words)
{
    size_t count = 0, used = 0;
    const struct verb *verbs = verbs_list(&count);
    for (size_t i = 0; i < count; i++) {
        char noun[32] = "", name[32] = "";
        char *words[] = {noun, name};
        (void)strncpy(noun, verbs[i].noun, sizeof noun - 1);
        (void)strncpy(name, verbs[i].name == NULL ? "" : verbs[i].name, sizeof name - 1);
        cr_assert_eq(verbs_find(words, 2, &used), &verbs[i], "%s %s", noun, name);
        cr_assert_eq(used, verbs[i].name == NULL ? 1 : 2);
    }
}

Test(verbs, half_a_verb_is_none)
{
    size_t used = 0;
    char noun[] = "session";
    char *words[] = {noun};
    cr_assert_null(verbs_find(words, 1, &used));
    cr_assert_null(verbs_find(words, 0, &used));
    cr_assert(verbs_is_noun("session"));
    cr_assert_not(verbs_is_noun("ls"));
}
