package cli

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pythonForAll is a Python that every uid may execute: one below a home directory will not do.
func pythonForAll(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"/usr/bin/python3", "/usr/local/bin/python3"} {
		if info, err := os.Stat(path); err == nil && info.Mode()&0o111 == 0o111 {
			return path
		}
	}
	skip(t, "no python3 in /usr/bin or /usr/local/bin")
	return ""
}

// freePort is one that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	check(t, err)
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// A real service under an unprivileged uid: create, start, talk to it, stop it, see how it ended, delete.
func TestWebServer(t *testing.T) {
	t.Parallel()
	python := pythonForAll(t)
	b := newBox(t)
	b.file("bundle/hello.txt", "hello from the container\n", 0o644)
	port := freePort(t)
	server := config(python, "-m", "http.server", "--bind", "127.0.0.1", fmt.Sprint(port)).with("cwd", b.bundle).
		with("env", []string{standardPATH, "PYTHONDONTWRITEBYTECODE=1"}).with("noNewPrivileges", true).
		with("rlimits", []object{rlimit("RLIMIT_NOFILE", 64, 64)})
	uid := uint32(os.Getuid())
	if uid == 0 {
		uid = ordinaryUID
		server.with("user", user(uid, uid)).with("capabilities", object{})
	}
	pid := b.create("web", server)
	b.ok("start", "web")
	url := fmt.Sprintf("http://127.0.0.1:%d/", port)
	client := http.Client{Timeout: patience}
	eventually(t, "the server", func() bool {
		answer, err := client.Get(url)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode == http.StatusOK
	})
	answer, err := client.Get(url + "hello.txt")
	check(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(t, err)
	want(t, "answer", string(text), "hello from the container\n")
	wantFields(t, procStatus(read(t, procPath(pid, "status"))), map[string]string{"Uid": four(uid), "NoNewPrivs": "1",
		"CapPrm": noCapabilities, "CapEff": noCapabilities})
	b.wantStatus("web", "running")
	want(t, "status in the list", b.list()[0].Status, "running")
	b.ok("kill", "web")
	want(t, "signal", waited(t, b.ok("wait", "--timeout", "60", "web"))["signal"], int(syscall.SIGTERM))
	want(t, "signal for the parent", reap(t, pid).Signal(), syscall.SIGTERM)
	b.ok("delete", "web")
	if connection, err := net.DialTimeout("tcp4", fmt.Sprintf("127.0.0.1:%d", port), time.Second); err == nil {
		connection.Close()
		t.Error("the port still answers")
	}
}

// Another, whose orderly end is an exit code: redis saves and leaves with 0 on TERM.
func TestRedis(t *testing.T) {
	t.Parallel()
	const redis = "/usr/bin/redis-server"
	if _, err := os.Stat(redis); err != nil {
		skip(t, "no "+redis)
	}
	b := newBox(t)
	data := filepath.Join(b.dir, "data")
	check(t, os.Mkdir(data, 0o755))
	port := freePort(t)
	server := config(redis, "--bind", "127.0.0.1", "--port", fmt.Sprint(port), "--dir", data, "--daemonize", "no").
		with("cwd", data)
	if os.Getuid() == 0 {
		check(t, os.Chown(data, ordinaryUID, ordinaryUID))
		server.with("user", user(ordinaryUID, ordinaryUID))
	}
	pid := b.create("redis", server)
	b.ok("start", "redis")
	ask := func(line string) string {
		connection, err := net.DialTimeout("tcp4", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
		if err != nil {
			return ""
		}
		defer connection.Close()
		check(t, connection.SetDeadline(time.Now().Add(patience)))
		fmt.Fprintf(connection, "%s\r\n", line)
		answer := make([]byte, 256)
		n, _ := connection.Read(answer)
		return strings.TrimSpace(string(answer[:n]))
	}
	eventually(t, "the server", func() bool { return ask("PING") == "+PONG" })
	want(t, "SET", ask("SET key value"), "+OK")
	want(t, "GET", ask("GET key"), "$5\r\nvalue")
	b.ok("kill", "redis", "TERM")
	want(t, "exit code", reap(t, pid).ExitStatus(), 0)
	info, err := os.Stat(filepath.Join(data, "dump.rdb"))
	check(t, err)
	if os.Getuid() == 0 {
		want(t, "owner of what it saved", info.Sys().(*syscall.Stat_t).Uid, ordinaryUID)
	}
	b.ok("delete", "redis")
}
