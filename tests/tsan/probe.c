/* probe.c - does a program built with TSan start on this machine? */
int main(void)
{
    return 0;
}
