/* test_event.c - the names of what happens to members and sessions. */
#include <criterion/criterion.h>

#include "proto/event.h"

Test(event, names_of_member_news_are_those_people_see)
{
    cr_assert_str_eq(event_member_news_name(MEMBER_NEWS_JOINED), "joined");
    cr_assert_str_eq(event_member_news_name(MEMBER_NEWS_REPLACED), "replaced");
    cr_assert_str_eq(event_member_news_name(0), "unknown");
    cr_assert_str_eq(event_member_news_name(255), "unknown");
}

Test(event, names_of_session_news_are_those_people_see)
{
    cr_assert_str_eq(event_session_news_name(SESSION_NEWS_OPENED), "opened");
    cr_assert_str_eq(event_session_news_name(SESSION_NEWS_FAILED_OVER), "failed_over");
    cr_assert_str_eq(event_session_news_name(SESSION_NEWS_GONE), "gone");
    cr_assert_str_eq(event_session_news_name(0), "unknown");
    cr_assert_str_eq(event_session_news_name(12), "unknown");
}
