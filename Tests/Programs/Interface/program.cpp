// An ordinary C++ program: exceptions, containers, strings, streams, smart pointers, threads.
// Prints one number, which is the same under every allocator.
#include <algorithm>
#include <deque>
#include <functional>
#include <future>
#include <iostream>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

struct Failure : std::runtime_error {
    std::vector<std::string> path;
    explicit Failure(const std::string &what) : std::runtime_error(what) {}
};

static std::size_t deep(int depth) {
    std::vector<std::string> local(std::size_t(depth) + 1, std::string(std::size_t(depth) * 3 + 20, 'd'));
    if (depth == 0) throw Failure("at the bottom of " + local[0]);
    try {
        return deep(depth - 1) + local.size();
    } catch (Failure &failure) {
        failure.path.push_back(local.back());
        throw;
    }
}

static std::size_t exceptions() {
    std::size_t sum = 0;
    for (int i = 0; i < 200; i++) {
        try {
            sum += deep(i % 40);
        } catch (const Failure &failure) {
            sum += failure.path.size() + std::string(failure.what()).size();
        }
    }
    return sum;
}

static std::size_t containers(unsigned seed) {
    std::map<std::string, std::vector<int>> sorted;
    std::unordered_map<std::string, std::list<std::string>> hashed;
    std::deque<std::unique_ptr<std::string>> queue;
    unsigned state = seed;
    for (int i = 0; i < 20000; i++) {
        state = state * 1103515245 + 12345;
        std::string key = "key " + std::to_string((state >> 12) % 1500);
        sorted[key].push_back(i);
        hashed[key].push_front(key + " again");
        queue.push_back(std::make_unique<std::string>(key.size() + i % 100, 'q'));
        if (queue.size() > 300) queue.pop_front();
        if (i % 7 == 0) hashed.erase(key);
    }
    std::size_t sum = 0;
    for (const auto &[key, values] : sorted) sum += key.size() * std::accumulate(values.begin(), values.end(), 0u);
    for (const auto &[key, values] : hashed) sum += values.size() * values.front().size();
    return std::accumulate(queue.begin(), queue.end(), sum, [](std::size_t s, const auto &q) { return s + q->size(); });
}

static std::size_t streams() {
    std::ostringstream out;
    for (int i = 0; i < 5000; i++) out << i << ' ' << i * 0.5 << " word\n";
    std::istringstream in(out.str());
    std::size_t sum = 0, number;
    double half;
    std::string word;
    while (in >> number >> half >> word) sum += number + std::size_t(half) + word.size();
    return sum;
}

static std::size_t resources() {
    std::pmr::unsynchronized_pool_resource pool(std::pmr::new_delete_resource());
    std::pmr::vector<std::pmr::string> strings(&pool);
    for (int i = 0; i < 3000; i++) strings.emplace_back(std::string(std::size_t(i % 200), 'p'));
    std::sort(strings.begin(), strings.end(), [](const auto &a, const auto &b) { return a.size() < b.size(); });
    return strings.back().size() + strings.size();
}

static std::size_t threads() {
    std::vector<std::thread> workers;
    std::vector<std::size_t> sums(8);
    for (unsigned i = 0; i < 8; i++) workers.emplace_back([&sums, i] { sums[i] = containers(i) + exceptions(); });
    for (auto &worker : workers) worker.join();
    std::vector<std::future<std::size_t>> futures;
    for (int i = 0; i < 16; i++) futures.push_back(std::async(std::launch::async, streams));
    std::size_t sum = std::accumulate(sums.begin(), sums.end(), std::size_t(0));
    for (auto &future : futures) sum += future.get();
    return sum;
}

int main() {
    std::shared_ptr<std::function<std::size_t()>> all = std::make_shared<std::function<std::size_t()>>([] {
        return exceptions() + containers(1) + streams() + resources() + threads();
    });
    std::cout << (*all)() << std::endl;
}
