# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What `kist doctor` says of a host that has everything.

load ../../helpers/common

@test "doctor: nothing is missing on Debian's kernel with cgroup v2" {
	run -0 --separate-stderr kist doctor --format json
	[ "$(jq -c '[.[] | select(.state != "ok") | .check]' <<<"$output")" = "[]" ]
}
