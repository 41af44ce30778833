# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # variables of tests/bench/image
# The scenarios of tests/bench/image, a function each. A scenario puts its numbers into $results and returns
# non-zero when a part of it could not run.

# The layouts lie where their path is one that podman can make a name of: lower case, no dots.
image_set_up() {
	local packing libs=(-lisal -lzstd -lcrypto -lpthread)

	build_tools timer && find_tool umoci umoci && find_tool podman podman && find_tool jq jq || return
	floor=$disk/unpackfloor
	${CC:-cc} -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -O2 -o "$floor" "$here/unpackfloor.c" "${libs[@]}" || return
	layouts=/mnt
	mount -t tmpfs bench "$layouts" || return
	for packing in gzip zstd; do
		mkdir "$layouts/$packing" && mount --bind "$BENCH_IMAGE/$packing" "$layouts/$packing" || return
	done
	mnt=$work/mnt
	mkdir "$mnt"
	rounds=5
	((quick)) && rounds=1
	say "disk: $(stat -f -c %T "$disk") at $disk_at, $(nproc) processors"
}

# shell text for the timer: a new, empty file system, and what is read in the page cache
fresh() {	# fresh PACKING
	say "rm -f $disk/fs && truncate -s 6G $disk/fs && mkfs.ext4 -q -F $disk/fs && mount -o loop $disk/fs $mnt &&
		cat $layouts/$1/blobs/sha256/* >/dev/null && sync -f $disk"
}

# podman leaves its driver's mount behind
gone() { say "umount $mnt/graph/overlay 2>/dev/null; umount $mnt"; }

document() {	# document LAYOUT TAG: sets $manifest and $config, paths of blobs
	local digest

	digest=$(jq -r --arg tag "$2" '.manifests[] |
		select(.annotations["org.opencontainers.image.ref.name"] == $tag).digest' "$1/index.json") &&
		manifest=$1/blobs/sha256/${digest#sha256:} &&
		config=$1/blobs/sha256/$(jq -r '.config.digest[7:]' "$manifest")
}

# words_of TOOL PACKING: sets $words, an unpacking of the image into $mnt as one shell command
words_of() {
	local layout=$layouts/$2 blobs text
	local podman_words="$podman --root $mnt/graph --runroot $mnt/run --storage-driver overlay"

	document "$layout" debian || return
	mapfile -t blobs < <(jq -r '.layers[].digest[7:]' "$manifest")
	case $1 in
	kist) text="$kist --store $mnt/store image load --name debian:1 $layout:debian" ;;
	umoci) text="$umoci unpack --image $layout:debian $mnt/bundle" ;;
	podman) text="$podman_words pull -q oci:$layout:debian" ;;
	tar)
		text="for blob in ${blobs[*]}; do mkdir $mnt/\$blob &&
			tar -C $mnt/\$blob -x ${2/#/--} -f $layout/blobs/sha256/\$blob || exit; done" ;;
	floor)
		text="$floor $mnt $(paste -d ' ' <(printf "$layout/blobs/sha256/%s\n" "${blobs[@]}") \
			<(jq -r '.rootfs.diff_ids[][7:]' "$config") | tr '\n' ' ')" ;;
	esac
	words=(sh -c "$text && sync -f $mnt")
}

# Debian's umoci cannot read zstd.
measure_unpacking() {	# measure_unpacking PACKING TOOL...
	local packing=$1 tool args=()

	shift
	for tool; do
		words_of "$tool" "$packing" || return
		args+=("@$tool" -p "$(fresh "$packing")" -c "$(gone)" "${words[@]}")
	done
	measure_rounds "$packing" "$rounds" -o "${args[@]}"
}

# measure_rounds SCENARIO ROUNDS TIMER-WORD...: as measure, with no warming up and no fewer rounds than said
measure_rounds() {
	local quick=0

	measure "$1" "$2" -w 0 "${@:3}"
}

image_gzip() { measure_unpacking gzip kist floor tar umoci podman; }
image_zstd() { measure_unpacking zstd kist floor tar podman; }

used() { sync -f "$mnt"; df -B1 --output=used "$mnt" | tail -n 1; }

# A second image on a base that is there: what is new of it, by time and by disk. "of its part" is the time of its new
# layers divided by the whole image's, over the same ratio of their unpacked bytes; the fixed cost of a load, that of one
# with nothing new, is taken off.
image_second() {
	local load layout=$layouts/gzip before after bytes whole

	load="$kist --store $mnt/store image load --name"
	sh -c "$(fresh gzip)" || return
	$load debian:1 "$layout:debian" >/dev/null || return
	before=$(used)
	measure_rounds second $((rounds * 4)) \
		@nothing -p "$load debian:1 $layout:debian" $load debian:1 "$layout:debian" \
		@other-name -c "$kist --store $mnt/store image rm debian:2" $load debian:2 "$layout:debian" \
		@more -c "$kist --store $mnt/store image rm app:1" $load app:1 "$layout:app" || return
	$load app:1 "$layout:app" >/dev/null || return
	after=$(used)
	document "$layout" app
	bytes=$(jq '.layers[-1].size' "$manifest")
	bytes=$((bytes + $(gzip -dc "$layout/blobs/sha256/$(jq -r '.layers[-1].digest[7:]' "$manifest")" | wc -c)))
	umount "$mnt"
	results[second.nothing.kist]=${results[second.median.nothing]}
	results[second.disk.kist]=$(awk "BEGIN { printf \"%.3f\", ($after - $before) / $bytes }")
	whole=$(whole_ms)
	share_of_more "$whole" || return
	say "the second image has $bytes bytes of its own (packed and unpacked), the disk $((after - before)) more"
}

# The time of a load of the whole image, which another scenario may have measured.
whole_ms() {
	[[ -n ${results[gzip.min.kist]-} ]] || measure_unpacking gzip kist >&2
	say "${results[gzip.min.kist]-}"
}

share_of_more() {	# share_of_more WHOLE-MS
	local layer total=0 more=0 size

	document "$layouts/gzip" app
	for layer in $(jq -r '.layers[].digest[7:]' "$manifest"); do
		size=$(gzip -dc "$layouts/gzip/blobs/sha256/$layer" | wc -c)
		total=$((total + size)) more=$size
	done
	results[second.share.kist]=$(awk "BEGIN { fixed = ${results[second.min.nothing]}
		printf \"%.2f\", (${results[second.min.more]} - fixed) / (${1:-0} - fixed) / ($more / ($total - $more)) }")
}

# many_layers COUNT: the image of setup.bash with COUNT layers: the file system and small ones above it, "many:latest"
many_layers() {
	local i layers='' diffs='' diff one config manifest type=application/vnd.oci.image dir=$work/image

	rm -rf "$dir" && mkdir -p "$dir/blobs/sha256" "$work/small"
	for ((i = 0; i < $1; i++)); do
		if ((i == 0)); then
			tar --sort=name --numeric-owner -C "$rootfs" -cf "$work/layer.tar" . || return
		else
			say "$i" >"$work/small/file-$i"
			tar --numeric-owner -C "$work/small" -cf "$work/layer.tar" "file-$i" || return
		fi
		diff=$(sha256sum "$work/layer.tar") && one=$(blob "$work/layer.tar") || return
		diffs+=",\"sha256:${diff%% *}\""
		layers+=",{\"mediaType\":\"$type.layer.v1.tar\",$one}"
	done
	printf %s "{\"architecture\":\"$(jq -r .architecture "$config_of_debian")\",\"os\":\"linux\"," \
		"\"config\":{\"Env\":[\"PATH=/bin\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[${diffs:1}]}}" >"$work/part"
	config=$(blob "$work/part") || return
	printf %s "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"$type.config.v1+json\",$config}," \
		"\"layers\":[${layers:1}]}" >"$work/part"
	manifest=$(blob "$work/part") || return
	printf %s "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"$type.manifest.v1+json\",$manifest}]}" \
		>"$dir/index.json"
	say '{"imageLayoutVersion":"1.0.0"}' >"$dir/oci-layout"
}

# What a stored image adds to a run from a bundle.
image_start() {
	local count config_of_debian name

	document "$layouts/gzip" debian && config_of_debian=$config
	mkdir -p "$work/state/kist" "$work/store"
	use_cgroup2
	make_rootfs && make_bundle true /bin/true || return
	command_of kist
	for count in 1 100; do
		many_layers "$count" && "${base[@]}" image load --name "many:$count" "$work/image" >/dev/null || return
	done
	run_words kist
	((quick)) && rounds=5
	measure_rounds start $((rounds * 20)) @bundle "${words[@]}" @one "${base[@]}" run --rm many:1 /bin/true \
		@hundred "${base[@]}" run --rm many:100 /bin/true || return
	for name in one hundred; do
		results[start.$name.kist]=$(awk "BEGIN { printf \"%.3f\",
			${results[start.median.$name]} - ${results[start.median.bundle]} }")
	done
}

# One layer of one file of 2 GiB, and one of 200,000 files, as plain tar and as gzip by the fastest means.
make_large() {
	python3 - "$disk/one.tar" "$disk/many.tar" <<-'P'
	import os, sys, tarfile
	block = os.urandom(1 << 20)
	with open(sys.argv[1], "wb") as out:
	    info = tarfile.TarInfo("file")
	    info.size = 2 << 30
	    out.write(info.tobuf())
	    for i in range(2048):
	        out.write(block)
	    out.write(b"\0" * 1024)
	with open(sys.argv[2], "wb") as out:
	    for i in range(200000):
	        info = tarfile.TarInfo("usr/share/directory-%03d/a-file-of-some-length-%06d" % (i % 1000, i))
	        info.size = 100
	        out.write(info.tobuf() + b"x" * 512)
	    out.write(b"\0" * 1024)
	P
}

# The peak of kist-image, which kist becomes.
image_memory() {
	local name load="$kist --store $mnt/store image"

	make_large || return
	measure_rounds memory 1 -o \
		@file -p "$(fresh gzip)" -c "$(gone)" $load import "$disk/one.tar" one:1 \
		@files -p "$(fresh gzip)" -c "$(gone)" $load import "$disk/many.tar" many:1 \
		@debian -p "$(fresh gzip)" -c "$(gone)" $load load "$layouts/gzip:debian" \
		@zstd -p "$(fresh zstd)" -c "$(gone)" $load load "$layouts/zstd:debian" || return
	for name in file files debian zstd; do results[memory.$name.kist]=${results[memory.rss.$name]}; done
}
