// Headers and templates as a C++ program has them: the compiler's own allocations are the workload.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <unordered_map>
#include <variant>
#include <vector>

template <int N> struct Node {
    std::map<std::string, std::vector<std::tuple<int, double, std::string>>> values;
    std::unique_ptr<Node<N - 1>> next = std::make_unique<Node<N - 1>>();
    template <typename Function> auto visit(Function function) {
        for (auto &[key, list] : values) std::sort(list.begin(), list.end());
        return std::make_tuple(function(values), next->visit(function));
    }
};

template <> struct Node<0> {
    template <typename Function> int visit(Function) { return 0; }
};

using Value = std::variant<int, double, std::string, std::vector<int>, std::map<int, std::string>>;

std::string describe(const std::vector<Value> &values) {
    std::ostringstream text;
    for (const auto &value : values) {
        std::visit([&](const auto &held) { text << sizeof held << ' '; }, value);
    }
    return text.str();
}

int main() {
    Node<5> first;
    std::unordered_map<std::string, std::function<int(int)>> table;
    table["one"] = [](int x) { return x + 1; };
    first.visit([](const auto &values) { return static_cast<int>(values.size()); });
    return table["one"](static_cast<int>(describe({1, 2.0, std::string("three")}).size()));
}
