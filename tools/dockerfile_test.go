package tools_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// TestDockerfile reads the Dockerfile as the builder does and holds it against
// the builder's own rules and ours.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range lint(string(text)) {
		t.Errorf("Dockerfile:%s", fault)
	}
}

const good = `FROM docker.io/library/golang:1.26 AS build
ARG VERSION=dev
RUN go build -o /out/trygg ./cmd/trygg
FROM scratch
COPY --from=build /out/trygg /trygg
USER 65532:65532
HEALTHCHECK CMD ["/trygg", "health"]
ENTRYPOINT ["/trygg"]
`

// TestLint shows that every rule can fail: a rule that finds nothing in a bad
// file would find nothing in ours.
func TestLint(t *testing.T) {
	tests := []struct {
		name     string
		old, new string // what is changed in a good file
		want     string // "" = nothing
	}{
		{name: "a good file has no faults"},
		{name: "an instruction nobody knows", old: "USER 65532:65532", new: "USR 65532:65532", want: "unknown instruction"},
		{name: "AS in another case than FROM", old: " AS build", new: " as build", want: "FromAsCasing"},
		{name: "a maintainer", old: "USER", new: "MAINTAINER somebody\nUSER", want: "MaintainerDeprecated"},
		{name: "a stage named in capitals", old: "build", new: "Build", want: "StageNameCasing"},
		{name: "a short image name", old: "docker.io/library/golang", new: "golang", want: "not named in full"},
		{name: "a base without a version", old: ":1.26", new: "", want: "has no version"},
		{name: "the latest base", old: ":1.26", new: ":latest", want: "has no version"},
		{name: "a base from an argument", old: "docker.io/library/golang:1.26", new: "$BASE", want: "not named in full"},
		{name: "a final stage with a system in it", old: "FROM scratch", new: "FROM docker.io/library/debian:12", want: "final stage"},
		{name: "no user", old: "USER 65532:65532\n", want: "USER"},
		{name: "a user with a name", old: "USER 65532:65532", new: "USER nobody", want: "USER"},
		{name: "root", old: "USER 65532:65532", new: "USER 0", want: "USER"},
		{name: "root's group", old: "USER 65532:65532", new: "USER 65532:0", want: "USER"},
		{name: "a secret in ENV", old: "USER", new: "ENV REDIS_PASSWORD=x\nUSER", want: "REDIS_PASSWORD"},
		{name: "a secret in ARG", old: "ARG VERSION=dev", new: "ARG API_TOKEN", want: "API_TOKEN"},
		{name: "a secret in an ARG ahead of all stages", old: "FROM docker", new: "ARG SECRET_KEY=x\nFROM docker", want: "SECRET_KEY"},
		{name: "a path to a secret is no secret", old: "USER", new: "ENV TRYGG_KEYS_FILE=/run/keys\nUSER"},
		{name: "no health check", old: "HEALTHCHECK CMD [\"/trygg\", \"health\"]\n", want: "HEALTHCHECK"},
		{name: "a health check that needs a shell", old: `CMD ["/trygg", "health"]`, new: "CMD /trygg health", want: "HEALTHCHECK"},
		{name: "an entry point that needs a shell", old: `ENTRYPOINT ["/trygg"]`, new: "ENTRYPOINT /trygg", want: "ENTRYPOINT"},
		{name: "a file from the net", old: "RUN go", new: "ADD https://example.org/x /x\nRUN go", want: "ADD"},
		{name: "a command where there is no shell", old: "USER", new: "RUN echo\nUSER", want: "RUN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := good
			if tt.old != "" {
				if !strings.Contains(text, tt.old) {
					t.Fatalf("the good file has no %q", tt.old)
				}
				text = strings.Replace(text, tt.old, tt.new, 1)
			}
			faults := lint(text)
			switch {
			case tt.want == "" && len(faults) > 0:
				t.Errorf("faults in a good file: %q", faults)
			case tt.want != "" && !slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, tt.want) }):
				t.Errorf("want a fault with %q, got %q", tt.want, faults)
			}
		})
	}
}

// lint gives all faults of a Dockerfile, each with its line ahead: those the
// builder itself would warn of, and those against our rules (S36, S63).
func lint(text string) (faults []string) {
	add := func(line int, format string, args ...any) {
		faults = append(faults, strconv.Itoa(line)+": "+fmt.Sprintf(format, args...))
	}
	tree, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		add(1, "%v", err)
		return faults
	}
	for _, w := range tree.Warnings {
		add(first(rangeOf(w.Location)), "%s", w.Short)
	}
	rules := linter.New(&linter.Config{Warn: func(rule, _, _, what string, at []parser.Range) {
		add(first(at), "%s: %s", rule, what)
	}})
	stages, args, err := instructions.Parse(tree.AST, rules)
	if err != nil {
		add(1, "%v", err)
		return faults
	}
	if len(stages) == 0 {
		add(1, "there is no stage")
		return faults
	}

	for _, a := range args {
		for _, kv := range a.Args {
			if secret(kv.Key) {
				add(first(a.Location()), "ARG %s: whoever has the image can read it; give secrets as files at run time", kv.Key)
			}
		}
	}
	var before []string // names of the stages so far
	for _, s := range stages {
		if !slices.Contains(before, s.BaseName) && s.BaseName != "scratch" {
			for _, fault := range base(s.BaseName) {
				add(first(s.Location), "%s", fault)
			}
		}
		before = append(before, s.Name)
		for _, c := range s.Commands {
			at := first(c.Location())
			switch c := c.(type) {
			case *instructions.EnvCommand:
				for _, kv := range c.Env {
					if secret(kv.Key) {
						add(at, "ENV %s: whoever has the image can read it; give secrets as files at run time", kv.Key)
					}
				}
			case *instructions.ArgCommand:
				for _, kv := range c.Args {
					if secret(kv.Key) {
						add(at, "ARG %s: whoever has the image can read it; give secrets as files at run time", kv.Key)
					}
				}
			case *instructions.AddCommand:
				add(at, "ADD: fetches and unpacks; COPY says what is meant")
			}
		}
	}

	last := stages[len(stages)-1]
	if last.BaseName != "scratch" && !strings.HasPrefix(last.BaseName, "gcr.io/distroless/") {
		add(first(last.Location), "the final stage is built on %s: want scratch or distroless", last.BaseName)
	}
	user, health, entry := "", false, false
	for _, c := range last.Commands {
		at := first(c.Location())
		switch c := c.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.HealthCheckCommand:
			health = len(c.Health.Test) > 1 && c.Health.Test[0] == "CMD"
		case *instructions.EntrypointCommand:
			entry = len(c.CmdLine) > 0 && !c.PrependShell
		case *instructions.RunCommand:
			add(at, "RUN: the final stage has no shell")
		}
	}
	if !number.MatchString(user) {
		add(first(last.Location), "USER %q: want two numbers that are not 0, so that an orchestrator can see that it is not root", user)
	}
	if !health {
		add(first(last.Location), "HEALTHCHECK: want one in the form [\"/program\", \"argument\"]; there is no shell")
	}
	if !entry {
		add(first(last.Location), "ENTRYPOINT: want one in the form [\"/program\"]; there is no shell")
	}
	return faults
}

var (
	number = regexp.MustCompile(`^[1-9][0-9]*:[1-9][0-9]*$`)
	// full is host/path:version, with or without a digest.
	full   = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?/[a-z0-9._/-]+(:[^@]+)?(@sha256:[0-9a-f]{64})?$`)
	hidden = regexp.MustCompile(`(?i)(^|_)(PASS|PASSWORD|PASSWD|SECRET|TOKEN|KEY|KEYS|APIKEY|CREDENTIALS?|AUTH)(_|$)`)
)

// base judges the name of an image that is built on.
func base(name string) (faults []string) {
	if !full.MatchString(name) {
		return []string{fmt.Sprintf("image %s is not named in full: which registry is asked depends on the machine", name)}
	}
	path, digest, _ := strings.Cut(name, "@")
	_, version, _ := strings.Cut(path[strings.LastIndex(path, "/"):], ":")
	if digest == "" && (version == "" || version == "latest") {
		faults = append(faults, fmt.Sprintf("image %s has no version", name))
	}
	return faults
}

// secret: a name that says its value is one. A path to a file is none.
func secret(name string) bool {
	return hidden.MatchString(name) && !strings.HasSuffix(name, "_FILE")
}

func rangeOf(r *parser.Range) []parser.Range {
	if r == nil {
		return nil
	}
	return []parser.Range{*r}
}

func first(at []parser.Range) int {
	if len(at) == 0 {
		return 1
	}
	return at[0].Start.Line
}
