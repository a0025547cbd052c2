/* An empty, dynamically linked C program: the least that any command-line call costs. */
int main(void) {
  return 0;
}
