#!/bin/bash
# Git records a history with branches and merges, packs it with threads, verifies it, and clones it. Prints the ids of the
# last tree and commit, which depend on every byte, and what is in the pack.
. "$(dirname "$0")/common.sh"
need git perl
commits=$(by_size 120 1500)
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org \
    GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org

git init -q --initial-branch=trunk work
cd work
git config gc.auto 0
git config pack.threads 2
mkdir -p part/{0..9}
for ((i = 1; i <= commits; i++)); do
    export GIT_AUTHOR_DATE="$((1700000000 + i * 60)) +0000" GIT_COMMITTER_DATE="$((1700000000 + i * 60)) +0000"
    for ((f = 0; f < 4; f++)); do
        file=part/$(((i * 7 + f) % 10))/$(((i + f) % 13)).txt
        for ((l = 0; l < 40; l++)); do echo "line $l of change $i: $((i * l * 2654435761 % 1000003))"; done >>"$file"
    done
    git add -A
    git commit -q -m "Change $i"
    if ((i % 20 == 10)); then
        git checkout -q -b "side-$i"
        echo "$i" >"side-$i.txt"
        git add -A
        git commit -q -m "Side of $i"
        git checkout -q trunk
        git merge -q --no-ff -m "Merge side-$i" "side-$i"
    fi
done
git gc -q --aggressive --prune=now
git fsck --full --strict --no-progress
git rev-parse 'HEAD^{tree}' HEAD
git count-objects -v | grep -E '^(count|in-pack|packs|garbage):'
git log -p --stat --all | sha256sum
git blame part/0/0.txt | sha256sum
git grep -c 'line 7' | sort | sha256sum
git clone -q --no-local . ../copy
git -C ../copy fsck --full --strict --no-progress
git -C ../copy rev-parse 'HEAD^{tree}'
