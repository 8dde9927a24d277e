package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// The Dockerfile is parsed and judged in tools/ and built by deploy/image-check.sh.
// What stands here needs nothing but the files, so that nobody weakens them
// without a test that says so.

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDockerfile(t *testing.T) {
	text := read(t, "Dockerfile")
	for _, line := range []string{
		"FROM docker.io/library/golang:1.26 AS build",
		"FROM scratch",
		"USER 65532:65532",
		`ENTRYPOINT ["/trygg"]`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
	for _, part := range []string{"CGO_ENABLED=0", "-trimpath", "ca-certificates.crt", `CMD ["/trygg", "health"]`} {
		if !strings.Contains(text, part) {
			t.Errorf("no %q", part)
		}
	}
}

// The build sees the source and nothing else of the folder it is started in.
func TestDockerignore(t *testing.T) {
	lines := strings.Split(read(t, ".dockerignore"), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return l == "" || strings.HasPrefix(l, "#") })
	if lines[0] != "*" {
		t.Errorf("begins with %q: want *, so that only what is named goes to the build", lines[0])
	}
	named := []string{"bot", "cmd", "flows", "locales", "store", "go.mod", "go.sum", "LICENSE"}
	for _, l := range lines {
		if name, ok := strings.CutPrefix(l, "!"); ok && !slices.Contains(named, name) {
			t.Errorf("lets %q into the build", name)
		}
	}
}

// service is what is looked at of a service in compose.yaml.
type composeService struct {
	Image       string            `yaml:"image"`
	Environment map[string]string `yaml:"environment"`
	Volumes     []string          `yaml:"volumes"`
	Ports       []string          `yaml:"ports"`
	Networks    []string          `yaml:"networks"`
	ReadOnly    bool              `yaml:"read_only"`
	Privileged  bool              `yaml:"privileged"`
	CapDrop     []string          `yaml:"cap_drop"`
	CapAdd      []string          `yaml:"cap_add"`
	SecurityOpt []string          `yaml:"security_opt"`
	Ulimits     map[string]int    `yaml:"ulimits"`
	MemLimit    string            `yaml:"mem_limit"`
	MemswapLim  string            `yaml:"memswap_limit"`
	PidsLimit   int               `yaml:"pids_limit"`
}

type compose struct {
	Services map[string]composeService `yaml:"services"`
	Secrets  map[string]struct {
		File string `yaml:"file"`
	} `yaml:"secrets"`
	Networks map[string]struct {
		Internal bool `yaml:"internal"`
	} `yaml:"networks"`
}

func TestCompose(t *testing.T) {
	var c compose
	if err := yaml.Unmarshal([]byte(read(t, "compose.yaml")), &c); err != nil {
		t.Fatal(yaml.FormatError(err, false, true))
	}
	want := []string{"card", "proxy", "redis", "redis-rewrite", "trygg"}
	if got := slices.Sorted(maps.Keys(c.Services)); !slices.Equal(got, want) {
		t.Fatalf("services %q, want %q", got, want)
	}
	image := regexp.MustCompile(`^(docker\.io/library/[a-z]+:[0-9][0-9.]*|localhost/trygg:latest)$`)
	known := map[string]bool{}
	for _, s := range settings {
		known[s.name], known[s.name+"_FILE"] = true, s.secret
	}
	for name, s := range c.Services {
		if !image.MatchString(s.Image) {
			t.Errorf("%s: image %q: want a full name and a version", name, s.Image)
		}
		if !s.ReadOnly || s.Privileged || !slices.Equal(s.CapDrop, []string{"ALL"}) ||
			!slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.PidsLimit == 0 {
			t.Errorf("%s: is not locked down: %+v", name, s)
		}
		if len(s.CapAdd) > 0 && (name != "proxy" || !slices.Equal(s.CapAdd, []string{"NET_BIND_SERVICE"})) {
			t.Errorf("%s: gets rights %q", name, s.CapAdd)
		}
		// Neither a dump nor swap space may hold what was typed (S9).
		if core, ok := s.Ulimits["core"]; !ok || core != 0 || s.MemLimit == "" || s.MemLimit != s.MemswapLim {
			t.Errorf("%s: may write its memory to a disk", name)
		}
		if len(s.Ports) > 0 && name != "proxy" {
			t.Errorf("%s: publishes %q; only the proxy may be reached", name, s.Ports)
		}
		for k := range s.Environment {
			if strings.HasPrefix(k, "TRYGG_") && !known[k] {
				t.Errorf("%s: sets %s, which is no setting", name, k)
			}
			if regexp.MustCompile(`(?i)pass|secret|token|_url$`).MatchString(k) && k != "TRYGG_EXIT_URL" && k != "EXIT_URL" {
				t.Errorf("%s: %s stands in the environment; give secrets as files (S36)", name, k)
			}
		}
		for _, v := range s.Volumes {
			if strings.Contains(v, "docker.sock") || strings.HasPrefix(v, "./") && !strings.HasSuffix(v, ":ro") {
				t.Errorf("%s: mounts %q to write on", name, v)
			}
		}
	}
	if n := c.Services["redis"].Networks; !slices.Equal(n, []string{"back"}) || !c.Networks["back"].Internal {
		t.Errorf("redis is on %q: want only back, and that internal", n)
	}
	for name, s := range c.Secrets {
		if !strings.HasPrefix(s.File, "./deploy/secrets/") {
			t.Errorf("secret %s comes from %q", name, s.File)
		}
	}
	if !slices.Contains(strings.Fields(read(t, "deploy/.gitignore")), "/secrets/") {
		t.Error("deploy/.gitignore does not keep the secrets out of the repository")
	}
}

// lines are the lines of a configuration without comments and indentation.
func lines(text string) []string {
	var out []string
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			out = append(out, l)
		}
	}
	return out
}

func TestRedisConf(t *testing.T) {
	got := lines(read(t, "deploy/redis.conf"))
	for _, want := range []string{
		"appendonly yes", "appendfsync everysec", `save ""`, "maxmemory 256mb", "maxmemory-policy noeviction",
		"protected-mode yes", "slowlog-log-slower-than -1",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no line %q", want)
		}
	}
	for _, l := range got {
		if strings.HasPrefix(l, "requirepass") {
			t.Error("the password stands in the file")
		}
	}
}

// The proxy keeps no record of who came (S40), lets nothing large in, and has
// an answer when trygg is down: the card, and for the exit the way out (S3, S23).
func TestProxy(t *testing.T) {
	got := lines(read(t, "deploy/Caddyfile"))
	for _, want := range []string{
		"admin off",
		"exclude http.log.error http.log.access http.handlers.reverse_proxy http.stdlib",
		`header Strict-Transport-Security "max-age=31536000"`,
		"max_size 128KB",
		"header_up -X-Forwarded-For",
		"handle_errors {",
		`Cache-Control "no-store"`,
		`Referrer-Policy "no-referrer"`,
		"@leave path /ut",
		"method GET",
		"rewrite * /index.html",
		"status 200",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no line %q", want)
		}
	}
	for _, l := range got {
		if l == "log" || strings.HasPrefix(l, "log {") {
			t.Errorf("%q writes an access log", l)
		}
	}
}

// Every setting is explained to operators, and nothing is that is not there.
func TestOperatorsManual(t *testing.T) {
	manual := read(t, "docs/operators.md")
	named := regexp.MustCompile(`TRYGG_[A-Z_]+[A-Z]`).FindAllString(manual, -1)
	for _, s := range settings {
		if !slices.Contains(named, s.name) {
			t.Errorf("docs/operators.md does not explain %s", s.name)
		}
		if s.def != "" && !strings.Contains(manual, "`"+s.def+"`") {
			t.Errorf("docs/operators.md does not tell that %s is %s by itself", s.name, s.def)
		}
	}
	for _, name := range named {
		file, isFile := strings.CutSuffix(name, "_FILE")
		ok := slices.ContainsFunc(settings, func(s setting) bool { return s.name == name || isFile && s.secret && s.name == file })
		if !ok {
			t.Errorf("docs/operators.md explains %s, which is no setting", name)
		}
	}
	sources, err := filepath.Glob("*.go")
	if err != nil || len(sources) == 0 {
		t.Fatal("no sources", err)
	}
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range regexp.MustCompile(`"(trygg_[a-z_]+)"`).FindAllStringSubmatch(read(t, "cmd/trygg/"+file), -1) {
			if !strings.Contains(manual, "`"+m[1]+"`") {
				t.Errorf("docs/operators.md does not explain the metric %s", m[1])
			}
		}
	}
}
