#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tools load at each start: of the libraries that vnetd is built with none but jansson, and nothing that those
# load in turn. $@: the built tools. Prints TAP.

failed=0 n=0

echo "1..$#"
for tool; do
	n=$((n + 1))
	if ! loaded=$(ldd "$tool"); then
		echo "not ok $n $tool: ldd fails"
		failed=1
		continue
	fi
	# The C library, and what a build with sanitizers brings along.
	more=$(awk '{print $1}' <<<"$loaded" |
		grep -vE '^(linux-vdso|.*/ld-linux.*|lib(c|m|jansson|asan|ubsan|gcc_s|stdc\+\+|dl|rt|pthread))\.so|^/lib.*/ld-' |
		tr '\n' ' ')
	if [[ $loaded == *libc.so* && -z $more ]]; then
		echo "ok $n ${tool##*/}"
	else
		echo "not ok $n ${tool##*/} loads $more"
		failed=1
	fi
done
exit "$failed"
