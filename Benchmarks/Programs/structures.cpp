// Large structures of the standard library that are built whole and dropped whole: maps, strings,
// lists, shared nodes.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

struct Node {
    std::vector<std::shared_ptr<Node>> children;
    std::string name;
};

static std::shared_ptr<Node> tree(int depth, int &count) {
    auto node = std::make_shared<Node>();
    node->name = "node number " + std::to_string(count++);
    if (depth == 0) return node;
    for (int i = 0; i < 4; i++) node->children.push_back(tree(depth - 1, count));
    return node;
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? std::atoi(argv[1]) : 1;
    std::uint64_t state = 1, total = 0;
    auto random = [&state] { return (state = state * 6364136223846793005u + 1442695040888963407u) >> 33; };
    for (int round = 0; round < rounds; round++) {
        std::map<std::uint64_t, std::string> ordered;
        for (int i = 0; i < 60000; i++) ordered.emplace(random(), std::string(random() % 120, 'a'));
        std::unordered_map<std::string, std::vector<int>> groups;
        for (int i = 0; i < 120000; i++) groups["group " + std::to_string(random() % 30000)].push_back(i);
        std::list<std::string> lines;
        for (int i = 0; i < 80000; i++) lines.push_back("a line of text, number " + std::to_string(i));
        int count = 0;
        auto root = tree(7, count);
        total += ordered.size() + groups.size() + lines.size() + static_cast<unsigned>(count);
    }
    std::printf("%llu\n", static_cast<unsigned long long>(total));
}
