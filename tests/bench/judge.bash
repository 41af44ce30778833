# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # variables of tests/bench/run and tests/bench/image
# What was measured ($results[SCENARIO.COLUMN.TOOL]) beside what must be reached.

say() { printf '%s\n' "$@"; }

# judge ROW: says how kist stands to one target; counts what is missed
judge() {
	local scenario label column peer relation limit unit ours theirs line

	read -r scenario label column peer relation limit unit <<<"$1"
	ours=${results[$scenario.$column.kist]-}
	theirs=${results[$scenario.$column.$peer]-}
	[[ $peer == - ]] && theirs=1
	if [[ -z $ours || -z $theirs ]]; then
		printf '%-16s kist %-32s (target %s %s)\n' "$label" "not measured" "$relation" "$limit"
		return
	fi
	line=$(awk -v ours="$ours" -v theirs="$theirs" -v limit="$limit" -v op="$relation" -v label="$label" \
		-v peer="$peer" -v unit="$unit" 'BEGIN {
		ratio = theirs > 0 ? ours / theirs : 0
		what = ours " " unit (peer == "-" ? "" : sprintf(" = %.2f x %s", ratio, peer))
		printf "%-16s kist %-32s", label, what
		if (op == "-")
			exit
		ok = op == "<=" ? ratio <= limit : ratio >= limit
		printf " (target %s %s) %s", op, limit, ok ? "ok" : "MISSED"
	}')
	say "$line"
	[[ $line == *MISSED ]] && missed=$((missed + 1))
}

# All numbers by their names, for other programs.
write_results() {
	local key

	{
		echo '{"bench": "kist"'
		for key in "${!results[@]}"; do printf ',"%s": %s\n' "$key" "${results[$key]}"; done | sort
		echo '}'
	} >"$json_dir/results.json"
}
