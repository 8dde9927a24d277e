package tools_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

func load(t *testing.T, env ...string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithEnv(env))
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

// TestCompose reads compose.yaml with the loader that docker compose uses:
// schema, anchors, variables, what depends on what. cmd/trygg/image_test.go
// judges what it says.
func TestCompose(t *testing.T) {
	project, err := load(t, "CHAT_HOST=chat.example.org")
	if err != nil {
		t.Fatal(err)
	}
	if err := project.CheckContainerNameUnicity(); err != nil {
		t.Error(err)
	}
	if got := *project.Services["proxy"].Environment["CHAT_HOST"]; got != "chat.example.org" {
		t.Errorf("the proxy's name is %q", got)
	}
	// What is left of $$ is a $ for the shell, and the password stays out of
	// what everybody can list.
	command := strings.Join(project.Services["redis"].Command, " ")
	if !strings.Contains(command, "requirepass $(cat /run/secrets/redis-password)") || strings.Contains(command, "--requirepass") {
		t.Errorf("redis is started with %q", command)
	}
	for name, s := range project.Services {
		for _, n := range s.Secrets {
			if _, ok := project.Secrets[n.Source]; !ok {
				t.Errorf("%s: no secret %q", name, n.Source)
			}
		}
	}
}

// Without a name the page cannot have a certificate: it says so and does not
// start with an empty one.
func TestCompose_needsTheNameOfThePage(t *testing.T) {
	if _, err := load(t); err == nil || !strings.Contains(err.Error(), "CHAT_HOST") {
		t.Errorf("want an error about CHAT_HOST, got %v", err)
	}
}

// The help card needs nothing: no service that shows it waits for the store.
func TestCompose_nothingWaitsForTheStore(t *testing.T) {
	project, err := load(t, "CHAT_HOST=chat.example.org")
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range project.Services {
		for on, how := range s.DependsOn {
			if slices.Contains([]string{"trygg", "card", "proxy"}, name) && on == "redis" && (how.Condition != "service_started" || how.Required) {
				t.Errorf("%s waits for redis: %+v", name, how)
			}
		}
	}
}
