#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pull and push against Debian's docker-registry: images by umoci, skopeo and buildah there and back with the same digests,
# platforms, what is not sent twice, credentials and TLS, several at once, users other than root.
# Sources: distribution-spec 1.1, image-spec, podman-pull(1), podman-push(1).

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
	kist pull --tls-verify=false "$@"
}

push() {
	kist push --tls-verify=false "$@"
}

# ---- pull ----

@test "pull: the manifest comes byte for byte, its digest is printed, and it runs" {
	registry_start reg
	remote_image team/app:1 base one two
	digest=$(remote_digest team/app:1)
	run --separate-stderr pull "$REGISTRY/team/app:1"
	assert_success
	assert_output "$digest"
	cmp "$KIST_STORE/blobs/sha256/${digest#*:}" <(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/team/app:1")
	run image ls --format '{{.Repository}} {{.Tag}} {{.Digest}}'
	assert_output "$REGISTRY/team/app 1 $digest"
	run kist run --rm "$REGISTRY/team/app:1" /bin/sh -c 'read -r a </opt/one; read -r b </srv/two; echo "$a $b $COLOR"'
	assert_output "one two blue"
}

@test "pull: Docker's manifests keep their types, layers packed by zstd and plain ones come too" {
	registry_start reg
	layout_image lay x base one
	skopeo copy -q --dest-tls-verify=false --format v2s2 oci:lay:x "docker://$REGISTRY/d:1"
	skopeo copy -q --dest-tls-verify=false --dest-compress-format zstd --dest-compress oci:lay:x oci:zst:x
	skopeo copy -q --dest-tls-verify=false oci:zst:x "docker://$REGISTRY/z:1"
	skopeo copy -q --dest-decompress oci:lay:x dir:plain
	skopeo copy -q --dest-tls-verify=false dir:plain "docker://$REGISTRY/p:1"
	for name in d z p; do
		run --separate-stderr pull -q "$REGISTRY/$name:1"
		assert_success
		assert_output "$(remote_digest $name:1)"
		assert_equal "$stderr" ''
		run kist run --rm "$REGISTRY/$name:1" /bin/sh -c 'cat /opt/one || read -r x </opt/one; echo $x'
		assert_success
	done
	run image inspect -f '{{.MediaType}}' "$REGISTRY/d:1"
	assert_output application/vnd.docker.distribution.manifest.v2+json
	assert_equal "$(image inspect "$REGISTRY/z:1" | jq -r '.[0].Layers[0].MediaType')" application/vnd.oci.image.layer.v1.tar+zstd
	# one directory for each layer, however it was packed
	assert_equal "$(find "$KIST_STORE/layers/sha256" -mindepth 1 -maxdepth 1 | wc -l)" 2
}

@test "pull: a tag moves; a digest is a name of its own; --all-tags takes all" {
	registry_start reg
	remote_image app:1 base one
	first=$(remote_digest app:1)
	run pull -q "$REGISTRY/app:1"
	assert_output "$first"
	rm -rf lay.app.1
	remote_image app:1 base two
	second=$(remote_digest app:1)
	run pull -q "$REGISTRY/app:1"
	assert_output "$second"
	run image inspect -f '{{.Digest}}' "$REGISTRY/app:1"
	assert_output "$second"
	# the old one is still there by its digest, for containers that are made from it
	run image ls -q
	assert_line "${first:7:12}"

	run pull -q "$REGISTRY/app@$first"
	assert_output "$first"
	run image inspect -f '{{.Digest}}' "$REGISTRY/app@$first"
	assert_output "$first"
	run image ls --format '{{.Repository}} {{.Tag}} {{.Digest}}'
	assert_line "$REGISTRY/app <none> $first"
	assert_line "$REGISTRY/app 1 $second"
	# no archive has such a name
	kist save -q -o saved.tar "$REGISTRY/app@$first"
	run tar -xOf saved.tar manifest.json
	assert_output --partial '"RepoTags":[]'
	run image rm "$REGISTRY/app@$first"
	assert_success
	run image inspect "$REGISTRY/app@$first"
	assert_failure 1

	remote_image app:2 base one
	# beside images there are charts and signatures
	skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/app:2" |
		jq -c '.config.mediaType = "application/vnd.cncf.helm.config.v1+json" | .layers = []' >chart.json
	put_document app:chart application/vnd.oci.image.manifest.v1+json chart.json >/dev/null
	put_document "app:sha256-$(printf 0%.0s {1..64}).sig" application/vnd.oci.image.manifest.v1+json chart.json >/dev/null
	run --separate-stderr pull -q --all-tags "$REGISTRY/app"
	assert_success
	assert_equal "$(sort <<<"$output")" "$(printf '%s\n' "$second" "$(remote_digest app:2)" | sort)"
	assert_regex "$stderr" 'app:chart: .*is no image'
	refute_regex "$stderr" '[.]sig'
	run image ls --format '{{.Tag}}'
	assert_line 1
	assert_line 2
	refute_line chart
	run pull -q -a "$REGISTRY/app:1"
	assert_failure 1
	assert_output --partial '--all-tags goes with a name without tag and digest'
}

@test "pull: a digest that is not the manifest's, and names that are none" {
	registry_start reg
	remote_image app:1 base
	run pull -q "$REGISTRY/app@sha256:$(printf 0%.0s {1..64})"
	assert_failure 1
	assert_output --partial 'pull '
	for name in "$REGISTRY/app:2" "$REGISTRY/nosuch:1"; do
		run pull -q "$name"
		assert_failure 1
		assert_output --partial "$name"
	done
	for name in "$REGISTRY/App:1" 'oci://x' 'a:b:c'; do
		run pull -q "$REGISTRY/app:1" "$name"
		assert_failure 1
		assert_output --partial 'image name'
	done
	nothing_in_store
	run kist pull
	assert_failure 2
	run kist pull --platform linux/ "$REGISTRY/app:1"
	assert_failure 1
	assert_output --partial 'platform "linux/": not OS/ARCH[/VARIANT]'
}

# platforms_index NAME INDEX-TYPE SKOPEO-FORMAT MANIFEST-TYPE: an index of images for three platforms
platforms_index() {
	local rows='' arch digest size
	local -A variants=([amd64]='' [arm64]=',"variant":"v8"' [arm]=',"variant":"v6"')
	for arch in amd64 arm64 arm; do
		rm -rf "lay.$arch" "$arch"
		mkdir -p "$arch/etc"
		echo "$arch" >"$arch/etc/arch"
		layout_image "lay.$arch" x base "$arch"
		umoci config --image "lay.$arch:x" --architecture "$arch"
		skopeo copy -q --dest-tls-verify=false --format "$3" "oci:lay.$arch:x" "docker://$REGISTRY/${1%:*}:$arch"
		digest=$(remote_digest "${1%:*}:$arch")
		size=$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/${1%:*}:$arch" | wc -c)
		rows+=${rows:+,}"{\"mediaType\":\"$4\",\"digest\":\"$digest\",\"size\":$size,\"platform\":{\"os\":\"linux\",\"architecture\":\"$arch\"${variants[$arch]}}}"
	done
	echo "{\"schemaVersion\":2,\"mediaType\":\"$2\",\"manifests\":[$rows]}" >index.json
	put_document "$1" "$2" index.json >/dev/null
}

@test "pull: of an index the machine's image, or --platform's; what is there is told" {
	registry_start reg
	platforms_index multi:1 application/vnd.oci.image.index.v1+json oci application/vnd.oci.image.manifest.v1+json
	platforms_index docker:1 application/vnd.docker.distribution.manifest.list.v2+json v2s2 application/vnd.docker.distribution.manifest.v2+json
	for name in multi docker; do
		run pull -q "$REGISTRY/$name:1"
		assert_output "$(remote_digest "$name:$(dpkg --print-architecture)")"
		run pull -q --platform linux/arm64 "$REGISTRY/$name:1"
		assert_output "$(remote_digest "$name:arm64")"
		run image inspect -f '{{.Architecture}}' "$REGISTRY/$name:1"
		assert_output arm64
		run pull -q --platform linux/arm64/v8 "$REGISTRY/$name:1"
		assert_output "$(remote_digest "$name:arm64")"
		# an older variant does
		run pull -q --platform linux/arm/v7 "$REGISTRY/$name:1"
		assert_output "$(remote_digest "$name:arm")"
		run pull -q --platform linux/arm/v5 "$REGISTRY/$name:1"
		assert_failure 1
		assert_output --partial 'has no image for linux/arm/v5 (there is: linux/amd64, linux/arm64/v8, linux/arm/v6)'
	done
	# by the digest of the index
	index=$(remote_digest multi:1)
	run pull -q "$REGISTRY/multi@$index"
	assert_output "$(remote_digest "multi:$(dpkg --print-architecture)")"
	run image inspect -f '{{.Digest}}' "$REGISTRY/multi@$index"
	assert_output "$(remote_digest "multi:$(dpkg --print-architecture)")"
	# one image without an index
	run pull -q --platform linux/s390x "$REGISTRY/multi:arm"
	assert_failure 1
	assert_output --partial 'has no image for linux/s390x (there is: linux/arm)'
}

@test "pull: what is no image is refused with words" {
	registry_start reg
	remote_image app:1 base
	blob() { skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/app:1" | jq -c "$1"; }
	echo "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":$(blob '.config | .mediaType = "application/vnd.cncf.helm.config.v1+json"'),\"layers\":[]}" >chart.json
	put_document app:chart application/vnd.oci.image.manifest.v1+json chart.json
	run pull -q "$REGISTRY/app:chart"
	assert_failure 1
	assert_output --partial 'is no image: its config is of type application/vnd.cncf.helm.config.v1+json'
	echo '{"schemaVersion":1,"name":"app","tag":"old","architecture":"amd64","fsLayers":[],"history":[],"signatures":[]}' >old.json
	faults "GET /manifests/old * body=$PWD/old.json"
	skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$REGISTRY/app:1" "docker://$REGISTRY/app:old"
	run pull -q "$PROXY/app:old"
	assert_failure 1
	assert_output --partial "of Docker's schema 1"
	nothing_in_store
}

@test "pull: what is here is not fetched again" {
	registry_start reg
	remote_image a:1 base one
	remote_image b:1 base two
	faults
	run pull -q "$PROXY/a:1"
	assert_success
	run pull -q "$PROXY/b:1"
	assert_success
	run pull -q "$PROXY/b:1"
	assert_success
	# each blob of both came once: three layers, two configs
	assert_equal "$(blob_requests | grep -c '^1 ')" 5
	assert_equal "$(blob_requests | wc -l)" 5
	# a blob without its directory is unpacked; a directory without its blob is not unpacked again
	first=$(layers_of "$PROXY/a:1" | head -n 1) blob=$(layer_blobs "$PROXY/a:1" | head -n 1)
	rm -r "$KIST_STORE/layers/sha256/$first"
	run pull -q "$PROXY/a:1"
	assert_success
	assert [ -e "$KIST_STORE/layers/sha256/$first/fs/bin/busybox" ]
	assert_equal "$(blob_requests | wc -l)" 5
	inode=$(stat -c %i "$KIST_STORE/layers/sha256/$first")
	rm "$KIST_STORE/blobs/sha256/${blob#*:}"
	run pull "$PROXY/a:1"
	assert_success
	assert_line --partial "${blob:7:12}: verified"
	assert_equal "$(stat -c %i "$KIST_STORE/layers/sha256/$first")" "$inode"
	assert_equal "$(blob_requests | grep -c '^2 ')" 1
}

@test "pull: two of one image at a time take each layer once" {
	registry_start reg
	big_tree big
	remote_image a:1 base big one
	faults 'GET /blobs/ * slow=4000000'
	pull -q "$PROXY/a:1" >first 2>&1 3>&- &
	run pull -q "$PROXY/a:1"
	assert_success
	wait $!
	assert_equal "$(cat first)" "$output"
	noted() { blob_requests | grep -q -- "$1"; }
	while read -r digest; do
		wait_until 5 noted "$digest" # the proxy notes a request after it has sent the last byte
		assert_equal "$(blob_requests | grep -- "$digest")" "1 $digest"
	done < <(layer_blobs "$PROXY/a:1")
	run kist run --rm "$PROXY/a:1" /bin/busybox cat /opt/one
	assert_output one
}

@test "pull, prune and run at the same time: every run finds its image" {
	registry_start reg
	remote_image a:1 base one
	run pull -q "$REGISTRY/a:1"
	assert_success
	touch go
	(while [ -e go ]; do image prune >/dev/null || echo "prune: $?" >>wrong; done) 3>&- &
	pruner=$!
	(while [ -e go ]; do
		kist rmi -f "$REGISTRY/a:1" >/dev/null || echo "rmi: $?" >>wrong
		pull -q "$REGISTRY/a:1" >/dev/null || echo "pull: $?" >>wrong
	done) 3>&- 2>>errors &
	puller=$!
	for _ in $(seq 10); do
		run kist run --rm "$REGISTRY/a:1" /bin/busybox cat /opt/one
		[ "$status" = 0 ] || [[ $output == *'not in the store'* ]] || [[ $output == *'was not pulled'* ]] || echo "run: $output" >>wrong
	done
	rm go
	wait $pruner $puller
	cat errors >&2
	assert [ ! -e wrong ]
	run pull -q "$REGISTRY/a:1"
	assert_success
	run kist run --rm "$REGISTRY/a:1" /bin/busybox cat /opt/one
	assert_output one
}

@test "pull: an interrupt leaves nothing, at once; after a kill the next command cleans up" {
	registry_start reg
	big_tree big 4000000
	remote_image a:1 base big
	for signal in INT TERM HUP KILL; do
		faults 'GET /blobs/ * slow=1000000'
		env --default-signal=INT "$KIST" --store "$KIST_STORE" pull -q --tls-verify=false "$PROXY/a:1" 3>&- &
		wait_until 10 eval "[ -e '$KIST_STORE'/tmp/*/layer-1/fs ]"
		kill -$signal $!
		status=0
		wait $! || status=$?
		assert_equal "$status" $((128 + $(kill -l $signal)))
		if [ $signal = KILL ]; then
			wait_until 10 eval "flock -n '$KIST_STORE'/tmp/* true"
			run image prune
			assert_success
		fi
		nothing_in_store
	done
}

@test "pull: killed at whatever instant, it leaves nothing that the next command does not clear away" {
	registry_start reg
	remote_image a:1 base one two
	kist image ls >/dev/null
	for i in $(seq 15); do
		"$KIST" --store "$KIST_STORE" pull -q --tls-verify=false "$REGISTRY/a:1" >/dev/null 2>&1 3>&- &
		pid=$!
		sleep "0.0$((i * 5 + 10))"
		kill -KILL $pid 2>/dev/null || true
		wait $pid || true
		# its child has gone with it
		run ! pgrep -P $pid
		[ $((i % 5)) -ne 0 ] || image rm -f "$REGISTRY/a:1" >/dev/null
	done
	run image prune --all
	assert_success
	nothing_in_store
	run pull -q "$REGISTRY/a:1"
	assert_success
	run image check
	assert_success
}

@test "pull: short names and mirrors of registries.conf; the name is that of the place that was asked for" {
	registry_start reg
	remote_image mirror/team/app:1 base one
	digest=$(remote_digest mirror/team/app:1)
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-E
		unqualified-search-registries = ["registry.invalid", "$REGISTRY"]
		[[registry]]
		location = "registry.test"
		[[registry.mirror]]
		location = "$REGISTRY/mirror"
		insecure = true
		[[registry]]
		location = "$REGISTRY"
		insecure = true
	E
	run kist pull -q registry.test/team/app:1
	assert_success
	assert_output "$digest"
	run kist pull -q mirror/team/app:1
	assert_success
	assert_output "$digest"
	run image ls --format '{{.Repository}}:{{.Tag}}'
	assert_line registry.test/team/app:1
	assert_line "$REGISTRY/mirror/team/app:1"
	run kist run --rm --pull always mirror/team/app:1 /bin/busybox cat /opt/one
	assert_success
	assert_line one
}

# ---- progress ----

@test "progress: lines beside a terminal's bars, and -q" {
	registry_start reg
	remote_image a:1 base one
	run --separate-stderr pull "$REGISTRY/a:1"
	assert_success
	assert_regex "$stderr" 'layer 1 of 2: [0-9a-f]{12}: pulling [0-9.]+[kM]?B'
	assert_regex "$stderr" 'layer 2 of 2: [0-9a-f]{12}: unpacked'
	run --separate-stderr pull "$REGISTRY/a:1"
	assert_regex "$stderr" 'layer 1 of 2: [0-9a-f]{12}: already here'
	run --separate-stderr pull -q "$REGISTRY/a:1"
	assert_equal "$stderr" ''
	run --separate-stderr push "$REGISTRY/a:1" "$REGISTRY/b:1"
	assert_regex "$stderr" 'layer 1 of 2: [0-9a-f]{12}: mounted'

	kist rmi "$REGISTRY/a:1"
	TERM=xterm with_terminal "$KIST" --store "$KIST_STORE" pull --tls-verify=false "$REGISTRY/a:1" </dev/null >screen
	run grep -c $'\e\\[K' screen
	assert [ "$output" -ge 4 ]
	# no line is wider than the terminal
	run awk '{ gsub(/\033\[[0-9]*[AJK]|\r/, ""); if (length($0) > 79) print }' screen
	assert_output ''
	run grep -o 'unpacked' screen
	assert_line unpacked
	kist rmi "$REGISTRY/a:1"
	TERM=dumb with_terminal "$KIST" --store "$KIST_STORE" pull --tls-verify=false "$REGISTRY/a:1" </dev/null >screen
	run grep -c $'\e' screen
	assert_output 0
	grep -q 'layer 1 of 2' screen
	kist rmi "$REGISTRY/a:1"
	TERM=xterm with_terminal "$KIST" --store "$KIST_STORE" pull -q --tls-verify=false "$REGISTRY/a:1" </dev/null >screen
	assert_equal "$(wc -l <screen)" 1
}

# ---- push ----

@test "push: byte for byte, so that the digest stays; what is there is not sent" {
	registry_start reg
	layout_image lay x base one two
	kist load -q --name app:1 lay:x
	digest=$(image inspect -f '{{.Digest}}' app:1)
	faults
	run --separate-stderr push --digestfile d "$REGISTRY/app:1" "$PROXY/team/app:1"
	assert_failure 1
	run --separate-stderr push --digestfile d app:1 "$PROXY/team/app:1"
	assert_success
	assert_output "$digest"
	assert_equal "$(cat d)" "$digest"
	assert_equal "$(remote_digest team/app:1)" "$digest"
	# skopeo and umoci take it back as it was
	skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/team/app:1" oci:back:x
	assert_equal "$(jq -r '.manifests[0].digest' back/index.json)" "$digest"
	umoci stat --image back:x >/dev/null

	: >requests.log
	run push -q app:1 "docker://$PROXY/team/app:2"
	assert_success
	assert_equal "$(remote_digest team/app:2)" "$digest"
	# a second tag costs a look at each blob, and the manifest
	run requests 'select(.method != "HEAD" and (.path | test("/v2/.+"))) | "\(.method) \(.path)"'
	assert_output "PUT /v2/team/app/manifests/2"
}

@test "push: blobs of another repository of the same registry are mounted" {
	registry_start reg
	remote_image lib/base:1 base
	faults
	run pull -q "$PROXY/lib/base:1"
	assert_success
	run push -q "$PROXY/lib/base:1" "$PROXY/team/app:1"
	assert_success
	run requests 'select(.method == "POST" and (.path | test("mount="))) | .status'
	assert_output "$(printf '201\n201')"
	run requests 'select(.method == "PUT" or .method == "PATCH") | .path'
	assert_output "/v2/team/app/manifests/1"
	assert_equal "$(remote_digest team/app:1)" "$(remote_digest lib/base:1)"
	# a source that has lost it: it is sent
	run pull -q "$REGISTRY/lib/base:1"
	kist image tag "$PROXY/lib/base:1" "$PROXY/gone/base:1"
	kist rmi "$PROXY/lib/base:1" "$REGISTRY/lib/base:1"
	run push -q "$PROXY/gone/base:1" "$PROXY/third/app:1"
	assert_success
	assert_equal "$(remote_digest third/app:1)" "$(remote_digest lib/base:1)"
}

@test "push: what cannot be is told before anything is sent" {
	registry_start reg
	layout_image lay x base one
	kist load -q --name app:1 lay:x
	faults
	blob=$(layer_blobs app:1 | tail -n 1)
	mv "$KIST_STORE/blobs/sha256/${blob#*:}" saved
	run push -q app:1 "$PROXY/app:1"
	assert_failure 1
	assert_output --partial "blob $blob: not in the store any more (pull or load the image again)"
	head -c 10 saved >"$KIST_STORE/blobs/sha256/${blob#*:}"
	run push -q app:1 "$PROXY/app:1"
	assert_failure 1
	assert_output --partial "blob $blob: has 10 bytes in the store"
	assert [ ! -s requests.log ]
	run push -q nosuch "$PROXY/app:1"
	assert_failure 1
	assert_output --partial 'image "nosuch": not in the store'
	run push -q app:1 "$PROXY/app@$blob"
	assert_failure 1
	assert_output --partial 'name a tag or nothing'
	run kist push
	assert_failure 2
}

@test "pull and push: images of skopeo, buildah, umoci and podman there and back keep their digests" {
	registry_start reg
	layout_image lay x base one
	skopeo copy -q --dest-tls-verify=false oci:lay:x "docker://$REGISTRY/skopeo:1"
	skopeo copy -q --dest-tls-verify=false --format v2s2 oci:lay:x "docker://$REGISTRY/docker:1"
	skopeo copy -q --dest-compress --dest-compress-format zstd oci:lay:x oci:zst:x
	skopeo copy -q --dest-tls-verify=false oci:zst:x "docker://$REGISTRY/zstd:1"
	for name in skopeo docker zstd; do
		run pull -q "$REGISTRY/$name:1"
		assert_success
		run push -q "$REGISTRY/$name:1" "$REGISTRY/back/$name:1"
		assert_success
		assert_equal "$(remote_digest "back/$name:1")" "$(remote_digest "$name:1")"
		# and another tool reads what we have sent
		skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/back/$name:1" "dir:dir.$name"
	done

	# locks in files, since /dev/shm is everybody's
	printf '[engine]\nlock_type = "file"\nevents_logger = "none"\n' >containers.conf
	export CONTAINERS_CONF=$PWD/containers.conf
	# podman takes no name over 50 characters for its state
	storage=(--root "$PWD/graph" --runroot /run/kist-pull/run --storage-driver vfs)
	name=$(buildah "${storage[@]}" from scratch)
	buildah "${storage[@]}" copy -q "$name" base / >/dev/null
	buildah "${storage[@]}" config --cmd '["/bin/busybox","echo","from","buildah"]' "$name"
	buildah "${storage[@]}" commit -q --rm "$name" built:1 >/dev/null
	buildah "${storage[@]}" push -q --tls-verify=false --digestfile built.digest built:1 "$REGISTRY/built:1"
	run pull -q "$REGISTRY/built:1"
	assert_output "$(cat built.digest)"
	run kist run --rm "$REGISTRY/built:1"
	assert_output 'from buildah'
	run push -q "$REGISTRY/built:1" "$REGISTRY/back/built:1"
	assert_output "$(cat built.digest)"
	storage=(--root "$PWD/graph2" --runroot /run/kist-pull/run2 --tmpdir /run/kist-pull/tmp --storage-driver vfs)
	podman "${storage[@]}" pull -q --tls-verify=false "$REGISTRY/back/built:1"
	run podman "${storage[@]}" image inspect -f '{{.Digest}}' "$REGISTRY/back/built:1"
	rm -rf /run/containers /run/libpod /run/kist-pull
	assert_output "$(cat built.digest)"
}

# ---- credentials and TLS ----

@test "Basic authentication: --creds, --authfile; without, with wrong ones" {
	registry_start reg basic
	layout_image lay x base one
	kist load -q --name app:1 lay:x
	digest=$(image inspect -f '{{.Digest}}' app:1)
	for options in "" "--creds ann:wrong" "--creds bob:secret"; do
		# shellcheck disable=SC2086
		run push -q $options app:1 "$REGISTRY/app:1"
		assert_failure 1
		assert_output --partial "$REGISTRY"
		refute_output --partial wrong
	done
	run push -q --creds ann:secret app:1 "$REGISTRY/app:1"
	assert_success
	run pull -q "$REGISTRY/app:1"
	assert_failure 1
	echo "{\"auths\":{\"$REGISTRY\":{\"auth\":\"$(printf ann:secret | base64)\"}}}" >auth.json
	run pull -q --authfile "$PWD/auth.json" "$REGISTRY/app:1"
	assert_success
	assert_output "$digest"
	run skopeo inspect --tls-verify=false --creds ann:secret -f '{{.Digest}}' "docker://$REGISTRY/app:1"
	assert_output "$digest"
}

@test "tokens: push with a mount, and pull without credentials" {
	registry_tokens
	registry_start reg "token=$TOKENS"
	layout_image lay x base one
	kist load -q --name app:1 lay:x
	run push -q --creds ann:secret app:1 "$REGISTRY/team/app:1"
	assert_success
	digest=$output
	run push -q app:1 "$REGISTRY/team/app:2"
	assert_failure 1
	kist tag app:1 "$REGISTRY/team/app:1"
	run --separate-stderr push --creds ann:secret app:1 "$REGISTRY/other/app:1"
	assert_success
	assert_regex "$stderr" 'layer 1 of 2: [0-9a-f]{12}: mounted'
	run pull -q "$REGISTRY/other/app:1"
	assert_success
	assert_output "$digest"
}

@test "TLS with a CA of one's own: --cert-dir, refused without it, and --tls-verify=false" {
	registry_start reg tls
	layout_image lay x base one
	kist load -q --name app:1 lay:x
	mkdir certs
	cp ca.crt certs/
	run kist push -q app:1 "$REGISTRY/app:1"
	assert_failure 1
	run kist push -q --cert-dir certs app:1 "$REGISTRY/app:1"
	assert_success
	digest=$output
	run kist pull -q "$REGISTRY/app:1"
	assert_failure 1
	run kist pull -q --cert-dir certs "$REGISTRY/app:1"
	assert_output "$digest"
	kist rmi -f "$REGISTRY/app:1"
	run kist pull -q --tls-verify=false "$REGISTRY/app:1"
	assert_output "$digest"
}

# ---- users, and run ----

@test "a user other than root pulls, runs and pushes" {
	user_setup
	registry_start reg
	cp -a "$KIST_TEST_ROOTFS/etc/passwd" base/etc/passwd
	chown -R 1000:1000 one
	remote_image app:1 base one
	digest=$(remote_digest app:1)
	: >user/home/registries.conf
	run --separate-stderr user_kist pull -q --tls-verify=false "$REGISTRY/app:1"
	assert_success
	assert_output "$digest"
	run user_kist run --rm "$REGISTRY/app:1" /bin/busybox stat -c '%u %g' /opt/one
	assert_output '1000 1000'
	run --separate-stderr user_kist push -q --tls-verify=false "$REGISTRY/app:1" "$REGISTRY/mine:1"
	assert_success
	assert_equal "$(remote_digest mine:1)" "$digest"
}

@test "run: an image that is not there is pulled; --pull says when else" {
	registry_start reg
	cat >"$CONTAINERS_REGISTRIES_CONF" <<-E
		[[registry]]
		location = "$REGISTRY"
		insecure = true
	E
	remote_image app:1 base one
	run --separate-stderr kist run --rm --pull never "$REGISTRY/app:1" /bin/busybox cat /opt/one
	assert_failure 125
	assert_equal "$output" ''
	run --separate-stderr kist run --rm "$REGISTRY/app:1" /bin/busybox cat /opt/one
	assert_success
	assert_output one
	assert_regex "$stderr" 'layer 1 of 2: [0-9a-f]{12}: unpacked'
	# what is there does, also when the registry has another by now
	rm -rf lay.app.1
	echo changed >one/opt/one
	remote_image app:1 base one
	run --separate-stderr kist run --rm "$REGISTRY/app:1" /bin/busybox cat /opt/one
	assert_output one
	assert_equal "$stderr" ''
	run --separate-stderr kist run --rm --pull=always "$REGISTRY/app:1" /bin/busybox cat /opt/one
	assert_output changed
	# without the registry
	kill "${REGISTRY_PIDS[0]}"
	wait "${REGISTRY_PIDS[0]}" || true
	run --separate-stderr kist run --rm --pull=always "$REGISTRY/app:1" /bin/busybox cat /opt/one
	assert_failure 125
	assert_equal "$output" ''
	run --separate-stderr kist run --rm --pull=newer "$REGISTRY/app:1" /bin/busybox cat /opt/one
	assert_success
	assert_output changed
	run kist run --rm --pull sometimes "$REGISTRY/app:1" /bin/true
	assert_failure 125
	assert_output --partial 'option --pull'
	# no ID is looked for in a registry
	run kist run --rm "sha256:$(printf 0%.0s {1..64})" /bin/true
	assert_failure 125
	assert_output --partial 'not in the store'
	refute_output --partial 'not pulled'
	run find "$KIST_STORE/containers" -mindepth 1
	assert_output ''
}

@test "run: a pull ends with the run that it is for" {
	registry_start reg
	big_tree big 4000000
	remote_image a:1 base big
	faults 'GET /blobs/ * slow=1000000'
	printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$PROXY" >"$CONTAINERS_REGISTRIES_CONF"
	for signal in TERM KILL; do
		"$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" run --rm "$PROXY/a:1" /bin/true 2>/dev/null 3>&- &
		wait_until 10 eval "[ -e '$KIST_STORE'/tmp/*/layer-1/fs ]"
		kill -$signal $!
		wait $! || true
		wait_until 10 eval "! pgrep -f '[k]ist-registry --store $KIST_STORE'"
		nothing_in_store
	done
}

@test "run: the start of an image that is there does not look for a registry" {
	registry_start reg
	remote_image app:1 base
	pull -q "$REGISTRY/app:1"
	strace -f -o trace "$KIST" --root "$KIST_ROOT" --store "$KIST_STORE" run --rm "$REGISTRY/app:1" /bin/busybox true 3>&-
	run grep -E 'kist-registry|connect\(' trace
	assert_output ''
}
