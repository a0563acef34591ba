/* planted_heap_overflow.c - writes one byte behind its block: ASan must stop it. */
#include <stdlib.h>

int main(void)
{
    enum { BLOCK_BYTES = 16 };
    volatile size_t behind = BLOCK_BYTES;
    char *block = malloc(BLOCK_BYTES);
    if (block == NULL) {
        return EXIT_SUCCESS;
    }
    block[behind] = 1;
    free(block);
    return EXIT_SUCCESS;
}
