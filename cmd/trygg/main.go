// Command trygg is the whole program: it serves the web chat and Telegram, and
// has the operator's and the content author's tools. This package reads the
// configuration and wires the parts together; it is the one place that sees
// everything.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Set map[string]string `help:"A setting, e.g. --set TRYGG_ADDR=127.0.0.1:9000; see docs/operators.md." placeholder:"NAME=VALUE"`

	Serve        serveCmd        `cmd:"" help:"Run the web chat, and Telegram when a token is given."`
	Check        checkCmd        `cmd:"" help:"Check content and texts, and say what is wrong, where, and what to do."`
	Draw         drawCmd         `cmd:"" help:"Draw the conversations as diagrams that anybody can read and print."`
	Try          tryCmd          `cmd:"" help:"Chat in the terminal, with the same conversations, texts and card; nothing is kept."`
	Understand   understandCmd   `cmd:"" help:"Read sentences, one JSON line each, as typed words are read; or measure how well that goes."`
	Routines     routinesCmd     `cmd:"" help:"Routines for professionals."`
	Locales      localesCmd      `cmd:"" help:"Translations: how they stand, a table for a translator, and taking one in."`
	Card         cardCmd         `cmd:"" help:"The help card."`
	Keys         keysCmd         `cmd:"" help:"Key rings."`
	Store        storeCmd        `cmd:"" help:"The store."`
	FakeTelegram fakeTelegramCmd `cmd:"" name:"fake-telegram" help:"A Bot API server on this machine, to try the Telegram side without Telegram."`

	Health  healthCmd  `cmd:"" help:"Ask the running program whether it is well; for container health checks."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main with its world given to it, so that tests can run commands as a
// person types them.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c commands
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("trygg"),
		kong.Description("A conversation for children about violence, abuse and their rights, with help at hand.\nAll settings: docs/operators.md."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.BindTo(stdout, (*io.Writer)(nil)),
		kong.UsageOnError(),
	)
	if err != nil {
		panic(err) // the commands above are malformed
	}
	k, err := parser.Parse(longFlags(args))
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(stderr, "trygg: %v\n", err)
		return 2
	}
	cfg, err := loadConfig(c.Set, os.LookupEnv)
	if name, _, _ := strings.Cut(k.Command(), " "); err != nil && name != "version" {
		fmt.Fprintf(stderr, "%v\n", err)
		return 2
	}
	if err := k.Run(cfg); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(stderr, "trygg: %v\n", err)
		return 1
	}
	return 0
}

// longFlags lets flags be written with one dash, too: trygg check -json.
func longFlags(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out {
		if a == "--" {
			break
		}
		if len(a) > 2 && a[0] == '-' && a[1] >= 'a' && a[1] <= 'z' {
			out[i] = "-" + a
		}
	}
	return out
}

type versionCmd struct{}

func (versionCmd) Run(out io.Writer) error {
	fmt.Fprintln(out, "trygg", version())
	return nil
}

// release is set by the image's build, where no repository is at hand.
var release string

// version is what the build was made from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if release != "" {
		return release + " " + info.GoVersion
	}
	rev := ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			rev = " " + s.Value[:12]
		}
	}
	return info.Main.Version + rev + " " + info.GoVersion
}
