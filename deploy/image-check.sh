#!/bin/bash
# Builds the image for real, runs it, and looks at what is in it. It needs no
# container engine, no daemon and no registry: buildah builds from the Dockerfile
# as it is, on a stand-in for its base that borrows this machine's Go.
#
#   make image-check
#
# Without buildah it says so and ends well, unless TRYGG_TEST_ALL=1.
set -euo pipefail
cd "$(dirname "$0")/.."

# More than this means that something came along that was not meant to.
most=$((40 << 20))

without() {
	if [ "${TRYGG_TEST_ALL:-}" = 1 ]; then
		echo "image-check: $1, and TRYGG_TEST_ALL=1 wants everything" >&2
		exit 1
	fi
	echo "image-check: NOT RUN: $1"
	exit 0
}
fail() {
	echo "image-check: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || without "building without an engine needs root"
command -v buildah >/dev/null || without "buildah is not installed"
busybox=$(command -v busybox) || without "busybox (busybox-static) is not installed"
if ldd "$busybox" >/dev/null 2>&1; then without "busybox is not static: install busybox-static"; fi
certs=/etc/ssl/certs/ca-certificates.crt
[ -s "$certs" ] || without "ca-certificates is not installed"

work=$(mktemp -d)
server=
b() { buildah --storage-driver vfs --root "$work/root" --runroot "$work/run" "$@"; }
cleanup() {
	if [ -n "$server" ]; then kill -KILL -- "-$server" 2>/dev/null || true; fi
	b umount --all >/dev/null 2>&1 || true
	b rm --all >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT

# What git knows and what is new beside it, as it lies here now: nothing that
# only this machine has can help the build along.
mkdir "$work/src"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do
	[ ! -e "$f" ] || printf '%s\0' "$f"
done | tar -c --null -T - | tar -x -C "$work/src"
cd "$work/src"

echo "image-check: a stand-in for the base"
base=$(sed -n 's/^FROM \([^ ]*\) AS build$/\1/p' Dockerfile)
[ -n "$base" ] || fail "the Dockerfile has no stage named build"
mkdir "$work/base"
cp "$busybox" "$work/base/busybox"
cp -L "$certs" "$work/base/ca-certificates.crt"
cat >"$work/base/Dockerfile" <<'END'
FROM scratch
COPY busybox /bin/busybox
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
ENV PATH=/usr/local/go/bin:/bin GOPATH=/go HOME=/root GOPROXY=off GOSUMDB=off
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin && mkdir -p /tmp /root /usr/local/go /go/pkg/mod"]
END
b bud --quiet --isolation chroot --tag "$base" "$work/base" >/dev/null

echo "image-check: building"
go mod download # what the build may use; it has no network of its own
mkdir -p "$(go env GOCACHE)"
b bud --quiet --pull-never --isolation chroot --format docker --tag trygg \
	--volume "$(go env GOROOT):/usr/local/go:ro" \
	--volume "$(go env GOMODCACHE):/go/pkg/mod" \
	--volume "$(go env GOCACHE):/root/.cache/go-build" \
	--build-arg VERSION=image-check . >"$work/log" 2>&1 ||
	{ cat "$work/log" >&2; fail "the image does not build"; }

echo "image-check: what it says of itself"
says() { b inspect --type image --format "{{$1}}" trygg; }
want() { [ "$2" = "$3" ] || fail "$1: want $3, got $2"; }
want user "$(says .Docker.Config.User)" 65532:65532
want "entry point" "$(says .Docker.Config.Entrypoint)" "[/trygg]"
want command "$(says .Docker.Config.Cmd)" "[serve]"
want "health check" "$(says .Docker.Config.Healthcheck.Test)" "[CMD /trygg health]"
want volumes "$(says .Docker.Config.Volumes)" "map[/data:{}]"
if says .Docker.Config.Env | grep -Eiq 'pass|secret|token|key='; then fail "there is a secret in its environment"; fi

echo "image-check: what is in it"
box=$(b from --pull-never trygg)
tree=$(b mount "$box")
files=$(cd "$tree" && find . ! -type d ! -path './proc/*' ! -path './sys/*' ! -path './dev/*' | sort | tr '\n' ' ')
want files "$files" "./LICENSE ./etc/ssl/certs/ca-certificates.crt ./trygg "
size=$(du -sb "$tree" | cut -f1)
[ "$size" -le "$most" ] || fail "it has $size bytes, at most $most are expected"
want "owner of /data" "$(stat -c %u:%g "$tree/data")" 65532:65532
want "owner of /card" "$(stat -c %u:%g "$tree/card")" 65532:65532
if ldd "$tree/trygg" >/dev/null 2>&1; then fail "the program is not static"; fi

# The same source gives the same bytes, here and in the image (S63).
flags=$(sed -n 's/^ *-ldflags="\(.*\)" \\$/\1/p' Dockerfile)
CGO_ENABLED=0 GOFLAGS='' go build -trimpath -buildvcs=false -mod=readonly \
	-ldflags="${flags/\$\{VERSION\}/image-check}" -o "$work/trygg" ./cmd/trygg
cmp "$work/trygg" "$tree/trygg" || fail "the program in the image is another than this source gives"

echo "image-check: running it"
free() { # a port nobody listens on
	local p
	while :; do
		p=$((20000 + RANDOM % 20000))
		(exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo $p && return; }
	done
}
web=$(free) admin=$(free)
inside() {
	b run --isolation chroot --env TRYGG_ADDR="127.0.0.1:$web" --env TRYGG_ADMIN_ADDR="127.0.0.1:$admin" "$box" -- "$@"
}
version=$(inside /trygg version)
echo "  $version"
case $version in trygg\ *) ;; *) fail "trygg version says nothing" ;; esac
inside /trygg card export /card >/dev/null
[ -s "$tree/card/index.html" ] || fail "the card was not exported"
if inside /trygg health >/dev/null 2>&1; then fail "healthy while nothing runs"; fi

setsid buildah --storage-driver vfs --root "$work/root" --runroot "$work/run" run --isolation chroot \
	--env TRYGG_ADDR="127.0.0.1:$web" --env TRYGG_ADMIN_ADDR="127.0.0.1:$admin" "$box" -- /trygg serve \
	>"$work/serve" 2>&1 </dev/null &
server=$!
well=
for _ in $(seq 100); do
	if well=$(inside /trygg health 2>/dev/null); then break; fi
	sleep 0.1
done
[ -n "$well" ] || { cat "$work/serve" >&2; fail "not healthy after ten seconds"; }
echo "  $well"
seen=
for p in /proc/[0-9]*; do
	case $(tr '\0' ' ' 2>/dev/null <"$p/cmdline") in "/trygg serve "*) ;; *) continue ;; esac
	grep -qz "^TRYGG_ADDR=127.0.0.1:$web$" "$p/environ" || continue
	want "user of the process" "$(awk '/^Uid:/ {print $2}' "$p/status")" 65532
	seen=1
done
[ -n "$seen" ] || fail "the process was not found"
exec 3<>"/dev/tcp/127.0.0.1/$web"
printf 'GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
page=$(cat <&3)
exec 3<&-
grep -qi '<!doctype html' <<<"$page" || fail "the chat shows no page"

kill -TERM -- "-$server"
for _ in $(seq 120); do
	(exec 3<>"/dev/tcp/127.0.0.1/$admin") 2>/dev/null || break
	sleep 0.1
done
if inside /trygg health >/dev/null 2>&1; then fail "it does not stop within twelve seconds"; fi
wait "$server" || true
server=

echo "image-check: ok, $((size >> 10)) KiB"
