#!/bin/sh
# CPython 3.11: a KeyboardInterrupt that was raised in exec() or eval() of a *string*, and was caught, still ends the
# process: after the last line of the program, without a word, it kills itself with SIGINT. Exit handlers have run and
# output is flushed, so all looks well but the status (-2, 130 in a shell), and "cmd && next" stops, as does a loop in a
# shell. The same text compiled first and then executed exits with 0. So every debugger, notebook kernel, template engine
# or plug-in host that execs strings, survives one Ctrl-C and later ends normally "dies of SIGINT".
#
# Why: run_eval_code_obj() (Python/pythonrun.c), through which strings go, notes in the runtime that a KeyboardInterrupt
# left it, and nothing takes the note back when it is caught further up; Py_RunMain() (Modules/main.c) believes the note.
# exec() of a code object does not go through there.
#
# Seen with Debian 12's python3.11 3.11.2-6+deb12u9. Exits 0 while that holds, 1 when it does not any more, 2 if the
# packages cannot be had.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
chmod 755 .

for version in 3.11.2-6+deb12u9 3.11.2-6+deb12u8; do
    if apt-get -qq download "python3.11-minimal=$version" "libpython3.11-minimal=$version" \
        "libpython3.11-stdlib=$version" 2>/dev/null; then
        break
    fi
    version=
done
[ -n "$version" ] || { echo "none of the pinned packages can be had" >&2; exit 2; }
for package in *.deb; do
    dpkg-deb --extract "$package" root
done

cat > string.py <<'PROGRAM'
try:
    exec("raise KeyboardInterrupt")
except KeyboardInterrupt:
    print("caught")
print("the end")
PROGRAM
sed 's/exec("raise KeyboardInterrupt")/exec(compile("raise KeyboardInterrupt", "a string", "exec"))/' string.py > code.py

run() {
    status=0
    said=$(PYTHONHOME=$place/root/usr "$place/root/usr/bin/python3.11" -I -S "$1" 2>&1) || status=$?
    said=$(echo "$said" | tr '\n' ';')
    echo "$1: status $status, said: $said"
}

echo "python3.11 $version"
run code.py
[ "$status $said" = "0 caught;the end;" ] || exit 1
run string.py
[ "$status $said" = "130 caught;the end;" ] || exit 1
echo "a caught KeyboardInterrupt ended the process, because it came out of a string"
