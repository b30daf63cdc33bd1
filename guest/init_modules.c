/* Modules without which the agent could not be heard, where the kernel has them not built in.
 *
 * /modules/list names them, one a line, in the order in which they must be loaded; a lab kernel has no such
 * file. They are removed once they are loaded: the initramfs is the guest's memory.
 */
#include "init.h"
#include "sys.h"

#define LIST "/modules/list"

static void load_module(const char *path)
{
	long fd = sys4(__NR_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	long ret = fd < 0 ? fd : sys3(__NR_finit_module, fd, "", 0);

	if (ret < 0 && ret != -EEXIST) {
		say(WHO, path, 0, NULL);
		report("  not loaded, errno ", ret);
	}
	if (fd >= 0)
		sys1(__NR_close, fd);
	sys1(__NR_unlink, path);
}

void load_modules(void)
{
	static char list[4096];
	long fd = sys4(__NR_openat, AT_FDCWD, LIST, O_RDONLY | O_CLOEXEC, 0), n;
	char *path = list;

	if (fd < 0)
		return;
	n = sys3(__NR_read, fd, list, sizeof(list) - 1);
	sys1(__NR_close, fd);
	for (char *c = list; c < list + n; c++)
		if (*c == '\n') {
			*c = 0;
			load_module(path);
			path = c + 1;
		}
}
