/* SPDX-License-Identifier: Apache-2.0 */
/* See default.h. The two texts share all but what a user namespace changes. */
#include "spec/default.h"

#include <unistd.h>

#include "util/mem.h"

/* clang-format off: JSON text */
#define PROCESS \
	"{\n" \
	"\t\"ociVersion\": \"1.3.0\",\n" \
	"\t\"process\": {\n" \
	"\t\t\"terminal\": true,\n" \
	"\t\t\"user\": { \"uid\": 0, \"gid\": 0 },\n" \
	"\t\t\"args\": [\"sh\"],\n" \
	"\t\t\"env\": [\n" \
	"\t\t\t\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\n" \
	"\t\t\t\"TERM=xterm\"\n" \
	"\t\t],\n" \
	"\t\t\"cwd\": \"/\",\n" \
	"\t\t\"capabilities\": {\n" \
	"\t\t\t\"bounding\": [\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"],\n" \
	"\t\t\t\"effective\": [\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"],\n" \
	"\t\t\t\"permitted\": [\"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\"]\n" \
	"\t\t},\n" \
	"\t\t\"rlimits\": [{ \"type\": \"RLIMIT_NOFILE\", \"soft\": 1024, \"hard\": 1024 }],\n" \
	"\t\t\"noNewPrivileges\": true\n" \
	"\t},\n" \
	"\t\"root\": { \"path\": \"rootfs\", \"readonly\": true },\n" \
	"\t\"hostname\": \"kist\",\n"

#define MOUNT_HEAD(destination, type, source) \
	"\t\t{\n" \
	"\t\t\t\"destination\": \"" destination "\",\n" \
	"\t\t\t\"type\": \"" type "\",\n" \
	"\t\t\t\"source\": \"" source "\""

#define MOUNT(destination, type, source, options) \
	MOUNT_HEAD(destination, type, source) ",\n" \
	"\t\t\t\"options\": [" options "]\n" \
	"\t\t}"

#define MOUNTS(pts_options, sys_mount, cgroup_options) \
	"\t\"mounts\": [\n" \
	MOUNT_HEAD("/proc", "proc", "proc") "\n\t\t},\n" \
	MOUNT("/dev", "tmpfs", "tmpfs", "\"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\"") ",\n" \
	MOUNT("/dev/pts", "devpts", "devpts", pts_options) ",\n" \
	MOUNT("/dev/shm", "tmpfs", "shm", \
	      "\"nosuid\", \"noexec\", \"nodev\", \"mode=1777\", \"size=65536k\"") ",\n" \
	MOUNT("/dev/mqueue", "mqueue", "mqueue", "\"nosuid\", \"noexec\", \"nodev\"") ",\n" \
	sys_mount ",\n" \
	MOUNT("/sys/fs/cgroup", "cgroup", "cgroup", cgroup_options) "\n" \
	"\t],\n"

#define PATHS \
	"\t\t\"maskedPaths\": [\n" \
	"\t\t\t\"/proc/acpi\",\n" \
	"\t\t\t\"/proc/asound\",\n" \
	"\t\t\t\"/proc/interrupts\",\n" \
	"\t\t\t\"/proc/kcore\",\n" \
	"\t\t\t\"/proc/keys\",\n" \
	"\t\t\t\"/proc/latency_stats\",\n" \
	"\t\t\t\"/proc/sched_debug\",\n" \
	"\t\t\t\"/proc/scsi\",\n" \
	"\t\t\t\"/proc/timer_list\",\n" \
	"\t\t\t\"/proc/timer_stats\",\n" \
	"\t\t\t\"/sys/devices/virtual/powercap\",\n" \
	"\t\t\t\"/sys/firmware\"\n" \
	"\t\t],\n" \
	"\t\t\"readonlyPaths\": [\n" \
	"\t\t\t\"/proc/bus\",\n" \
	"\t\t\t\"/proc/fs\",\n" \
	"\t\t\t\"/proc/irq\",\n" \
	"\t\t\t\"/proc/sys\",\n" \
	"\t\t\t\"/proc/sysrq-trigger\"\n" \
	"\t\t]\n" \
	"\t}\n" \
	"}\n"

#define NAMESPACE(type) "\t\t\t{ \"type\": \"" type "\" }"
#define CGROUP_OPTIONS "\"nosuid\", \"noexec\", \"nodev\", \"relatime\", \"ro\""

static const char root_text[] =
	PROCESS
	MOUNTS("\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\", \"gid=5\"",
	       MOUNT("/sys", "sysfs", "sysfs", "\"nosuid\", \"noexec\", \"nodev\", \"ro\""),
	       CGROUP_OPTIONS)
	"\t\"linux\": {\n"
	"\t\t\"resources\": { \"devices\": [{ \"allow\": false, \"access\": \"rwm\" }] },\n"
	"\t\t\"namespaces\": [\n"
	NAMESPACE("pid") ",\n"
	NAMESPACE("network") ",\n"
	NAMESPACE("ipc") ",\n"
	NAMESPACE("uts") ",\n"
	NAMESPACE("mount") ",\n"
	NAMESPACE("cgroup") "\n"
	"\t\t],\n"
	PATHS;

/*
 * Without CAP_SYS_ADMIN outside: the caller's own ids, no gid=5 (unmapped), the host's network and so its
 * /sys.
 */
static const char rootless_text[] =
	PROCESS
	MOUNTS("\"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\", \"mode=0620\"",
	       MOUNT("/sys", "none", "/sys", "\"rbind\", \"nosuid\", \"noexec\", \"nodev\", \"ro\""),
	       CGROUP_OPTIONS)
	"\t\"linux\": {\n"
	"\t\t\"uidMappings\": [{ \"containerID\": 0, \"hostID\": %u, \"size\": 1 }],\n"
	"\t\t\"gidMappings\": [{ \"containerID\": 0, \"hostID\": %u, \"size\": 1 }],\n"
	"\t\t\"namespaces\": [\n"
	NAMESPACE("pid") ",\n"
	NAMESPACE("ipc") ",\n"
	NAMESPACE("uts") ",\n"
	NAMESPACE("mount") ",\n"
	NAMESPACE("cgroup") ",\n"
	NAMESPACE("user") "\n"
	"\t\t],\n"
	PATHS;
/* clang-format on */

char *spec_default_json(bool is_rootless)
{
	return is_rootless ? mem_fmt(rootless_text, geteuid(), getegid()) : mem_str(root_text);
}
