#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a registry, or whoever stands in its place, could say to get credentials that are not for it, bytes over a line that
# others read, or our time without end.
# Sources: distribution-spec "Pushing blobs", "Content Discovery"; RFC 8288; CVE-2020-15157.

load ../helpers/common
load ../helpers/image
load ../helpers/registry
load ../helpers/remote
load ../helpers/user

setup() {
	registry_setup
	small_trees
}

@test "--creds are for the host that is named: not for its mirrors, and not for where a rule leads" {
	registry_start one basic
	layout_image lay x base one
	skopeo copy -q --dest-tls-verify=false --dest-creds ann:secret oci:lay:x "docker://$REGISTRY/team/app:1"
	faults
	printf '[[registry]]\nprefix = "far.test"\nlocation = "localhost:1"\n[[registry.mirror]]\nlocation = "%s"\ninsecure = true\n' \
		"$PROXY" >registries.conf
	run kist pull -q --creds ann:secret far.test/team/app:1
	assert_failure 1
	assert_output --partial "$PROXY asks for a user and a password: kist login $PROXY"
	assert_equal "$(requests .authorization | sort -u)" null
	printf '[[registry]]\nprefix = "far.test"\nlocation = "%s"\ninsecure = true\n' "$PROXY" >registries.conf
	run kist pull -q --creds ann:secret far.test/team/app:1
	assert_failure 1
	assert_output --partial "$PROXY asks for a user and a password: kist login $PROXY"
	assert_equal "$(requests .authorization | sort -u)" null
	# what is kept for that host by itself is for it
	printf '{"auths": {"%s": {"auth": "%s"}}}' "$PROXY" "$(printf 'ann:secret' | base64)" >auth.json
	run kist pull -q --authfile auth.json far.test/team/app:1
	assert_success
	# and the host itself gets what was given for it
	run kist pull -q --tls-verify=false --creds ann:secret "$PROXY/team/app:1"
	assert_success
}
