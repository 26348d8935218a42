// Follows a pointer that it reads from a freed block.
#include "small.h"

struct node {
    struct node *next;
    int number;
};

int main(void) {
    struct node *node = (struct node *)obtain(calloc(1, sizeof(struct node)));
    node->next = node;
    struct node *volatile next = node;
    free(node);
    return BENIGN ? 0 : next->next->number;
}
