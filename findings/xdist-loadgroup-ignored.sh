#!/bin/sh
# pytest-xdist 3.8.0 with pytest 9.2.0: "--dist loadgroup" ignores every xdist_group. Tests of one group run in several
# workers at once, without an error or a warning, so what a group was to keep apart (a port, a database, tests that go on
# where the one before ended) now and then fails, or passes on the wrong thing. With pytest 9.1.0 the same file is right.
#
# Why: a worker tells the scheduler a test's group by a suffix of its node id, "...@group", which it writes into the private
# attribute _nodeid of the item (xdist/remote.py: pytest_collection_modifyitems()). Items of pytest 9.2 make their node id
# of a structure (_pytest/nodes.py: Node.id) and never read that attribute; setting it is no error. loadfile and loadscope,
# which take the id apart as it is, still work.
#
# Seen with Python 3.11, execnet 2.1.2. Exits 0 while that holds, 1 when it does not any more, 2 if the packages cannot be
# had.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

cat > test_group.py <<'PROGRAM'
import os

import pytest


@pytest.mark.parametrize("number", range(12))
@pytest.mark.xdist_group("one")
def test_of_one_group(number):
    with open("workers", "a") as workers:
        print(os.environ["PYTEST_XDIST_WORKER"], file=workers)
PROGRAM

workers() {
    python3 -m venv "env-$1"
    "env-$1/bin/python" -m pip install --quiet "pytest==$1" pytest-xdist==3.8.0 execnet==2.1.2 || exit 2
    rm -f workers
    "env-$1/bin/python" -m pytest -q -p no:cacheprovider -n 2 --dist loadgroup test_group.py > said
    count=$(sort -u workers | wc -l)
    echo "pytest $1: 12 tests of one group ran in $count worker(s); $(tail -1 said)"
}

workers 9.1.0
[ "$count" = 1 ] || exit 1
workers 9.2.0
[ "$count" = 2 ] || exit 1
echo "one group, two workers"
