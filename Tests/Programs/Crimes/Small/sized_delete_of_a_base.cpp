// Deletes an object through a base whose destructor is not virtual.
#include "small.h"

struct Base {
    long number = 1;
};
struct Derived : Base {
    char more[1000] = {};
};

int main(void) {
    Base *object = reinterpret_cast<Base *>(obtain(new Derived));
    if (BENIGN) delete static_cast<Derived *>(object);
    if (!BENIGN) delete object;
}
