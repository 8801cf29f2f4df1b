/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bench.h"

/* What stands behind the colon of the first line of `path` that begins with `key`; "" where there is none. */
static void read_field(const char *path, const char *key, char value[PKIN_I_BENCH_TEXT_BYTES]) {
    char line[512];
    FILE *file = fopen(path, "r");
    value[0] = '\0';
    while (file && !*value && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) != 0) continue;
        const char *colon = strchr(line, ':');
        if (!colon) continue;
        colon += 1 + strspn(colon + 1, " \t");
        snprintf(value, PKIN_I_BENCH_TEXT_BYTES, "%.*s", (int)strcspn(colon, "\n"), colon);
    }
    if (file) fclose(file);
}

/* As OpenMP counts them: what the environment says, else the processors that this process may run on. */
static int default_threads(uint64_t n_processors) {
    cpu_set_t allowed;
    const char *environment = getenv("OMP_NUM_THREADS");
    const int wanted = environment ? atoi(environment) : 0;
    if (wanted > 0) return wanted;
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : (int)n_processors;
}

void pkin_i_bench_machine_describe(const pkin_i_settings *settings, pkin_i_bench_machine *machine) {
    struct utsname system;
    const long n_processors = sysconf(_SC_NPROCESSORS_ONLN), n_pages = sysconf(_SC_PHYS_PAGES);
    *machine = (pkin_i_bench_machine){.instruction_set = ""};
    read_field("/proc/cpuinfo", "model name", machine->processor);
    if (uname(&system) == 0) {
        snprintf(machine->system, sizeof machine->system, "%.40s %.40s %.40s", system.sysname, system.release,
                 system.machine);
    }
    machine->n_processors = n_processors > 0 ? (uint64_t)n_processors : 1;
    machine->memory_bytes = n_pages > 0 ? (uint64_t)n_pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
    machine->n_threads = settings->n_threads ? (int)settings->n_threads : default_threads(machine->n_processors);
    const char *wanted = settings->instruction_set ? settings->instruction_set : "auto", *name = NULL;
    double peak = 0;
    if (pkin_backend_peak(wanted, (int)settings->n_threads, &peak, &name) != PKIN_OK) return;
    machine->peak = peak;
    machine->instruction_set = name ? name : "";
}

void pkin_i_bench_memory_restart(void) {
    /* Linux resets the peak for whoever writes 5 there (proc(5)); elsewhere it stays that of the whole run. */
    int descriptor = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) return;
    ssize_t ignored = write(descriptor, "5", 1);
    (void)ignored;
    close(descriptor);
}

uint64_t pkin_i_bench_memory_peak(void) {
    char text[PKIN_I_BENCH_TEXT_BYTES];
    struct rusage usage;
    read_field("/proc/self/status", "VmHWM", text);
    if (*text) return 1024 * strtoull(text, NULL, 10);
    return getrusage(RUSAGE_SELF, &usage) == 0 ? 1024 * (uint64_t)usage.ru_maxrss : 0;
}
