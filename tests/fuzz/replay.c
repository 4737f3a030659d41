/* SPDX-License-Identifier: GPL-2.0-or-later
 * replay.c - feeds every file of the given folders to a fuzz target once, without libFuzzer.
 *
 * Turns a corpus into an ordinary test: what a fuzzer found once stays found. Fails when a folder is
 * missing or empty, since a replay of nothing proves nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Reads a whole file into an allocation of exactly its size, so that ASan sees overreads. */
static uint8_t *
read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	uint8_t *buf;

	if (!f)
		return NULL;
	if (fstat(fileno(f), &st) < 0 ||
	    !(buf = malloc((size_t)st.st_size ? (size_t)st.st_size : 1))) {
		fclose(f);
		return NULL;
	}
	*len = fread(buf, 1, (size_t)st.st_size, f);
	fclose(f);
	return buf;
}

/* Number of files replayed, or -1 when one could not be read. */
static int
replay_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int n = 0;

	if (!dir) {
		fprintf(stderr, "cannot open corpus \"%s\": %s\n", path, strerror(errno));
		return -1;
	}
	while ((e = readdir(dir))) {
		char name[4096];
		uint8_t *buf;
		size_t len;

		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		buf = read_file(name, &len);
		if (!buf) {
			fprintf(stderr, "cannot read \"%s\": %s\n", name, strerror(errno));
			closedir(dir);
			return -1;
		}
		LLVMFuzzerTestOneInput(buf, len);
		free(buf);
		n++;
	}
	closedir(dir);
	return n;
}

int
main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int n = replay_folder(argv[i]);

		if (n < 0)
			return 1;
		total += n;
	}
	printf("%d inputs\n", total);
	return total > 0 ? 0 : 1;
}
