#!/bin/sh
# splice() of a pipe with exactly 16 buffers never sends its UDP datagram: the last message is marked MSG_MORE.
# What it is, and where in the source: docs/kernel-bugs/splice-16-buffers.md
#
# Fetches Debian's own kernel (linux-binary-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 of trixie-backports) from the Debian archive that
# this machine's apt is configured for, and QEMU, gcc and cpio where the machine has not got them, into a temporary folder;
# boots that kernel in QEMU (TCG, no network device) with the program below as all there is; prints what it expected and saw.
# Nothing is installed, nothing of the machine's apt changes. Exit status: 0 the bug shows, 1 it does not, 2 not tried.
set -u

name=splice-16-buffers
# Another kernel of Debian may be tried: PACKAGE, VERSION and SUITE in the environment.
package=${PACKAGE:-linux-binary-7.3.4+deb13-cloud-amd64}
version=${VERSION:-7.3.4-1~bpo13+1}
suite=${SUITE:-trixie-backports}

give_up() {
    echo "$name: not tried: $1" >&2
    exit 2
}

work=$(mktemp -d) || give_up "no temporary folder"
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

for tool in apt-get dpkg-deb timeout; do
    command -v "$tool" >/dev/null || give_up "no $tool on this machine"
done

# The archive: what apt is configured for, for the release that is installed.
codename=$(sed -n 's/^VERSION_CODENAME="\{0,1\}\([a-z0-9-]*\)"\{0,1\}$/\1/p' /etc/os-release)
target=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SOURCESENTRY)' \
    'Identifier: Packages' 2>/dev/null | awk -v release="$codename" '$2 == release && $3 == "main" {print; exit}')
archive=${target%% *}
[ -n "$archive" ] || give_up "apt has no archive with ${codename:-?} main"
entry=${target##* }
trusted=
grep -qiE '^trusted: *yes|trusted=yes' "${entry%:*}" 2>/dev/null && trusted=yes

# apt_in PLACE SUITE ARGUMENT...: apt-get with lists of its own, as if nothing were installed.
apt_in() {
    place=$work/$1 of=$2
    shift 2
    if [ ! -d "$place" ]; then
        mkdir -p "$place/lists/partial" "$place/cache/archives/partial"
        : >"$place/status"
        {
            echo "Types: deb"
            echo "URIs: $archive"
            echo "Suites: $of"
            echo "Components: main"
            echo "Architectures: amd64"
            [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] &&
                echo "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg"
            [ -z "$trusted" ] || echo "Trusted: yes"
        } >"$place/own.sources"
        cat >"$place/apt.conf" <<EOF
Dir::State::Lists "$place/lists";
Dir::State::status "$place/status";
Dir::Cache "$place/cache";
Dir::Etc::SourceList "$place/own.sources";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
APT::Architecture "amd64";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::http::Timeout "30";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
EOF
        timeout 300 apt-get -c "$place/apt.conf" -qq update >"$place/log" 2>&1 || {
            tail -n 3 "$place/log" >&2
            give_up "apt cannot read $of"
        }
    fi
    (cd "$place" && timeout 1800 apt-get -c "$place/apt.conf" -qq -y "$@") >"$place/log" 2>&1 || {
        tail -n 3 "$place/log" >&2
        return 1
    }
}

# The kernel.
apt_in kernel "$suite" download "$package=$version" || give_up "$package $version is not in $suite any more"
dpkg-deb -x "$work"/kernel/*.deb "$work/image" || give_up "$package cannot be unpacked"
vmlinuz=$(find "$work/image" -type f -name 'vmlinuz*' | head -n 1)
[ -f "$vmlinuz" ] || give_up "$package has no kernel"

# The tools: the machine's, or Debian's in a root of their own.
root=
if command -v qemu-system-x86_64 >/dev/null && command -v cpio >/dev/null && [ -z "${FETCH_TOOLS:-}" ] &&
    echo 'int main(void){return 0;}' >"$work/probe.c" && gcc -static -o "$work/probe" "$work/probe.c" 2>/dev/null; then
    within() { ${limit:-} "$@"; }
else
    root=$work/root
    apt_in tools "$codename" install --download-only qemu-system-x86 gcc libc6-dev cpio ||
        give_up "QEMU, gcc and cpio cannot be fetched"
    mkdir -p "$root/usr/bin" "$root/usr/sbin" "$root/usr/lib" "$root/usr/lib64" "$root/tmp" "$root/dev" "$root/work"
    for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
    for deb in "$work"/tools/cache/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --no-same-owner 2>/dev/null
    done
    : >"$root/dev/null"
    if [ "$(id -u)" = 0 ]; then
        within() { ${limit:-} chroot "$root" "$@"; }
    else
        within() { ${limit:-} unshare -r chroot "$root" "$@"; }
    fi
fi
# Where the tools see the folder with the files.
see=${root:+/work}
see=${see:-$work}
there=${root:+$root/work}
there=${there:-$work}
[ -z "$root" ] || cp "$vmlinuz" "$there/vmlinuz"
[ -n "$root" ] || ln -s "$vmlinuz" "$there/vmlinuz"

cat >"$there/$name.c" <<'END_OF_PROGRAM'
/*
 * splice() of a pipe with exactly 16 buffers never sends its UDP datagram: the last message is marked MSG_MORE.
 *
 * It takes a length greater than what the pipe holds. For TCP the last bytes wait 200 ms.
 *
 * cc splice-16-buffers.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * Splice buffers of one byte each into a socket, with length 1000: bytes that arrive, -1 if none within a second, and
 * the milliseconds until then.
 */
static int try(int type, int buffers, long *ms)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int to = socket(AF_INET, type, 0), from = socket(AF_INET, type, 0), p[2], got;
	struct timespec start, end;
	socklen_t length = sizeof(a);
	struct pollfd wait = {.events = POLLIN};
	char b[2000];

	if (bind(to, (struct sockaddr *)&a, sizeof(a)) || getsockname(to, (struct sockaddr *)&a, &length) ||
	    (type == SOCK_STREAM && listen(to, 1)) || connect(from, (struct sockaddr *)&a, sizeof(a)) ||
	    (type == SOCK_STREAM && (to = accept(to, NULL, NULL)) < 0) || pipe2(p, O_DIRECT)) {
		perror("sockets, pipe");
		return -2;
	}
	wait.fd = to;
	/* O_DIRECT: each write() is a buffer of its own; ordinary pipes reach 16 buffers with 16 pages. */
	for (int i = 0; i < buffers; i++)
		if (write(p[1], "x", 1) != 1)
			return -2;
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (splice(p[0], NULL, from, NULL, 1000, 0) != buffers) {
		perror("splice");
		return -2;
	}
	got = poll(&wait, 1, 1000) == 1 ? recv(to, b, sizeof(b), MSG_DONTWAIT) : -1;
	clock_gettime(CLOCK_MONOTONIC, &end);
	*ms = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;
	if (got == -1 && type == SOCK_DGRAM) {
		/* It lies in the socket: the next message takes it along. */
		send(from, "y", 1, 0);
		if (poll(&wait, 1, 1000) == 1)
			printf("(%d buffers: nothing arrived; the next send() of 1 byte brought a datagram of %zd)\n",
			       buffers, recv(to, b, sizeof(b), MSG_DONTWAIT));
	}
	close(to);
	close(from);
	close(p[0]);
	close(p[1]);
	return got;
}

int main(void)
{
	long ms;
	int few, full, first;

	first = try(SOCK_STREAM, 15, &ms); /* Not measured: the first segment of all is slower than the next. */
	few = try(SOCK_DGRAM, 15, &ms);
	full = try(SOCK_DGRAM, 16, &ms);
	if (first == -2 || few == -2 || full == -2)
		return 2;
	printf("expected datagrams of 15 and 16 bytes (-1: none arrived) from pipes with 15 and 16 buffers\n");
	printf("seen     datagrams of %d and %d bytes (-1: none arrived) from pipes with 15 and 16 buffers\n", few, full);
	for (int buffers = 15; buffers <= 16; buffers++) {
		int bytes = try(SOCK_STREAM, buffers, &ms);

		printf("         (TCP, %d buffers: %d bytes after %ld ms)\n", buffers, bytes, ms);
	}
	return few != 15 || full != 16;
}
END_OF_PROGRAM

# The first process: what the program needs of a system, and the end.
cat >"$there/init.c" <<'END_OF_INIT'
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct utsname kernel;
	int console, status = -1;
	pid_t child;

	mkdir("/proc", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mknod("/dev/console", S_IFCHR | 0600, makedev(5, 1));
	console = open("/dev/console", O_RDWR);
	for (int fd = 0; fd < 3; fd++)
		dup2(console, fd);
	ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &loopback);
	uname(&kernel);
	printf("\n==== version  Linux %s\n", kernel.release);
	fflush(stdout);
	child = fork();
	if (child == 0) {
		alarm(60);
		execl("/program", "program", (char *)NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	printf("==== status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128);
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	return 0;
}
END_OF_INIT

mkdir "$there/files"
within gcc -O1 -static -o "$see/files/program" "$see/$name.c" && within gcc -O1 -static -o "$see/files/init" "$see/init.c" ||
    give_up "gcc failed"
(cd "$there/files" && printf 'init\nprogram\n') | if [ -n "$root" ]; then
    # cpio wants to be in the folder that it packs.
    mv "$there/files/init" "$there/files/program" "$root/" && within cpio -o -H newc --quiet
else
    (cd "$there/files" && cpio -o -H newc --quiet)
fi >"$there/initramfs" || give_up "cpio failed"

# Busy machines: a boot that does not come to its end is tried again.
for attempt in 1 2 3; do
    rm -f "$there/log"
    limit="timeout 180" within qemu-system-x86_64 -accel tcg -m 256 -nic none -display none -monitor none -no-reboot \
        -serial "file:$see/log" -kernel "$see/vmlinuz" -initrd "$see/initramfs" \
        -append "console=ttyS0 quiet panic=-1 reboot=t no_timer_check" </dev/null >"$work/qemu" 2>&1
    status=$([ ! -f "$there/log" ] || tr -d '\r' <"$there/log" | sed -n 's/^==== status //p')
    [ -z "$status" ] || break
    echo "$name: attempt $attempt did not end: $(tail -n 1 "$work/qemu")" >&2
done
limit=
[ -n "$status" ] || give_up "the kernel did not run the program"

echo "package  $package $version ($suite)"
tr -d '\r' <"$there/log" | sed -n '/^==== version/,/^==== status/{s/^==== version/version/;/^==== status/!p}'
case $status in
1) echo "result   the bug shows" ;;
0) echo "result   as expected: this kernel has not got it"; exit 1 ;;
*) give_up "the program could not try it (status $status)" ;;
esac
