package storetest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a real redis-server on a free port of the loopback interface. It is
// killed at the end of its test. Its methods break and mend it.
type Server struct {
	tb       testing.TB
	port     int
	password string
	args     []string
	dir      string
	cmd      *exec.Cmd
	done     chan struct{} // closed when the process has ended
}

// Option adjusts a Server.
type Option func(*Server)

// Password lets the server ask for a password.
func Password(p string) Option { return func(s *Server) { s.password = p } }

// AppendOnly lets the server keep what it holds over a restart, synced at every write.
func AppendOnly() Option {
	return Args("--appendonly", "yes", "--appendfsync", "always")
}

// Args gives the server more of its own options.
func Args(args ...string) Option { return func(s *Server) { s.args = append(s.args, args...) } }

// Redis starts a redis-server and waits until it answers. Where there is none,
// the test is skipped, or fails when TRYGG_TEST_ALL is 1.
func Redis(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	binary(tb, "redis-server")
	s := &Server{tb: tb, dir: tb.TempDir()}
	for _, o := range options {
		o(s)
	}
	for try := 0; ; try++ {
		s.port = freePort(tb)
		err := s.start()
		if err == nil {
			break
		}
		if try == 4 { // somebody took the port in between, five times
			tb.Fatalf("start redis-server: %v", err)
		}
	}
	tb.Cleanup(s.kill)
	return s
}

// binary skips or fails a test that needs a program that is missing.
func binary(tb testing.TB, name string) string {
	tb.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("TRYGG_TEST_ALL") == "1":
		tb.Fatalf("%s is missing", name)
	default:
		tb.Skipf("%s is missing", name)
	}
	return ""
}

func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Addr is the server's host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the server's address with its password, for store.OpenRedis.
func (s *Server) URL() string {
	if s.password != "" {
		return "redis://:" + s.password + "@" + s.Addr()
	}
	return "redis://" + s.Addr()
}

func (s *Server) start() error {
	args := []string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--dir", s.dir,
		"--daemonize", "no", "--maxmemory-policy", "noeviction", "--enable-debug-command", "local"}
	if s.password != "" {
		args = append(args, "--requirepass", s.password)
	}
	s.cmd = exec.Command("redis-server", append(args, s.args...)...)
	// Should the test process be killed, the server goes, too.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	s.done = done
	go func() {
		_ = s.cmd.Wait()
		close(done)
	}()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		select {
		case <-done:
			return errors.New("redis-server ended")
		case <-time.After(5 * time.Millisecond):
		}
		if answer, err := s.ask("PING"); err == nil && answer == "PONG" {
			return nil
		}
	}
	s.kill()
	return errors.New("redis-server does not answer")
}

func (s *Server) kill() {
	_ = s.cmd.Process.Signal(syscall.SIGCONT)
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Stop kills the server as a power cut would.
func (s *Server) Stop() {
	s.tb.Helper()
	s.kill()
}

// Start starts a stopped server anew at its old address; what it held is gone
// unless it is AppendOnly.
func (s *Server) Start() {
	s.tb.Helper()
	if err := s.start(); err != nil {
		s.tb.Fatalf("start redis-server again: %v", err)
	}
}

// Restart is Stop and Start.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	s.Start()
}

// Pause lets the server hang: it accepts connections and never answers.
func (s *Server) Pause() {
	s.tb.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		s.tb.Fatal(err)
	}
}

// Resume ends a Pause.
func (s *Server) Resume() {
	s.tb.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		s.tb.Fatal(err)
	}
}

// Slow lets the server answer nothing for a while, then go on.
func (s *Server) Slow(d time.Duration) {
	s.tb.Helper()
	s.Do("CLIENT", "PAUSE", strconv.FormatInt(d.Milliseconds(), 10), "ALL")
}

// Fill leaves no memory: writes are refused, reading and deleting works.
func (s *Server) Fill() { s.tb.Helper(); s.SetMaxMemory(1) }

// SetMaxMemory limits the server's memory, in bytes; 0 = no limit.
func (s *Server) SetMaxMemory(bytes int) {
	s.tb.Helper()
	s.Do("CONFIG", "SET", "maxmemory", strconv.Itoa(bytes))
}

// ReadOnly lets the server refuse all writes, or take them again.
func (s *Server) ReadOnly(on bool) {
	s.tb.Helper()
	n := "0"
	if on {
		n = "1" // replicas wanted; there are none
	}
	s.Do("CONFIG", "SET", "min-replicas-to-write", n)
}

// SetPassword changes the password of the running server; clients that know the
// old one are turned away when they connect again.
func (s *Server) SetPassword(p string) {
	s.tb.Helper()
	s.Do("CONFIG", "SET", "requirepass", p)
	s.password = p
}

// Empty removes all that the server holds.
func (s *Server) Empty() { s.tb.Helper(); s.Do("FLUSHALL") }

// Keys are the names of everything the server holds.
func (s *Server) Keys() []string {
	s.tb.Helper()
	text := s.Do("KEYS", "*")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// Do sends a command and gives the answer as text, the parts of a list on lines
// of their own.
func (s *Server) Do(args ...string) string {
	s.tb.Helper()
	answer, err := s.ask(args...)
	if err != nil {
		s.tb.Fatalf("%s: %v", args[0], err)
	}
	return answer
}

// Dump makes the server write everything it holds to a file, and gives its bytes.
func (s *Server) Dump() []byte {
	s.tb.Helper()
	s.Do("CONFIG", "SET", "rdbcompression", "no")
	s.Do("SAVE")
	b, err := os.ReadFile(filepath.Join(s.dir, "dump.rdb"))
	if err != nil {
		s.tb.Fatal(err)
	}
	return b
}

// ask speaks the protocol by hand, so that the helper does not lean on the
// client under test.
func (s *Server) ask(args ...string) (string, error) {
	c, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	if s.password != "" {
		if _, err := speak(c, r, "AUTH", s.password); err != nil && !strings.Contains(err.Error(), "without any password") {
			return "", err
		}
	}
	return speak(c, r, args...)
}

func speak(c net.Conn, r *bufio.Reader, args ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := c.Write([]byte(b.String())); err != nil {
		return "", err
	}
	return hear(r)
}

func hear(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errors.New("empty answer")
	}
	switch kind, rest := line[0], line[1:]; kind {
	case '+', ':':
		return rest, nil
	case '-':
		return "", errors.New(rest)
	case '$':
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 {
			return "", err
		}
		b := make([]byte, n+2)
		for got := 0; got < len(b); {
			m, err := r.Read(b[got:])
			if err != nil {
				return "", err
			}
			got += m
		}
		return string(b[:n]), nil
	case '*':
		n, err := strconv.Atoi(rest)
		if err != nil {
			return "", err
		}
		parts := make([]string, 0, max(n, 0))
		for range n {
			p, err := hear(r)
			if err != nil {
				return "", err
			}
			parts = append(parts, p)
		}
		return strings.Join(parts, "\n"), nil
	}
	return "", fmt.Errorf("unknown answer %q", line[:1])
}

// Cluster starts three masters that share the shards, and gives the address for
// store.OpenRedis and the servers.
func Cluster(tb testing.TB) (url string, nodes []*Server) {
	tb.Helper()
	var bus [3]string // the ports the nodes talk to one another on
	for i := range bus {
		bus[i] = strconv.Itoa(freePort(tb))
		nodes = append(nodes, Redis(tb, Args("--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
			"--cluster-node-timeout", "2000", "--cluster-port", bus[i])))
	}
	const slots = 16384
	for i, n := range nodes {
		n.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/3), strconv.Itoa((i+1)*slots/3-1))
		n.Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if i > 0 {
			n.Do("CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(nodes[0].port), bus[0])
		}
	}
	for end := time.Now().Add(20 * time.Second); ; {
		ready := true
		for _, n := range nodes {
			info := n.Do("CLUSTER", "INFO")
			ready = ready && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_known_nodes:3") &&
				strings.Contains(info, "cluster_size:3")
		}
		if ready {
			break
		}
		if time.Now().After(end) {
			tb.Fatal("the cluster does not come together")
		}
		time.Sleep(20 * time.Millisecond) // real servers, real time
	}
	return "redis+cluster://" + nodes[0].Addr() + "," + nodes[1].Addr() + "," + nodes[2].Addr(), nodes
}

// Sentinel starts a sentinel that watches the server under the name "trygg", and
// gives the address for store.OpenRedis.
func Sentinel(tb testing.TB, master *Server) (url string) {
	tb.Helper()
	binary(tb, "redis-server")
	dir, port := tb.TempDir(), freePort(tb)
	conf := filepath.Join(dir, "sentinel.conf")
	text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor trygg 127.0.0.1 %d 1\nsentinel down-after-milliseconds trygg 1000\n", port, dir, master.port)
	if master.password != "" {
		text += "sentinel auth-pass trygg " + master.password + "\n"
	}
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	s := &Server{tb: tb, port: port, cmd: exec.Command("redis-server", conf, "--sentinel"), done: make(chan struct{})}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	tb.Cleanup(s.kill)
	for end := time.Now().Add(10 * time.Second); ; {
		if answer, err := s.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "trygg"); err == nil && answer != "" {
			break
		}
		if time.Now().After(end) {
			tb.Fatal("the sentinel does not answer")
		}
		time.Sleep(10 * time.Millisecond)
	}
	user := ""
	if master.password != "" {
		user = ":" + master.password + "@"
	}
	return "redis+sentinel://" + user + s.Addr() + "/trygg/0"
}

// Files are the files the server wrote, such as its append-only file.
func (s *Server) Files() map[string][]byte {
	s.tb.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	return files
}
