// Code generated from ../slog.go by internal/twin. DO NOT EDIT.

//go:build go1.21

package reaper

import (
	"context"
	"log/slog"
)

// LogTo makes the Log of Options from a logger of log/slog (Go 1.21 and newer). Set LogLevel as well: what the library
// is not asked for, the logger cannot get.
func LogTo(logger *slog.Logger) func(Level, string) {
	levels := map[Level]slog.Level{LevelError: slog.LevelError, LevelWarning: slog.LevelWarn, LevelInfo: slog.LevelInfo,
		LevelDebug: slog.LevelDebug}
	return func(level Level, message string) { logger.Log(context.Background(), levels[level], message) }
}
