#!/bin/bash
# What a release shows about its supply (S63, safety.md 5), called by make supply:
#
#   - the libraries are those of go.sum;
#   - built twice, from two folders with two empty caches: the same bytes;
#   - a list of everything in the program, CycloneDX and `go version -m`;
#   - known holes that the program can reach. The database of them has to be
#     fetched; where it cannot be, this prints NOT RUN, and fails when RELEASE=1.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go} DIST=${DIST:-deploy/dist}
# FRESH=0 builds with the caches that are there: quicker, and shows less.
fresh=${FRESH:-1}

fail() {
	echo "supply: $*" >&2
	exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$DIST"

$GO mod verify

# The same flags as in the Dockerfile, from there.
flags=$(sed -n 's/^ *-ldflags="\(.*\)" \\$/\1/p' Dockerfile)
[ -n "$flags" ] || fail "the Dockerfile has no -ldflags"
version=$(git describe --tags --always --dirty 2>/dev/null || echo dev)
# What git knows and what is new beside it, as it lies here now.
mkdir "$work/1"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do
	[ ! -e "$f" ] || printf '%s\0' "$f"
done | tar -c --null -T - | tar -x -C "$work/1"
cp -r "$work/1" "$work/2"
for n in 1 2; do
	mkdir "$work/cache$n"
	[ "$fresh" = 1 ] && export GOCACHE="$work/cache$n"
	CGO_ENABLED=0 GOFLAGS='' $GO -C "$work/$n" build -trimpath -buildvcs=false -mod=readonly \
		-ldflags="${flags/\$\{VERSION\}/$version}" -o "$work/trygg$n" ./cmd/trygg
	[ "$fresh" = 1 ] && unset GOCACHE && rm -rf "$work/cache$n"
done
cmp "$work/trygg1" "$work/trygg2" || fail "two builds of the same source differ"
cp "$work/trygg1" "$DIST/trygg"
(cd "$DIST" && sha256sum trygg >trygg.sha256)
echo "supply: built twice, the same bytes: $(cut -c1-16 "$DIST/trygg.sha256")..."

$GO version -m "$DIST/trygg" | sed "1s|$DIST/||" >"$DIST/trygg.modules.txt"
$GO -C tools run ./sbom "$PWD/$DIST/trygg" "$version" >"$DIST/trygg.cdx.json"
echo "supply: $(grep -c '^	dep' "$DIST/trygg.modules.txt") libraries, listed in $DIST/trygg.cdx.json"

$GO build -modfile=tools/go.mod -o "$work/govulncheck" golang.org/x/vuln/cmd/govulncheck
status=0
"$work/govulncheck" ./... >"$work/holes" 2>&1 || status=$?
case $status in
0) echo "supply: no known hole can be reached" ;;
3)
	cat "$work/holes"
	fail "there are known holes"
	;;
*)
	if ! grep -Eqi 'fetch|dial|lookup|connection|timeout|https?://' "$work/holes"; then
		cat "$work/holes" >&2
		fail "the search for known holes broke"
	fi
	echo "supply: NOT RUN: the database of known holes cannot be reached from here"
	[ "${RELEASE:-}" != 1 ] || fail "a release needs the search for known holes"
	;;
esac
