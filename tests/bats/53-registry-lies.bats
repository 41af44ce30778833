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

# liar NAME [--tls] ANSWER...: tests/helpers/liar.py; sets LIAR to its localhost:PORT; NAME.requests has what it was asked
liar() {
	local name=$1
	local -a tls=()
	shift
	if [ "$1" = --tls ]; then
		registry_ca
		tls=(--tls server.crt server.key)
		shift
	fi
	: >"$name.requests"
	: >"$name.log"
	registry_background "$name.log" python3 "$REGISTRY_HELPERS/liar.py" "${tls[@]}" "$name.requests" "$@"
	LIAR=localhost:$(registry_port "$name.log") || fail "$(cat "$name.log")"
}

certs() {
	mkdir -p certs
	cp ca.crt certs/
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

@test "a registry behind TLS cannot have us go on without it: uploads, pages of tags, redirects" {
	layout_image lay x base
	kist load -q --name app:1 lay:x
	liar plain '* . 200|@{"tags": ["1"]}'
	local plain=$LIAR
	liar up --tls "POST . 202|Location: http://$plain/up" 'HEAD . 404'
	certs
	run kist push -q --cert-dir certs app:1 "$LIAR/app:1"
	assert_failure 1
	assert_output --partial "$LIAR leads from TLS to plain HTTP: http://$plain/up"
	liar tags --tls "GET tags/list 200|Link: <http://$plain/v2/app/tags/list?last=1>; rel=\"next\"|@{\"tags\": []}"
	run kist pull -q --cert-dir certs --all-tags "$LIAR/app"
	assert_failure 1
	assert_output --partial "$LIAR leads from TLS to plain HTTP: http://$plain/v2/app/tags/list?last=1"
	liar moved --tls "GET . 307|Location: http://$plain/v2/app/manifests/1"
	run kist pull -q --cert-dir certs "$LIAR/app:1"
	assert_failure 1
	assert_output --partial "$LIAR redirects from TLS to plain HTTP: http://$plain/"
	run cat plain.requests
	assert_output ''
}

@test "a refusal without end is read no further than its words" {
	liar talker 'GET . 404|Content-Type: application/json|@endless'
	run timeout 20 "$KIST" pull -q --tls-verify=false "$LIAR/app:1"
	assert_failure 1
	assert_output --partial "$LIAR has no such thing"
}
