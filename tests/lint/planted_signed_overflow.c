/* planted_signed_overflow.c - adds one to INT_MAX: UBSan must stop it. */
#include <limits.h>
#include <stdlib.h>

int main(void)
{
    volatile int number = INT_MAX;
    number = number + 1;
    return EXIT_SUCCESS;
}
