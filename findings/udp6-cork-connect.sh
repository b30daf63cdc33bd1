#!/bin/sh
# connect() of an IPv6 UDP socket redirects a datagram that is held back for somebody else.
# What it is, and where in the source: docs/kernel-bugs/udp6-cork-connect.md
#
# Fetches Debian's own kernel (linux-binary-7.3.4+deb13-cloud-amd64 7.3.4-1~bpo13+1 of trixie-backports) from the Debian archive that
# this machine's apt is configured for, and QEMU, gcc and cpio where the machine has not got them, into a temporary folder;
# boots that kernel in QEMU (TCG, no network device) with the program below as all there is; prints what it expected and saw.
# Nothing is installed, nothing of the machine's apt changes. Exit status: 0 the bug shows, 1 it does not, 2 not tried.
set -u

name=udp6-cork-connect
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
 * connect() of an IPv6 UDP socket redirects a datagram that is held back for somebody else.
 *
 * A datagram is begun for one receiver (MSG_MORE), the socket is connected to another one, the datagram is ended.
 *
 * cc udp6-cork-connect.c && ./a.out        0: as expected, 1: the bug shows, 2: could not be tried
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

static int receiver(struct sockaddr_in6 *name)
{
	socklen_t length = sizeof(*name);
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	*name = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	if (fd < 0 || bind(fd, (struct sockaddr *)name, length) || getsockname(fd, (struct sockaddr *)name, &length)) {
		perror("bind");
		return -1;
	}
	return fd;
}

static long take(int fd, const char *who)
{
	char data[64];
	long n = recv(fd, data, sizeof(data), MSG_DONTWAIT);

	if (n >= 0)
		printf("seen     %s got \"%.*s\"\n", who, (int)n, data);
	return n;
}

int main(void)
{
	struct sockaddr_in6 first, second;
	int x = receiver(&first), y = receiver(&second), s = socket(AF_INET6, SOCK_DGRAM, 0);
	long got, strayed;

	if (x < 0 || y < 0 || s < 0)
		return 2;
	if (sendto(s, "for the first", 13, MSG_MORE, (struct sockaddr *)&first, sizeof(first)) != 13 ||
	    connect(s, (struct sockaddr *)&second, sizeof(second)) || send(s, " receiver", 9, 0) != 9) {
		perror("send");
		return 2;
	}
	printf("expected the first got \"for the first receiver\"\n");
	got = take(x, "the first");
	strayed = take(y, "the second");
	return got != 22 || strayed >= 0;
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
