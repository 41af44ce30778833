#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Whom pull and push ask, and what they say of us: mirrors, short names and aliases by registries.conf, tokens and their
# renewal, credentials for a part of a registry, and to whom none are shown.
# Sources: containers-registries.conf(5), containers-auth.json(5), Docker's "Token Authentication Specification".

load ../helpers/common
load ../helpers/image
load ../helpers/registry
load ../helpers/remote
load ../helpers/user

setup() {
	registry_setup
	small_trees
}

pull() {
	kist pull -q --tls-verify=false "$@"
}

push() {
	kist push -q --tls-verify=false "$@"
}

names() {
	image ls --format '{{.Repository}}:{{.Tag}}' | LC_ALL=C sort
}

# rule PREFIX LOCATION [LINE...]: one [[registry]] more
rule() {
	printf '[[registry]]\nprefix = "%s"\nlocation = "%s"\n' "$1" "$2" >>registries.conf
	[ $# -lt 3 ] || printf '%s\n' "${@:3}" >>registries.conf
}

mirror() {
	printf '[[registry.mirror]]\nlocation = "%s"\n' "$1" >>registries.conf
	[ $# -lt 2 ] || printf '%s\n' "${@:2}" >>registries.conf
}

# ---- names ----

@test "a mirror is asked first, the registry if it has not got it; the image keeps its name" {
	registry_start far
	local far=$REGISTRY
	remote_image app:1 base one
	remote_image team/app:2 base two
	registry_start near
	remote_image cache/app:1 base one two
	rule far.test "$far" 'insecure = true'
	mirror "$REGISTRY/cache" 'insecure = true'
	run kist pull -q far.test/app:1
	assert_success
	assert_output "$(remote_digest cache/app:1)"
	run kist pull -q far.test/team/app:2
	assert_success
	run names
	assert_output $'far.test/app:1\nfar.test/team/app:2'
	run registry_log near
	refute_line --partial '/v2/team'
	assert_line 'GET /v2/cache/team/app/manifests/2 404'
	# neither has it: both are told
	run kist pull -q far.test/no:1
	assert_failure 1
	assert_output --regexp "far.test/no: nowhere: cache/no:1: $REGISTRY has no such thing: .*; no:1: $far has no such thing: "
	# a push goes to the registry itself
	run kist push -q far.test/app:1 far.test/app:9
	assert_success
	run registry_log far
	assert_line 'PUT /v2/app/manifests/9 201'
}

@test "a mirror that is down is passed over; pull-from-mirror chooses by tag and digest" {
	registry_start far
	remote_image app:1 base one
	local digest
	digest=$(remote_digest app:1)
	rule far.test "$REGISTRY" 'insecure = true'
	mirror localhost:1 'insecure = true'
	run kist pull -q far.test/app:1
	assert_success
	assert_output "$digest"
	: >registries.conf
	rule far.test localhost:1 'insecure = true'
	mirror "$REGISTRY" 'insecure = true' 'pull-from-mirror = "digest-only"'
	run kist pull -q far.test/app:1
	assert_failure 1
	assert_output --partial 'localhost:1: '
	run kist pull -q "far.test/app@$digest"
	assert_success
}

@test "a mirror that has the manifest and not the blob: the blob comes from the registry" {
	registry_start far
	local far=$REGISTRY digest
	remote_image app:1 base one
	cp -r far near
	registry_start near
	digest=$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/app:1" | jq -r '.layers[1].digest')
	rm "near/docker/registry/v2/blobs/sha256/${digest:7:2}/${digest:7}/data"
	rule far.test "$far" 'insecure = true'
	mirror "$REGISTRY" 'insecure = true'
	run kist pull far.test/app:1
	assert_success
	assert_line --regexp "$REGISTRY has no such thing: .*; asking $far"
	assert_equal "$(registry_log far | grep '^GET .*/blobs/')" "GET /v2/app/blobs/$digest 200"
	run kist image check
	assert_success
	# without another place, it is an error
	: >registries.conf
	rule far.test "$REGISTRY" 'insecure = true'
	kist rmi far.test/app:1
	run kist pull far.test/app:1
	assert_failure 1
	assert_output --partial "blob ${digest:0:19}"
	nothing_in_store
}

@test "short names: the first registry that has it gives it its full name; aliases; enforcing" {
	registry_start one
	local one=$REGISTRY
	remote_image only/one:1 base one
	registry_start two
	remote_image only/two:1 base two
	rule "$one" "$one" 'insecure = true'
	rule "$REGISTRY" "$REGISTRY" 'insecure = true'
	sed -i "1i unqualified-search-registries = [ '$one', '$REGISTRY' ]" registries.conf
	run kist pull -q only/one:1
	assert_success
	run kist pull -q only/two:1
	assert_success
	run names
	assert_output "$(printf '%s\n' "$one/only/one:1" "$REGISTRY/only/two:1" | LC_ALL=C sort)"
	# shellcheck disable=SC2016
	run kist run --rm only/two:1 /bin/sh -c 'read -r x </srv/two; echo "$x"'
	assert_output two
	run kist pull -q only/three:1
	assert_failure 1
	assert_output --partial "$one has no such thing"
	assert_output --partial "$REGISTRY has no such thing"
	sed -i '1i short-name-mode = "enforcing"' registries.conf
	run kist pull -q only/two:1
	assert_failure 1
	assert_output "kist: only/two: short-name-mode is enforcing (registries.conf): say which of $one/only/two, $REGISTRY/only/two is meant"
	printf '[aliases]\n"two" = "%s/only/two"\n' "$REGISTRY" >>registries.conf
	run kist pull -q two:1
	assert_success
}

@test "blocked registries, and settings that cannot be read, are refused before anything is sent" {
	registry_start one
	rule "$REGISTRY" "$REGISTRY" 'blocked = true' 'insecure = true'
	run kist pull -q "$REGISTRY/app:1"
	assert_failure 1
	assert_output --partial "$REGISTRY/app: blocked by registries.conf (prefix $REGISTRY)"
	echo 'location = 1' >>registries.conf
	run kist pull -q "$REGISTRY/app:1"
	assert_failure 1
	assert_output --partial 'registries.conf:6: location: has a value already'
	run registry_log one
	assert_output ''
	nothing_in_store
}

# ---- tokens ----

@test "tokens: without credentials what is public; one token serves all layers" {
	registry_tokens
	registry_start one "token=$TOKENS"
	layout_image lay x base one two
	skopeo copy -q --dest-tls-verify=false --dest-creds ann:secret oci:lay:x "docker://$REGISTRY/app:1"
	: >tokens.log
	run pull "$REGISTRY/app:1"
	assert_success
	assert_equal "$(cat tokens.log)" 'GET - repository:app:pull'
	run push "$REGISTRY/app:1" "$REGISTRY/app:2"
	assert_failure 1
	assert_output --regexp "$REGISTRY refuses us: .*kist login $REGISTRY"
	run pull "$REGISTRY/nosuch:1"
	assert_failure 1
	run push --creds ann:secret "$REGISTRY/app:1" "$REGISTRY/app:2"
	assert_success
	run push --creds ann:secret "$REGISTRY/app:1" "$REGISTRY/other:1"
	assert_success
	run registry_log one
	assert_line --regexp '^POST /v2/other/blobs/uploads/\?mount=.* 201$'
	refute_line --regexp '^PATCH /v2/other/'
}

@test "tokens: one that has ended is renewed; a refresh token of Docker's is used" {
	registry_tokens short
	registry_start one "token=$TOKENS"
	layout_image lay x base one two
	run kist load -q lay:x
	assert_success
	run push --creds ann:secret lay:x "$REGISTRY/app:1"
	assert_success
	run pull "$REGISTRY/app:1"
	assert_success
	[ "$(grep -c '^GET - repository:app:pull$' tokens.log)" -ge 1 ]
	registry_tokens noanonymous
	registry_start two "token=$TOKENS"
	run pull "$REGISTRY/app:1"
	assert_failure 1
	assert_output --regexp "token server $TOKENS: it asks for a user and a password: kist login $REGISTRY"
	jq -n "{auths: {\"$REGISTRY\": {auth: \"$(printf '0:' | base64)\", identitytoken: \"refresh-ann\"}}}" >auth.json
	run push --authfile auth.json lay:x "$REGISTRY/app:1"
	assert_success
	run pull --authfile auth.json "$REGISTRY/app:1"
	assert_success
	run cat tokens.log
	assert_line 'POST refresh_token repository:app:pull,push'
	assert_line 'POST refresh_token repository:app:pull'
	jq -n "{auths: {\"$REGISTRY\": {identitytoken: \"old\"}}}" >auth.json
	run pull --authfile auth.json "$REGISTRY/app:1"
	assert_failure 1
	assert_output --partial "it refuses the user or the password of auth.json: auths.$REGISTRY (no such refresh token): kist login $REGISTRY"
}

@test "tokens: a registry behind TLS cannot send us to a token server without it" {
	registry_tokens
	registry_start one tls "token=$TOKENS"
	mkdir certs
	cp ca.crt certs/
	run kist pull -q --cert-dir certs --creds ann:secret "$REGISTRY/app:1"
	assert_failure 1
	assert_output --partial "token server $TOKENS: plain HTTP, where everybody on the way could read the token"
	run cat tokens.log
	refute_line --partial 'ann'
}

# ---- credentials ----

@test "credentials: those of the longest part of the name; a mirror gets none of the registry's" {
	registry_start one basic
	layout_image lay x base one
	run kist load -q lay:x
	jq -n "{auths: {\"$REGISTRY\": {auth: \"$(printf 'ann:old' | base64)\"}, \"$REGISTRY/team\": {auth: \"$(printf 'ann:secret' | base64)\"}}}" >auth.json
	run push --authfile auth.json lay:x "$REGISTRY/team/app:1"
	assert_success
	run pull --authfile auth.json "$REGISTRY/team/app:1"
	assert_success
	run pull --authfile auth.json "$REGISTRY/app:1"
	assert_failure 1
	assert_output --partial "$REGISTRY refuses user ann and the password of auth.json: auths.$REGISTRY"
	# behind another name the registry is a mirror, and the credentials for that name are not for it
	jq -n "{auths: {\"far.test\": {auth: \"$(printf 'ann:secret' | base64)\"}}}" >auth.json
	faults
	rule far.test far.test
	mirror "$PROXY" 'insecure = true'
	run pull --authfile auth.json far.test/team/app:1
	assert_failure 1
	assert_output --partial "$PROXY asks for a user and a password: kist login $PROXY"
	assert_equal "$(requests .authorization | sort -u)" null
}

@test "a user other than root logs in, and pulls by what is kept" {
	user_setup
	registry_start one basic
	layout_image lay x base one
	skopeo copy -q --dest-tls-verify=false --dest-creds ann:secret oci:lay:x "docker://$REGISTRY/app:1"
	mkdir -p user/home/.config/containers
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$REGISTRY" >user/home/.config/containers/registries.conf
	# shellcheck disable=SC2016
	run as_user sh -c '"$KIST" login -u ann -p secret "$1" && exec "$KIST" pull -q "$1/app:1"' - "$REGISTRY"
	assert_success
	assert_line 'Login Succeeded!'
	assert_line --regexp '^sha256:'
	assert_equal "$(stat -c '%u %a' user/run/containers/auth.json)" "$USER_ID 600"
	# shellcheck disable=SC2016
	run as_user sh -c '"$KIST" logout "$1" && "$KIST" pull -q "$1/app:1"' - "$REGISTRY"
	assert_failure 1
	assert_output --partial "$REGISTRY asks for a user and a password: kist login $REGISTRY"
}
