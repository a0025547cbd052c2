//go:build go1.21

package reaper

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestLogToSlog(t *testing.T) {
	var text bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r := runtimeOf(t, Options{LogLevel: LevelDebug, Log: LogTo(logger)})
	create(t, r, "x", CreateOptions{Config: shell("true", `,"capabilites":{}`)})
	if !strings.Contains(text.String(), `"level":"WARN"`) || !strings.Contains(text.String(), "capabilites") {
		t.Error(text.String())
	}
}
