/* test_event.c - the names of what happens to members. */
#include <criterion/criterion.h>

#include "proto/event.h"

Test(event, names_of_member_news_are_those_people_see)
{
    cr_assert_str_eq(event_member_news_name(MEMBER_NEWS_JOINED), "joined");
    cr_assert_str_eq(event_member_news_name(MEMBER_NEWS_REPLACED), "replaced");
    cr_assert_str_eq(event_member_news_name(0), "unknown");
    cr_assert_str_eq(event_member_news_name(255), "unknown");
}
