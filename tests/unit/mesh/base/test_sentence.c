/* test_sentence.c - words, numbers and ids in a row, cut between characters. */
#include <criterion/criterion.h>

#include "mesh/base/sentence.h"

Test(sentence, is_put_together_from_its_parts)
{
    struct sentence sentence;
    sentence_start(&sentence, "session ");
    sentence_add_id(&sentence, (struct session_id){0x1234, UINT64_MAX});
    sentence_add(&sentence, " has ");
    sentence_add_number(&sentence, 0);
    sentence_add(&sentence, " of ");
    sentence_add_number(&sentence, UINT64_MAX);
    cr_assert(span_equal(sentence_span(&sentence),
                         span_text("session 0000000000001234-ffffffffffffffff has 0 of "
                                   "18446744073709551615")));
}

Test(sentence, is_cut_between_characters)
{
    char words[SENTENCE_BYTES];
    memset(words, 'x', sizeof words);
    struct sentence sentence;
    sentence_start(&sentence, "");
    sentence_add_span(&sentence, span_of(words, SENTENCE_BYTES - 1));
    sentence_add(&sentence, "\xc3\xa4!");
    cr_assert_eq(sentence_span(&sentence).bytes, SENTENCE_BYTES - 1);
    cr_assert(span_is_text(sentence_span(&sentence)));
    sentence_add(&sentence, "yz");
    cr_assert_eq(sentence_span(&sentence).bytes, SENTENCE_BYTES);
    sentence_add(&sentence, "more");
    cr_assert_eq(sentence_span(&sentence).bytes, SENTENCE_BYTES);
}
